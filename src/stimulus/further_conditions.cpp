// SPDX-License-Identifier: Apache-2.0
// Stimuli beyond the four phenomena, with their one published version each.
#include "amacrine/core/random.hpp"
#include "naming.hpp"
#include "whole_frames.hpp"

#include <algorithm>
#include <cmath>
#include <set>

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

Condition paired_flash(int interval, const Screen& screen) {
  const int onset = published_frames(40, screen), end = std::max(published_frames(100, screen), onset + interval + 2);
  const auto first = static_cast<std::size_t>(onset), frames = static_cast<std::size_t>(end);
  constexpr double contrast = -2;
  Condition made = full_field(Family::paired_flash, {{"interval_ms", interval * screen.frame_ms}}, frames, onset);
  made.parameters["contrast"] = contrast;
  made.parameters["flashes"] = interval > 0 ? 2 : 1;
  made.level[first] = contrast;
  made.level[first + static_cast<std::size_t>(interval)] = contrast;
  return made;
}

}  // namespace

Condition grey_condition(const Screen& screen) {
  Condition made;
  made.name = "grey";
  made.frames = static_cast<std::size_t>(published_frames(200, screen));
  made.level.assign(made.frames, 0.0);
  return made;
}

std::vector<Condition> step_conditions(const Screen& screen) {
  const int on = published_frames(50, screen), off = published_frames(150, screen);
  std::vector<Condition> made;
  for (double contrast : {-1.0, 2.0, -2.0}) {
    Condition one =
        full_field(Family::step, {{"contrast", contrast}}, static_cast<std::size_t>(published_frames(200, screen)), on);
    std::fill(one.level.begin() + on, one.level.begin() + off, contrast);
    made.push_back(std::move(one));
  }
  return made;
}

std::vector<Condition> paired_flash_conditions(const Screen& screen) {
  // Two flashes of one frame are two only with a frame between them.
  std::set<int> intervals{0};
  for (int published = 2; published <= 19; ++published) intervals.insert(std::max(2, published_frames(published, screen)));
  std::vector<Condition> made;
  for (int interval : intervals) made.push_back(paired_flash(interval, screen));
  return made;
}

std::vector<Condition> contrast_step_conditions(std::uint64_t seed, const Screen& screen) {
  const auto frames = static_cast<std::size_t>(published_frames(140, screen)),
             begin = static_cast<std::size_t>(published_frames(45, screen)),
             end = static_cast<std::size_t>(published_frames(95, screen));
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

std::vector<Condition> white_noise_conditions(std::uint64_t seed, const Screen& screen) {
  const auto frames = static_cast<std::size_t>(published_frames(200, screen));
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
