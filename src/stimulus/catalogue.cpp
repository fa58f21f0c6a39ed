// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/catalogue.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/random.hpp"
#include "naming.hpp"
#include "whole_frames.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/ranges.h>

namespace amacrine::stimulus {
namespace {

const std::array<std::string, 12> families{"grey",        "osr",         "latency", "reversal",     "reversal_smooth",
                                           "moving_bar",  "flashed_bar", "step",    "paired_flash", "contrast_step",
                                           "white_noise", "osr_control"};
const std::array<std::string, 5> sets{"circuits", "library", "figure", "paper", "bright"};

void append(std::vector<Condition>& all, std::vector<Condition> more) {
  for (Condition& each : more) all.push_back(std::move(each));
}

template <class T>
void replace(T& value, const T& wish, const T& silent = {}) {
  if (wish != silent) value = wish;
}

/// px per published frame for px per frame of the screen.
double per_published_frame(double speed, const Screen& screen) { return speed * (published_frame_ms / screen.frame_ms); }

/// The contrast a study asks for is that of the dark sets; the bright one shows its opposite.
double as_shown(double contrast, ParameterSet set) { return set == ParameterSet::bright ? -contrast : contrast; }

void add_phenomena(std::vector<Condition>& all, const ProbeSettings& wish, const std::string& family, ParameterSet set,
                   const Screen& screen) {
  if (family == "osr") {
    OsrProbe probe;
    named_probe(set, probe);
    replace(probe.periods_ms, wish.osr_periods_ms);
    replace(probe.contrast, as_shown(wish.osr_contrast, set));
    replace(probe.flashes, wish.osr_flashes);
    append(all, conditions(probe, screen, set));
  } else if (family == "osr_control" && (set == ParameterSet::circuits || set == ParameterSet::bright)) {
    OsrProbe probe;
    named_probe(set, probe);
    replace(probe.contrast, as_shown(wish.osr_contrast, set));
    append(all, osr_control_conditions(probe, screen, set));
  } else if (family == "latency") {
    LatencyProbe probe;
    if (!named_probe(set, probe)) return;
    replace(probe.contrasts, wish.latency_contrasts);
    if (!wish.latency_contrasts.empty())
      for (double& contrast : probe.contrasts) contrast = as_shown(contrast, set);
    append(all, conditions(probe, screen, set));
  } else if (family == "reversal") {
    ReversalProbe probe;
    named_probe(set, probe);
    replace(probe.positions_px, wish.reversal_positions_px);
    replace(probe.speed, per_published_frame(wish.reversal_speed, screen));
    replace(probe.width, wish.reversal_width);
    replace(probe.contrast, as_shown(wish.reversal_contrast, set));
    append(all, conditions(probe, screen, set));
  } else if (family == "anticipation") {
    AnticipationProbe probe;
    named_probe(set, probe);
    replace(probe.speed, per_published_frame(wish.anticipation_speed, screen));
    replace(probe.width, wish.anticipation_width);
    replace(probe.contrast, as_shown(wish.anticipation_contrast, set));
    replace(probe.flash_positions_px, wish.flash_positions_px);
    append(all, conditions(probe, screen, set));
  }
}

void add_further(std::vector<Condition>& all, const ProbeSettings& wish, const std::string& family, const Screen& screen) {
  if (family == "step") append(all, step_conditions(screen));
  if (family == "paired_flash") append(all, paired_flash_conditions(screen));
  if (family == "contrast_step") append(all, contrast_step_conditions(wish.seed, screen));
  if (family == "white_noise") append(all, white_noise_conditions(wish.seed, screen));
}

/// Share of each pixel column that a vertical bar covers.
std::vector<float> bar_row(double centre_px, double width_px, double contrast, int columns) {
  std::vector<float> row(static_cast<std::size_t>(columns), 0.0F);
  for (int x = 0; x < columns; ++x) {
    const double left = std::max(x - 0.5, centre_px - width_px / 2), right = std::min(x + 0.5, centre_px + width_px / 2);
    row[static_cast<std::size_t>(x)] = static_cast<float>(contrast * std::clamp(right - left, 0.0, 1.0));
  }
  return row;
}

void draw_frame(const Condition& condition, std::size_t frame, const Screen& screen, const Centre& centre,
                std::span<float> pixels) {
  if (!condition.level.empty()) {
    std::fill(pixels.begin(), pixels.end(), static_cast<float>(condition.level[frame]));
  } else if (condition.bar_px.empty()) {
    core::Random random(condition.noise_seed, core::Stream::probe, 1'000'000 + frame);
    const double contrast = condition.parameter("contrast");
    for (float& pixel : pixels) pixel = static_cast<float>(contrast * random.normal());
  } else if (!std::isnan(condition.bar_px[frame])) {
    const std::vector<float> row = bar_row(centre.x + condition.bar_px[frame], condition.parameter("width_px"),
                                           condition.parameter("contrast"), screen.width);
    for (std::size_t y = 0; y < static_cast<std::size_t>(screen.height); ++y)
      std::copy(row.begin(), row.end(), pixels.begin() + static_cast<std::ptrdiff_t>(y * row.size()));
  }
}

}  // namespace

const std::string& family_name(Family family) { return families[static_cast<std::size_t>(family)]; }
const std::string& set_name(ParameterSet set) { return sets[static_cast<std::size_t>(set)]; }

ParameterSet set_from_name(const std::string& name) {
  const auto found = std::find(sets.begin(), sets.end(), name);
  core::require<core::StudyError>(found != sets.end(), "there is no parameter set '{}'; there are {}", name,
                                  fmt::join(sets, ", "));
  return static_cast<ParameterSet>(found - sets.begin());
}

std::string condition_name(Family family, ParameterSet set, const std::vector<std::pair<std::string, double>>& keys) {
  std::string name = family_name(family);
  if (set != ParameterSet::circuits) name += "@" + set_name(set);
  for (std::size_t i = 0; i < keys.size(); ++i)
    name += fmt::format("{}{}={:.6g}", i == 0 ? "/" : ",", keys[i].first, keys[i].second);
  return name;
}

double Condition::parameter(const std::string& key) const {
  const auto found = parameters.find(key);
  return found == parameters.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

int Condition::event(const std::string& key) const {
  const auto found = events.find(key);
  return found == events.end() ? -1 : found->second;
}

Stimulus render(const Condition& condition, const Screen& screen, const Centre& centre) {
  Stimulus made;
  made.family = family_name(condition.family);
  made.condition = condition.name;
  made.symmetry = condition.symmetry;
  made.parameters = condition.parameters;
  made.events = condition.events;
  made.bar_px = condition.bar_px;
  made.contrast =
      core::Array<float, 3>({condition.frames, static_cast<std::size_t>(screen.height), static_cast<std::size_t>(screen.width)});
  for (std::size_t t = 0; t < condition.frames; ++t) draw_frame(condition, t, screen, centre, made.contrast.row(t));
  return made;
}

std::vector<Condition> catalogue(const ProbeSettings& settings, const Screen& screen) {
  std::vector<Condition> all{grey_condition(screen)};
  for (const std::string& family : settings.families) {
    for (const std::string& set : settings.sets) add_phenomena(all, settings, family, set_from_name(set), screen);
    add_further(all, settings, family, screen);
  }
  std::set<std::string> names;
  for (const Condition& each : all)
    core::require<core::StudyError>(names.insert(each.name).second, "the catalogue has two conditions called '{}'", each.name);
  return all;
}

double symmetry_deviation(std::span<const float> movie, std::size_t height, std::size_t width, Symmetry symmetry) {
  if (symmetry == Symmetry::none) return 0.0;
  const std::size_t pixels = height * width;
  double largest = 0;
  for (std::size_t at = 0; at < movie.size(); ++at) {
    const std::size_t frame = at / pixels * pixels;
    const std::size_t twin = symmetry == Symmetry::full_field ? frame : frame + (at - frame) % width;
    const double difference = std::abs(static_cast<double>(movie[at]) - static_cast<double>(movie[twin]));
    if (std::isnan(difference)) return difference;
    largest = std::max(largest, difference);
  }
  return largest;
}

}  // namespace amacrine::stimulus
