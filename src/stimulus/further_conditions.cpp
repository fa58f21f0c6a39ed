// SPDX-License-Identifier: Apache-2.0
// Stimuli beyond the four phenomena, with their one published version each.
#include "amacrine/core/random.hpp"
#include "naming.hpp"

#include <cmath>

namespace amacrine::stimulus {
namespace {

constexpr ParameterSet set = ParameterSet::library;

Condition full_field(Family family, const std::vector<std::pair<std::string, double>>& keys, std::size_t frames, int onset) {
  Condition made;
  made.family = family;
  made.set = set;
  made.name = condition_name(family, set, keys);
  for (const auto& [key, value] : keys) made.parameters[key] = value;
  made.frames = frames;
  made.level.assign(frames, 0.0);
  made.events = {{"onset", onset}, {"window_end", static_cast<int>(frames)}};
  return made;
}

Condition paired_flash(int interval, double frame_ms) {
  constexpr std::size_t first = 40, frames = 100;
  constexpr double contrast = -2;
  Condition made = full_field(Family::paired_flash, {{"interval_ms", interval * frame_ms}}, frames, static_cast<int>(first));
  made.parameters["contrast"] = contrast;
  made.parameters["flashes"] = interval > 0 ? 2 : 1;
  made.level[first] = contrast;
  made.level[first + static_cast<std::size_t>(interval)] = contrast;
  return made;
}

}  // namespace

Condition grey_condition() {
  Condition made;
  made.name = "grey";
  made.frames = 200;
  made.level.assign(made.frames, 0.0);
  return made;
}

std::vector<Condition> step_conditions() {
  std::vector<Condition> made;
  for (double contrast : {-1.0, 2.0, -2.0}) {
    Condition one = full_field(Family::step, {{"contrast", contrast}}, 200, 50);
    for (std::size_t t = 50; t < 150; ++t) one.level[t] = contrast;
    made.push_back(std::move(one));
  }
  return made;
}

std::vector<Condition> paired_flash_conditions(const Screen& screen) {
  std::vector<Condition> made{paired_flash(0, screen.frame_ms)};
  for (int interval = 2; interval <= 19; ++interval) made.push_back(paired_flash(interval, screen.frame_ms));
  return made;
}

std::vector<Condition> contrast_step_conditions(std::uint64_t seed) {
  constexpr std::size_t frames = 140, begin = 45, end = 95;
  std::vector<Condition> made;
  for (const auto& [outside, inside] : {std::pair{0.5, 2.0}, std::pair{2.0, 0.5}}) {
    for (int repeat = 0; repeat < 10; ++repeat) {
      Condition one =
          full_field(Family::contrast_step, {{"contrast", inside}, {"repeat", repeat}}, frames, static_cast<int>(begin));
      // Both steps of one repeat share their noise, so that only the envelope differs.
      core::Random random(seed, core::Stream::probe, static_cast<std::uint64_t>(repeat));
      for (std::size_t t = 0; t < frames; ++t) one.level[t] = (t >= begin && t < end ? inside : outside) * random.normal();
      made.push_back(std::move(one));
    }
  }
  return made;
}

std::vector<Condition> white_noise_conditions(std::uint64_t seed) {
  constexpr std::size_t frames = 200;
  constexpr std::uint64_t first_id = 1000;
  std::vector<Condition> made;
  for (double contrast : {0.5, 1.0, 1.5, 2.0}) {
    Condition one = full_field(Family::white_noise, {{"contrast", contrast}}, frames, 0);
    core::Random random(seed, core::Stream::probe, first_id);
    for (double& level : one.level) level = contrast * random.normal();
    made.push_back(std::move(one));
  }
  Condition pixels = full_field(Family::white_noise, {{"per_pixel", 1}}, frames, 0);
  pixels.parameters["contrast"] = 1.0;
  pixels.symmetry = Symmetry::none;
  pixels.level.clear();
  pixels.noise_seed = seed;
  made.push_back(std::move(pixels));
  return made;
}

}  // namespace amacrine::stimulus
