// SPDX-License-Identifier: Apache-2.0
// Builders of the four phenomena's stimuli.
#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "naming.hpp"
#include "whole_frames.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace amacrine::stimulus {
namespace {

constexpr double no_bar = std::numeric_limits<double>::quiet_NaN();

Condition full_field(Family family, ParameterSet set, const std::string& key, double value, std::size_t frames) {
  Condition made;
  made.family = family;
  made.set = set;
  made.name = condition_name(family, set, {{key, value}});
  made.parameters[key] = value;
  made.frames = frames;
  made.level.assign(frames, 0.0);
  return made;
}

void flash(Condition& condition, int onset, int frames, double contrast) {
  for (int t = onset; t < std::min(onset + frames, static_cast<int>(condition.frames)); ++t)
    condition.level[static_cast<std::size_t>(t)] = contrast;
}

/// A train of flashes `period` frames apart, all other counts of `probe` in frames of the screen.
Condition flash_train(const OsrProbe& probe, int period, const Screen& screen, ParameterSet set) {
  const int aligned_last = published_frames(89, screen), aligned_frames = published_frames(140, screen);
  const double period_ms = period * screen.frame_ms;
  const int flashes = probe.aligned_end ? aligned_last / period + 1 : probe.flashes;
  const int onset = probe.aligned_end ? aligned_last - (flashes - 1) * period : probe.before;
  const int last = onset + (flashes - 1) * period, omitted = last + period;
  const int window_end = probe.aligned_end ? aligned_frames : probe.repeat_group ? omitted + period : omitted + probe.after;
  const int frames = probe.repeat_group ? window_end + flashes * period : window_end;
  core::require<core::StudyError>(flashes >= 1 && probe.flash_frames >= 1 && probe.flash_frames <= period && omitted < window_end,
                                  "a train of {} flashes of {} frames every {} frames has no room for its omission", flashes,
                                  probe.flash_frames, period);
  Condition train = full_field(Family::osr, set, "period_ms", period_ms, static_cast<std::size_t>(frames));
  for (int i = 0; i < flashes; ++i) {
    flash(train, onset + i * period, probe.flash_frames, probe.contrast);
    if (probe.repeat_group) flash(train, window_end + i * period, probe.flash_frames, probe.contrast);
  }
  train.parameters["contrast"] = probe.contrast;
  train.parameters["flashes"] = flashes;
  train.parameters["flash_ms"] = probe.flash_frames * screen.frame_ms;
  train.events = {{"onset", onset}, {"last_flash", last}, {"omitted", omitted}, {"window_end", window_end}};
  return train;
}

Condition bar(Family family, ParameterSet set, const std::vector<std::pair<std::string, double>>& keys, std::size_t frames) {
  Condition made;
  made.family = family;
  made.set = set;
  made.symmetry = Symmetry::along_y;
  made.name = condition_name(family, set, keys);
  for (const auto& [key, value] : keys) made.parameters[key] = value;
  made.frames = frames;
  made.bar_px.assign(frames, no_bar);
  return made;
}

Condition turning_bar(const ReversalProbe& probe, Family family, int direction, double position, ParameterSet set) {
  Condition made =
      bar(family, set, {{"direction", direction}, {"position_px", position}}, static_cast<std::size_t>(probe.frames));
  for (int t = 0; t < probe.frames; ++t) {
    const int since = t - probe.reversal_frame;
    const double along = family == Family::reversal ? position - probe.speed * std::abs(since) : position + probe.speed * since;
    made.bar_px[static_cast<std::size_t>(t)] = direction * along;
  }
  made.parameters["speed_px_per_frame"] = probe.speed;
  made.parameters["width_px"] = probe.width;
  made.parameters["contrast"] = probe.contrast;
  made.events = {{"onset", 0}, {"reversal", probe.reversal_frame}};
  return made;
}

Condition moving_bar(const AnticipationProbe& probe, int direction, ParameterSet set) {
  const int steps = static_cast<int>(2 * probe.half_path / probe.speed) + probe.extra_frames, frames = probe.before + steps;
  Condition made = bar(Family::moving_bar, set, {{"direction", direction}}, static_cast<std::size_t>(frames));
  for (int t = probe.before; t < frames; ++t)
    made.bar_px[static_cast<std::size_t>(t)] = direction * (-probe.half_path + probe.speed * (t - probe.before));
  made.parameters["speed_px_per_frame"] = probe.speed;
  made.parameters["width_px"] = probe.width;
  made.parameters["contrast"] = probe.contrast;
  made.events = {{"onset", probe.before}, {"window_end", frames}};
  return made;
}

Condition flashed_bar(const AnticipationProbe& probe, double position, ParameterSet set) {
  Condition made = bar(Family::flashed_bar, set, {{"position_px", position}}, static_cast<std::size_t>(probe.flash_total));
  for (int t = probe.flash_before; t < probe.flash_before + probe.flash_frames; ++t)
    made.bar_px[static_cast<std::size_t>(t)] = position;
  made.parameters["width_px"] = probe.width;
  made.parameters["contrast"] = probe.contrast;
  made.events = {{"onset", probe.flash_before}, {"window_end", probe.flash_total}};
  return made;
}

}  // namespace

std::vector<Condition> conditions(const OsrProbe& published, const Screen& screen, ParameterSet set) {
  OsrProbe probe = published;
  for (int* count : {&probe.flash_frames, &probe.before, &probe.after}) *count = published_frames(*count, screen);
  std::vector<Condition> made;
  std::set<int> shown;
  for (double period_ms : probe.periods_ms) {
    // Between two flashes there is at least one frame without.
    const int period = std::max(whole_frames(period_ms, screen), probe.flash_frames + 1);
    if (shown.insert(period).second) made.push_back(flash_train(probe, period, screen, set));
    if (!(std::abs(period * screen.frame_ms - period_ms) <= 1e-6 * period_ms))
      core::log("a flash period of {:g} ms is shown as {:.4g} ms, {} frames of {:.4g} ms", period_ms, period * screen.frame_ms,
                period, screen.frame_ms);
  }
  return made;
}

std::vector<Condition> conditions(const LatencyProbe& published, const Screen& screen, ParameterSet set) {
  LatencyProbe probe = published;
  for (int* count : {&probe.flash_frames, &probe.before, &probe.after}) *count = published_frames(*count, screen);
  std::vector<Condition> made;
  for (double contrast : probe.contrasts) {
    const int frames = probe.before + probe.after;
    Condition one = full_field(Family::latency, set, "contrast", contrast, static_cast<std::size_t>(frames));
    flash(one, probe.before, probe.flash_frames, contrast);
    one.parameters["flash_ms"] = probe.flash_frames * screen.frame_ms;
    one.events = {{"onset", probe.before}, {"window_end", frames}};
    made.push_back(std::move(one));
  }
  return made;
}

std::vector<Condition> conditions(const ReversalProbe& published, const Screen& screen, ParameterSet set) {
  core::require<core::StudyError>(published.speed > 0 && published.width > 0, "reversing bars need a speed and a width above 0");
  ReversalProbe probe = published;
  probe.speed *= screen.frame_ms / published_frame_ms;
  for (int* count : {&probe.reversal_frame, &probe.frames}) *count = published_frames(*count, screen);
  std::vector<Condition> made;
  for (int direction : probe.directions) {
    for (double position : probe.positions_px) {
      for (Family family : {Family::reversal, Family::reversal_smooth}) {
        made.push_back(turning_bar(probe, family, direction, position, set));
        made.back().events["window_end"] = std::min(probe.reversal_frame + published_frames(36, screen), probe.frames);
      }
    }
  }
  return made;
}

std::vector<Condition> conditions(const AnticipationProbe& published, const Screen& screen, ParameterSet set) {
  core::require<core::StudyError>(published.speed > 0 && published.width > 0, "moving bars need a speed and a width above 0");
  AnticipationProbe probe = published;
  probe.speed *= screen.frame_ms / published_frame_ms;
  for (int* count : {&probe.before, &probe.extra_frames, &probe.flash_frames, &probe.flash_before, &probe.flash_total})
    *count = published_frames(*count, screen);
  std::vector<Condition> made;
  for (int direction : {1, -1}) made.push_back(moving_bar(probe, direction, set));
  for (double position : probe.flash_positions_px) made.push_back(flashed_bar(probe, position, set));
  return made;
}

}  // namespace amacrine::stimulus
