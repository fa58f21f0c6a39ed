// SPDX-License-Identifier: Apache-2.0
// Omitted stimulus response and latency coding: full-field flashes.
#include "measuring.hpp"

#include <algorithm>

namespace amacrine::stimulus {
namespace {

using namespace measuring;

/// Smallest and largest slope with any one point left out; NaN where fewer than two would remain.
Interval leave_one_out(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> slopes;
  for (std::size_t left = 0; left < x.size() && x.size() >= 3; ++left) {
    std::vector<double> u = x, v = y;
    u.erase(u.begin() + static_cast<std::ptrdiff_t>(left));
    v.erase(v.begin() + static_cast<std::ptrdiff_t>(left));
    slopes.push_back(fit_line(u, v).slope);
  }
  return {minimum(slopes), maximum(slopes)};
}

void summarise(OsrFigures& f, bool present_only) {
  const std::vector<Presence> chosen = present_only ? f.presence : std::vector<Presence>(f.presence.size(), Presence::present);
  const auto take = [&chosen](const std::vector<double>& values) { return keep_present(values, chosen); };
  const std::vector<double> period = take(f.period_ms), latency = take(f.latency_ms);
  const std::vector<double> osr = take(f.osr_hz), ongoing = take(f.ongoing_hz);
  const Line line = fit_line(period, latency);
  f.slope = line.slope;
  f.slope_interval = leave_one_out(period, latency);
  f.slope_centroid = fit_line(period, take(f.centroid_ms)).slope;
  std::vector<double> deviation, ratio;
  for (std::size_t i = 0; i < period.size(); ++i) {
    deviation.push_back(std::abs(latency[i] - line.intercept - line.slope * period[i]));
    ratio.push_back(osr[i] / std::max(ongoing[i], 1e-9));
  }
  f.max_deviation_ms = std::isnan(line.slope) ? nan : maximum(deviation);
  f.min_ratio = minimum(ratio);
  f.ratio_interval = {f.min_ratio, f.min_ratio};
  f.surprise_index = mean(take(f.surprise));
}

void summarise(LatencyFigures& f, bool present_only) {
  const std::vector<Presence> chosen = present_only ? f.presence : std::vector<Presence>(f.presence.size(), Presence::present);
  const std::vector<double> latency = keep_present(f.latency_ms, chosen);
  f.total_shift_ms = latency.size() < 2 ? nan : latency.front() - latency.back();
  f.shift_interval = {f.total_shift_ms, f.total_shift_ms};
  const std::vector<double> centroid = keep_present(f.centroid_ms, chosen);
  f.centroid_shift_ms = centroid.size() < 2 ? nan : centroid.front() - centroid.back();
  f.monotonic = latency.size() < 2 ? -1 : 1;
  for (std::size_t i = 1; i < latency.size(); ++i)
    if (!(latency[i] < latency[i - 1])) f.monotonic = 0;
}

/// What an omitted-stimulus response lacks to be one: it stands above the ongoing response wherever there is one, in enough
/// periods, and its latency
/// follows the period.
Presence judge_omission(const OsrFigures& f, bool noisy) {
  const PresenceRules& rules = presence_rules;
  std::size_t above = 0;
  for (std::size_t i = 0; i < f.presence.size(); ++i)
    above += f.presence[i] == Presence::present && f.osr_hz[i] >= rules.least_ratio * f.ongoing_hz[i] ? 1 : 0;
  if (above < rules.least_periods || 2 * above < f.presence.size() || !(f.min_ratio >= rules.least_ratio))
    return Presence::not_above_expected;
  const bool follows = f.slope >= rules.least_slope && f.slope <= rules.most_slope;
  const bool surely = noisy || (f.slope_interval.low >= rules.least_slope && f.slope_interval.high <= rules.most_slope);
  return follows && surely ? Presence::present : Presence::no_effect;
}

/// Whether latencies fall with contrast: by enough, as peaks and as centroids, and at every step (in rank, where noisy).
bool latency_falls(const LatencyFigures& f, bool noisy) {
  const PresenceRules& rules = presence_rules;
  const double coarse = std::max(1.0, f.frame_ms / rules.longest_frame_ms);
  if (!(f.total_shift_ms >= coarse * rules.least_shift_ms && f.centroid_shift_ms >= coarse * rules.least_centroid_shift_ms))
    return false;
  const std::vector<double> latency = keep_present(f.latency_ms, f.presence);
  if (noisy) return rank_correlation(latency) <= -rules.least_rank_correlation;
  for (std::size_t i = 1; i < latency.size(); ++i)
    if (!(latency[i] <= latency[i - 1] + coarse * rules.most_step_up_ms)) return false;
  return true;
}

/// The isolated flash against the same flash within a train (period nearest 100 ms); NaN where no train has such flashes.
double isolated_against_expected(const std::vector<Condition>& conditions, const CellResponses& responses,
                                 const LatencyFigures& figures, const std::vector<std::size_t>& shown, ParameterSet set) {
  constexpr double usual_period_ms = 100;
  double distance = std::numeric_limits<double>::infinity(), index = nan;
  for (const std::size_t k : select(conditions, responses, Family::osr, set)) {
    const Condition& train = conditions[k];
    const double off = std::abs(train.parameter("period_ms") - usual_period_ms);
    if (off >= distance) continue;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const Condition& flash = conditions[shown[i]];
      const bool same = std::abs(flash.parameter("contrast") - train.parameter("contrast")) < 1e-9 &&
                        std::abs(flash.parameter("flash_ms") - train.parameter("flash_ms")) < 1e-9;
      if (!same) continue;
      distance = off;
      index = surprise(figures.peak_hz[i], ongoing_rate(train, responses[k]));
    }
  }
  return index;
}

}  // namespace

OsrFigures measure_osr(const std::vector<Condition>& conditions, const CellResponses& responses, const Screen& screen,
                       double rest_hz, ParameterSet set, double threshold_hz) {
  OsrFigures f;
  for (const std::size_t k : select(conditions, responses, Family::osr, set)) {
    const Condition& train = conditions[k];
    const int omitted = train.event("omitted"), cycle = omitted - train.event("last_flash");
    const auto hz = window(train, responses[k], omitted, train.event("window_end"));
    const Peak peak = find_peak(hz);
    f.period_ms.push_back(train.parameter("period_ms"));
    f.latency_from_omitted_ms.push_back(peak.frame * screen.frame_ms);
    f.latency_ms.push_back((peak.frame + cycle) * screen.frame_ms);
    f.centroid_ms.push_back((response_centroid(hz) + cycle) * screen.frame_ms);
    f.osr_hz.push_back(peak.hz);
    f.ongoing_hz.push_back(ongoing_rate(train, responses[k]));
    f.surprise.push_back(surprise(f.osr_hz.back(), f.ongoing_hz.back()));
    f.presence.push_back(judge(peak, rest_hz, threshold_hz));
  }
  summarise(f, false);
  f.overall = judge_sweep(f.presence, presence_rules.least_periods);
  return f;
}

OsrFigures reported(OsrFigures f, bool noisy) {
  for (std::vector<double>* values :
       {&f.latency_ms, &f.centroid_ms, &f.latency_from_omitted_ms, &f.osr_hz, &f.ongoing_hz, &f.surprise})
    blank_absent(*values, f.presence);
  summarise(f, true);
  if (f.overall == Presence::present) f.overall = judge_omission(f, noisy);
  if (!is_absent(f.overall)) return f;
  f.slope = f.slope_centroid = f.max_deviation_ms = f.min_ratio = f.surprise_index = nan;
  f.slope_interval = f.ratio_interval = {};
  return f;
}

LatencyFigures measure_latency(const std::vector<Condition>& conditions, const CellResponses& responses, const Screen& screen,
                               double rest_hz, ParameterSet set, double threshold_hz) {
  LatencyFigures f;
  f.frame_ms = screen.frame_ms;
  const std::vector<std::size_t> shown = select(conditions, responses, Family::latency, set);
  for (const std::size_t k : shown) {
    const Condition& flash = conditions[k];
    const auto hz = window(flash, responses[k], flash.event("onset"), flash.event("window_end"));
    const Peak peak = find_peak(hz);
    f.contrast.push_back(flash.parameter("contrast"));
    f.latency_ms.push_back(peak.frame * screen.frame_ms);
    f.centroid_ms.push_back(response_centroid(hz) * screen.frame_ms);
    f.peak_hz.push_back(peak.hz);
    f.presence.push_back(judge(peak, rest_hz, threshold_hz));
  }
  summarise(f, false);
  f.surprise_index = isolated_against_expected(conditions, responses, f, shown, set);
  f.overall = judge_sweep(f.presence, 2);
  return f;
}

LatencyFigures reported(LatencyFigures f, bool noisy) {
  for (std::vector<double>* values : {&f.latency_ms, &f.centroid_ms, &f.peak_hz}) blank_absent(*values, f.presence);
  summarise(f, true);
  if (f.overall == Presence::present && !latency_falls(f, noisy)) f.overall = Presence::no_effect;
  if (!is_absent(f.overall)) return f;
  f.total_shift_ms = f.centroid_shift_ms = f.surprise_index = nan;
  f.shift_interval = {};
  f.monotonic = -1;
  return f;
}

}  // namespace amacrine::stimulus
