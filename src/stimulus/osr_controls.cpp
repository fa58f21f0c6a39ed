// SPDX-License-Identifier: Apache-2.0
// What an omitted stimulus response is compared with: its control stimuli and their figures.
#include "measuring.hpp"
#include "naming.hpp"
#include "whole_frames.hpp"

#include <algorithm>
#include <array>

namespace amacrine::stimulus {
namespace {

using namespace measuring;

constexpr double usual_period_ms = 100;
constexpr int usual_flashes = 12, mid_train_flashes = 6;

/// Onsets in frames from the first flash on, and where the flash that is left out would have been.
struct Train {
  std::vector<int> onsets;
  int omitted = 0;
};

Train periodic(int flashes, int period) {
  Train train;
  for (int i = 0; i < flashes; ++i) train.onsets.push_back(i * period);
  train.omitted = flashes * period;
  return train;
}

/// Frames between two flashes `ms` apart: at least one without light.
int apart(double ms, const OsrProbe& probe, const Screen& screen) {
  return std::max(whole_frames(ms, screen), probe.flash_frames + 1);
}

/// 12 flashes whose intervals are 60 ... 140 ms, long and short in turn; the order starts elsewhere for each `turn`, and the last
/// interval is 60, 80, 100, 120, 140 ms for 0 ... 4.
Train aperiodic(int turn, const OsrProbe& probe, const Screen& screen) {
  constexpr std::array<double, 5> shuffled{140, 80, 120, 60, 100};
  Train train{{0}, 0};
  for (std::size_t i = 0; i + 2 < usual_flashes; ++i)
    train.onsets.push_back(train.onsets.back() + apart(shuffled[(i + static_cast<std::size_t>(turn)) % 5], probe, screen));
  train.onsets.push_back(train.onsets.back() + apart(60 + 20.0 * turn, probe, screen));
  train.omitted = train.onsets.back() + apart(usual_period_ms, probe, screen);
  return train;
}

/// Draws a train after `probe.before` frames of grey; all counts of `probe` are frames of the screen.
Condition drawn(const OsrProbe& probe, const Train& train, const std::pair<std::string, double>& key, ParameterSet set,
                const Screen& screen) {
  const int period = apart(usual_period_ms, probe, screen), omitted = probe.before + train.omitted;
  Condition made;
  made.family = Family::osr_control;
  made.set = set;
  made.name = condition_name(Family::osr_control, set, {key});
  made.parameters = {{"contrast", probe.contrast},
                     {"period_ms", period * screen.frame_ms},
                     {"flashes", static_cast<double>(train.onsets.size())},
                     {"flash_ms", probe.flash_frames * screen.frame_ms},
                     {key.first, key.second}};
  made.frames = static_cast<std::size_t>(omitted + probe.after);
  made.level.assign(made.frames, 0.0);
  for (const int onset : train.onsets)
    for (int t = probe.before + onset; t < probe.before + onset + probe.flash_frames; ++t)
      made.level[static_cast<std::size_t>(t)] = probe.contrast;
  made.events = {{"onset", train.onsets.empty() ? -1 : probe.before},
                 {"last_flash", train.onsets.empty() ? omitted - period : probe.before + train.onsets.back()},
                 {"omitted", omitted},
                 {"window_end", static_cast<int>(made.frames)}};
  return made;
}

/// An omission after `mid_train_flashes`, then as many flashes again; the window ends before the next flash is answered.
Condition mid_train(const OsrProbe& probe, ParameterSet set, const Screen& screen) {
  const int period = apart(usual_period_ms, probe, screen), answered = whole_frames(30, screen);
  Train train = periodic(mid_train_flashes, period);
  const Train again = periodic(mid_train_flashes, period);
  for (const int onset : again.onsets) train.onsets.push_back(train.omitted + period + onset);
  const int left_out = train.omitted;
  train.omitted += again.omitted + period;
  Condition made = drawn(probe, train, {"omitted_after", mid_train_flashes}, set, screen);
  made.events["omitted"] = probe.before + left_out;
  made.events["last_flash"] = probe.before + left_out - period;
  made.events["window_end"] = probe.before + left_out + period + answered;
  return made;
}

/// Light that stays on from the first flash of a train of 12 to the end of its last.
Condition sustained(const OsrProbe& probe, ParameterSet set, const Screen& screen) {
  const Train train = periodic(usual_flashes, apart(usual_period_ms, probe, screen));
  Condition made = drawn(probe, train, {"sustained", 1}, set, screen);
  made.parameters["flashes"] = 1;
  const auto first = made.level.begin() + probe.before;
  std::fill(first, first + train.onsets.back() + probe.flash_frames, probe.contrast);
  return made;
}

/// Response above rest to the controls that `chosen` picks, mean.
template <class Chosen>
double mean_above_rest(const std::vector<Condition>& conditions, const std::vector<std::size_t>& shown,
                       const OsrControlFigures& f, double rest_hz, Chosen chosen) {
  std::vector<double> above;
  for (std::size_t i = 0; i < shown.size(); ++i)
    if (chosen(conditions[shown[i]])) above.push_back(std::max(0.0, f.response_hz[i] - rest_hz));
  return mean(above);
}

void sum_up(OsrControlFigures& f, const std::vector<Condition>& conditions, const std::vector<std::size_t>& shown,
            double rest_hz) {
  const auto above = [&](auto chosen) { return mean_above_rest(conditions, shown, f, rest_hz, chosen); };
  const auto has = [](const char* key) { return [key](const Condition& c) { return !std::isnan(c.parameter(key)); }; };
  const double train = above([](const Condition& c) { return c.parameter("amplitude") == 1.0; });
  f.train_index = surprise(train, above([](const Condition& c) { return c.parameter("trains_of") == 1.0; }));
  f.aperiodic_index = surprise(train, above(has("last_interval_ms")));
  f.sustained_index = surprise(train, above(has("sustained")));
  std::vector<double> interval, latency;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (has("omitted_after")(conditions[shown[i]]))
      f.mid_train_index = surprise(std::max(0.0, f.response_hz[i] - rest_hz), std::max(0.0, f.ongoing_hz[i] - rest_hz));
    if (!has("last_interval_ms")(conditions[shown[i]]) || f.presence[i] != Presence::present) continue;
    interval.push_back(conditions[shown[i]].parameter("last_interval_ms"));
    latency.push_back(f.latency_ms[i]);
  }
  f.aperiodic_slope = fit_line(interval, latency).slope;
}

}  // namespace

std::vector<Condition> osr_control_conditions(const OsrProbe& published, const Screen& screen, ParameterSet set) {
  OsrProbe probe = published;
  for (int* count : {&probe.flash_frames, &probe.before, &probe.after}) *count = published_frames(*count, screen);
  const int period = apart(usual_period_ms, probe, screen);
  std::vector<Condition> made;
  for (int flashes = 0; flashes <= 10; ++flashes)
    made.push_back(drawn(probe, periodic(flashes, period), {"trains_of", flashes}, set, screen));
  for (const double scale : {0.5, 1.0, 1.5}) {
    OsrProbe scaled = probe;
    scaled.contrast *= scale;
    made.push_back(drawn(scaled, periodic(usual_flashes, period), {"amplitude", scale}, set, screen));
  }
  for (int turn = 0; turn < 5; ++turn) {
    const Train train = aperiodic(turn, probe, screen);
    made.push_back(drawn(probe, train, {"aperiodic", turn + 1}, set, screen));
    const int last = train.onsets[usual_flashes - 1] - train.onsets[usual_flashes - 2];
    made.back().parameters["last_interval_ms"] = last * screen.frame_ms;
  }
  made.push_back(mid_train(probe, set, screen));
  made.push_back(sustained(probe, set, screen));
  return made;
}

OsrControlFigures measure_osr_controls(const std::vector<Condition>& conditions, const CellResponses& responses,
                                       const Screen& screen, double rest_hz, ParameterSet set, double threshold_hz) {
  OsrControlFigures f;
  f.train_index = f.aperiodic_index = f.sustained_index = f.mid_train_index = f.aperiodic_slope = nan;
  const std::vector<std::size_t> shown = select(conditions, responses, Family::osr_control, set);
  for (const std::size_t k : shown) {
    const Condition& train = conditions[k];
    const int omitted = train.event("omitted"), last = train.event("last_flash");
    const Peak peak = find_peak(window(train, responses[k], omitted, train.event("window_end")));
    f.name.push_back(train.name);
    f.presence.push_back(judge(peak, rest_hz, threshold_hz));
    const bool measurable = f.presence.back() == Presence::present;
    f.latency_ms.push_back(measurable ? (peak.frame + omitted - last) * screen.frame_ms : nan);
    f.response_hz.push_back(peak.hz);
    f.ongoing_hz.push_back(ongoing_rate(train, responses[k]));
  }
  sum_up(f, conditions, shown, rest_hz);
  return f;
}

}  // namespace amacrine::stimulus
