// SPDX-License-Identifier: Apache-2.0
// Motion reversal and motion anticipation: vertical bars.
#include "measuring.hpp"

#include <algorithm>

namespace amacrine::stimulus {
namespace {

using namespace measuring;

/// A burst is looked for from 40 ms after the reversal on: before that no response can know of it.
constexpr double burst_from_ms = 40;

void summarise(ReversalFigures& f, bool present_only) {
  const std::vector<Presence> chosen = present_only ? f.presence : std::vector<Presence>(f.presence.size(), Presence::present);
  const std::vector<double> latency = keep_present(f.latency_ms, chosen), burst = keep_present(f.burst_hz, chosen);
  f.latency_mean_ms = mean(latency);
  f.latency_sd_ms = standard_deviation(latency);
  f.burst_min_hz = minimum(burst);
  f.burst_mean_hz = mean(burst);
  f.burst_max_hz = maximum(burst);
  f.ratio = burst.empty() ? nan : f.burst_min_hz / std::max(f.smooth_peak_hz, 1e-9);
  f.ratio_interval = {f.ratio, f.ratio};
  f.sd_interval = {f.latency_sd_ms, f.latency_sd_ms};
  f.surprise_index = mean(keep_present(f.surprise, chosen));
}

/// The smooth control of a reversal: same direction and position.
std::size_t control_of(const std::vector<Condition>& conditions, const std::vector<std::size_t>& controls,
                       const Condition& reversal) {
  for (const std::size_t k : controls) {
    if (conditions[k].parameter("direction") == reversal.parameter("direction") &&
        conditions[k].parameter("position_px") == reversal.parameter("position_px"))
      return k;
  }
  core::fail<core::InputError>("{} has no smooth control among the conditions", reversal.name);
}

/// Where the bar is along its motion at a (broken) frame after onset, px. Constant speed, held at the ends.
double place_along(const Condition& moving, double frame) {
  const double last = static_cast<double>(moving.frames) - moving.event("onset") - 1;
  const double start = moving.parameter("direction") * moving.bar_px[static_cast<std::size_t>(moving.event("onset"))];
  return start + moving.parameter("speed_px_per_frame") * std::clamp(frame, 0.0, last);
}

/// Rate when the bar is `place` px along its motion, between frames by a straight line.
double rate_at(const Condition& moving, std::span<const double> hz, double place) {
  const double frame = (place - place_along(moving, 0)) / moving.parameter("speed_px_per_frame");
  const double held = std::clamp(frame, 0.0, static_cast<double>(hz.size() - 1));
  const auto left = std::min(static_cast<std::size_t>(held), hz.size() - 2);
  const double share = held - static_cast<double>(left);
  return (1 - share) * hz[left] + share * hz[left + 1];
}

AnticipationFigures::Direction measure_moving(const Condition& moving, const std::vector<double>& response, const Screen& screen,
                                              double rest_hz, double threshold_hz) {
  const auto hz = window(moving, response, moving.event("onset"), moving.event("window_end"));
  const Peak peak = find_peak(hz);
  AnticipationFigures::Direction f{};
  f.direction = moving.parameter("direction");
  f.peak_um = place_along(moving, peak.frame) * screen.pixel_um;
  const double centroid = response_centroid(hz);
  f.centroid_um = std::isnan(centroid) ? nan : place_along(moving, centroid) * screen.pixel_um;
  f.peak_hz = peak.hz;
  f.rate_at_centre_hz = rate_at(moving, hz, 0.0);
  f.ahead_um = nan;
  f.presence = judge(peak, rest_hz, threshold_hz);
  return f;
}

/// The profile of peaks over flashed positions, and what sums it up.
void measure_flashes(AnticipationFigures& f, const std::vector<Condition>& conditions, const CellResponses& responses,
                     const std::vector<std::size_t>& shown, const Screen& screen, double rest_hz, double threshold_hz) {
  std::vector<Peak> peaks;
  for (const std::size_t k : shown) {
    const Condition& flash = conditions[k];
    peaks.push_back(find_peak(window(flash, responses[k], flash.event("onset"), flash.event("window_end"))));
    f.flash_position_um.push_back(flash.parameter("position_px") * screen.pixel_um);
    f.flash_hz.push_back(peaks.back().hz);
  }
  const double floor = minimum(f.flash_hz);
  double weight = 0, moment = 0;
  std::size_t top = 0, middle = 0;
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    weight += f.flash_hz[i] - floor;
    moment += (f.flash_hz[i] - floor) * f.flash_position_um[i];
    if (f.flash_hz[i] > f.flash_hz[top]) top = i;
    if (std::abs(f.flash_position_um[i]) < std::abs(f.flash_position_um[middle])) middle = i;
  }
  f.flash_centre_um = weight > 0 ? moment / weight : nan;
  if (peaks.empty()) return;
  f.flash_peak_um = f.flash_position_um[top];
  f.flash_peak_hz = f.flash_hz[top];
  f.flash_time_to_peak_ms = peaks[middle].frame * screen.frame_ms;
  f.flash_presence = judge(peaks[top], rest_hz, threshold_hz);
  std::vector<double> indices;
  for (const auto& direction : f.directions) indices.push_back(surprise(f.flash_hz[middle], direction.rate_at_centre_hz));
  f.surprise_index = mean(indices);
}

/// Whether the directions lead on the whole. A lead in one and as large a lag in the other is a place, not a time: the moving and
/// the flashed bar excite different parts of the field.
bool leads_on_the_whole(const AnticipationFigures& f) {
  std::vector<double> ahead;
  for (const auto& d : f.directions)
    if (!std::isnan(d.ahead_um)) ahead.push_back(d.ahead_um);
  return mean(ahead) >= presence_rules.least_lead_um / 2;
}

}  // namespace

ReversalFigures measure_reversal(const std::vector<Condition>& conditions, const CellResponses& responses, const Screen& screen,
                                 double rest_hz, ParameterSet set, double threshold_hz) {
  ReversalFigures f;
  f.smooth_peak_hz = f.smooth_at_burst_hz = f.before_reversal_hz = nan;
  const std::vector<std::size_t> controls = select(conditions, responses, Family::reversal_smooth, set);
  std::vector<double> smooth_at_burst, before;
  for (const std::size_t k : select(conditions, responses, Family::reversal, set)) {
    const Condition& turning = conditions[k];
    const int delay = static_cast<int>(std::lround(burst_from_ms / screen.frame_ms)), from = turning.event("reversal") + delay;
    const Peak peak = find_peak(window(turning, responses[k], from, turning.event("window_end")));
    const std::size_t control = control_of(conditions, controls, turning);
    const auto smooth = window(conditions[control], responses[control], 0, static_cast<int>(conditions[control].frames));
    f.direction.push_back(turning.parameter("direction"));
    f.position_px.push_back(turning.parameter("position_px"));
    f.latency_ms.push_back((peak.frame + delay) * screen.frame_ms);
    f.burst_hz.push_back(peak.hz);
    f.smooth_hz.push_back(largest(smooth));
    f.surprise.push_back(surprise(peak.hz, f.smooth_hz.back()));
    f.presence.push_back(judge(peak, rest_hz, threshold_hz));
    smooth_at_burst.push_back(smooth[static_cast<std::size_t>(from + std::lround(peak.frame))]);
    before.push_back(largest(window(turning, responses[k], 0, from)));
  }
  f.smooth_peak_hz = maximum(f.smooth_hz);
  f.smooth_at_burst_hz = maximum(smooth_at_burst);
  f.before_reversal_hz = maximum(before);
  summarise(f, false);
  f.overall = judge_sweep(f.presence, 2);
  return f;
}

ReversalFigures reported(ReversalFigures f) {
  for (std::vector<double>* values : {&f.latency_ms, &f.burst_hz, &f.surprise}) blank_absent(*values, f.presence);
  summarise(f, true);
  if (f.overall == Presence::present && !(f.ratio >= presence_rules.least_ratio)) f.overall = Presence::not_above_expected;
  if (f.overall == Presence::present && !(f.latency_sd_ms <= presence_rules.most_reversal_sd_ms)) f.overall = Presence::no_effect;
  if (is_absent(f.overall)) {
    f.ratio_interval = f.sd_interval = {};
    f.latency_mean_ms = f.latency_sd_ms = f.burst_min_hz = f.burst_mean_hz = f.burst_max_hz = nan;
    f.ratio = f.surprise_index = nan;
  }
  return f;
}

AnticipationFigures measure_anticipation(const std::vector<Condition>& conditions, const CellResponses& responses,
                                         const Screen& screen, double rest_hz, ParameterSet set, double threshold_hz) {
  AnticipationFigures f;
  f.flash_centre_um = f.flash_peak_um = f.flash_time_to_peak_ms = f.flash_peak_hz = f.surprise_index = nan;
  for (const std::size_t k : select(conditions, responses, Family::moving_bar, set))
    f.directions.push_back(measure_moving(conditions[k], responses[k], screen, rest_hz, threshold_hz));
  measure_flashes(f, conditions, responses, select(conditions, responses, Family::flashed_bar, set), screen, rest_hz,
                  threshold_hz);
  for (auto& direction : f.directions) {
    direction.ahead_um = direction.direction * f.flash_centre_um - direction.peak_um;
    direction.ahead_interval = {direction.ahead_um, direction.ahead_um};
  }
  if (f.directions.empty() || f.flash_position_um.empty()) return f;
  const auto responds = [](const AnticipationFigures::Direction& d) { return d.presence == Presence::present; };
  const bool any = std::any_of(f.directions.begin(), f.directions.end(), responds);
  f.overall = f.flash_presence != Presence::present ? f.flash_presence : any ? Presence::present : f.directions[0].presence;
  return f;
}

AnticipationFigures reported(AnticipationFigures f) {
  const bool no_profile = f.flash_presence != Presence::present;
  for (auto& d : f.directions) {
    if (d.presence != Presence::present) d.peak_um = d.centroid_um = d.peak_hz = d.rate_at_centre_hz = d.ahead_um = nan;
    if (no_profile) d.ahead_um = nan;
  }
  if (no_profile) f.flash_centre_um = f.flash_peak_um = f.flash_time_to_peak_ms = f.flash_peak_hz = nan;
  bool leads = false;
  const bool on_the_whole = leads_on_the_whole(f);
  for (auto& d : f.directions) {
    d.lead = no_profile ? f.flash_presence : d.presence;
    if (d.lead == Presence::present && !(on_the_whole && d.ahead_um >= presence_rules.least_lead_um))
      d.lead = Presence::no_effect;
    if (is_absent(d.lead)) d.ahead_interval = {};
    leads = leads || d.lead == Presence::present;
  }
  if (f.overall == Presence::present && !leads) f.overall = Presence::no_effect;
  if (is_absent(f.overall)) f.surprise_index = nan;
  return f;
}

}  // namespace amacrine::stimulus
