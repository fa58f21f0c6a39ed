// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/stimulus/catalogue.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

/// Figures of the four phenomena, measured from responses only: no matter whether they are a network's, a circuit's or recorded.
namespace amacrine::stimulus {

/// What a response must show, beyond being measurable, for its phenomenon to be present (docs/results/responses.md).
struct PresenceRules {
  double least_ratio = 1.5;  ///< of an omitted-stimulus response or a reversal burst to the matched expected response
  double least_slope = 0.5, most_slope = 1.5;  ///< of the omitted-stimulus response's latency against the period, and that slope
                                               ///< with any one period left out
  double least_slope_bound = 0.25, most_slope_bound = 1.75;  ///< its interval over trials lies within
  std::size_t least_periods = 3;                             ///< with a response above the ongoing one
  double least_shift_ms = 10;                                ///< by which latency falls from the weakest to the strongest flash
  double least_centroid_shift_ms = 5;
  double most_step_up_ms = 2.5;         ///< no step towards stronger flashes may raise the latency by more (noiseless responses)
  double longest_frame_ms = 10;         ///< where frames are longer, these three grow with them: peaks lie between frames
  double least_rank_correlation = 0.6;  ///< Kendall's, between strength and shortness of latency (noisy responses)
  double most_reversal_sd_ms = 15;      ///< of the burst's latency over positions
  double least_lead_um = 40;            ///< of the moving bar's response before the flashed profile's centre
  double least_lead_bound_um = 27.5;    ///< its interval over trials lies above
  double least_support = 0.8;           ///< part of the resampled sets of trials in which all that holds (noisy responses)
  double trial_smoothing_ms = 15;       ///< sd of the Gaussian by which responses from trials are smoothed before peaks are taken
};
inline constexpr PresenceRules presence_rules{};

/// A value's range: 2.5th to 97.5th percentile over resampled trials, or for noiseless responses what a figure says there.
struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();
};

/// Whether a response is there to be measured. Positive means present; the numbers are those of the flag variables.
enum class Presence : std::int8_t {
  not_measured = 0,         ///< its stimuli were not shown
  present = 1,              ///< stands at least the threshold above rest, peak inside the measuring window
  too_weak = -1,            ///< never the threshold above rest: absent
  on_edge = -2,             ///< the largest rate is on the edge of the measuring window: absent
  too_few = -3,             ///< too few conditions of the sweep have a response: absent
  not_above_expected = -4,  ///< measurable, but hardly larger than the response to the matched expected event
  no_effect = -5,           ///< measurable, but without what makes the phenomenon: the omitted response's latency does not follow
                            ///< the period, latency does not fall with contrast, the burst has no fixed latency, or the moving
                            ///< bar's response leads in no direction (reported figures only)
  uncertain = -6,           ///< shown by the mean response, but not by enough of the resampled sets of trials
};
const std::string& presence_name(Presence presence);
/// Whether there is no response to be measured.
inline bool is_absent(Presence presence) {
  return presence != Presence::present && presence != Presence::not_above_expected && presence != Presence::no_effect &&
         presence != Presence::uncertain;
}

/// The largest value of a response with the place of the parabola through it and its neighbours (frames; the height is the
/// sample's).
struct Peak {
  double frame = 0, hz = 0;
  bool on_edge = true;
};
Peak find_peak(std::span<const double> hz);
/// Centre of mass of the part above half the largest rate, in frames. NaN where the response is zero throughout.
double response_centroid(std::span<const double> hz);

/// Responses of ONE cell to the conditions of a catalogue: hz[k] belongs to conditions[k], one rate per frame.
using CellResponses = std::vector<std::vector<double>>;

/// Omitted stimulus response; vectors run over periods. Latencies from the onset of the last flash.
struct OsrFigures {
  std::vector<double> period_ms, latency_ms, centroid_ms, latency_from_omitted_ms;
  std::vector<double> osr_hz, ongoing_hz;  ///< largest rate from the omission on; in the last three cycles before it
  std::vector<double> surprise;            ///< per period, see surprise_index
  std::vector<Presence> presence;
  double slope, slope_centroid;  ///< ms of latency per ms of period, least squares
  Interval slope_interval;       ///< noiseless: smallest and largest slope with any one period left out
  Interval ratio_interval;       ///< of min_ratio
  double support = std::numeric_limits<double>::quiet_NaN();  ///< part of resampled sets of trials that show it
  double max_deviation_ms;                                    ///< largest distance of a latency from that line
  double min_ratio;                                           ///< smallest osr_hz / ongoing_hz
  double surprise_index;                                      ///< mean over periods of (osr - ongoing) / (osr + ongoing)
  Presence overall = Presence::not_measured;
};

/// Controls of the omitted stimulus response; vectors run over the conditions of family osr_control, in the order of the
/// catalogue.
struct OsrControlFigures {
  std::vector<std::string> name;                            ///< of the condition
  std::vector<double> latency_ms, response_hz, ongoing_hz;  ///< as in OsrFigures
  std::vector<Presence> presence;                           ///< of a response after the omission, or what takes its place
  /// (a - b) / (a + b), a after the omission that ends the train of 12 flashes, b after one flash; after aperiodic trains (mean);
  /// after light that stays on as long as the train. Rates above rest. 1: only the train's omission is answered; NaN: nothing is.
  double train_index, aperiodic_index, sustained_index;
  double mid_train_index;  ///< a after an omission within the train, b the ongoing response before it
  double aperiodic_slope;  ///< ms of latency per ms of the last interval of aperiodic trains
};

/// Latency coding; vectors run over contrasts in the order of the catalogue. Latencies from flash onset.
struct LatencyFigures {
  std::vector<double> contrast, latency_ms, centroid_ms, peak_hz;
  std::vector<Presence> presence;
  double total_shift_ms;  ///< latency at the first contrast minus that at the last
  Interval shift_interval;
  double centroid_shift_ms;
  double frame_ms = 10;  ///< of the responses: what is between two frames is no more than an estimate
  double support = std::numeric_limits<double>::quiet_NaN();
  int monotonic;          ///< 1: falls from each contrast to the next; 0: does not; -1: not measured
  double surprise_index;  ///< (a - b) / (a + b): a, the peak for an isolated flash; b, for the same flash expected within a train
  Presence overall = Presence::not_measured;
};

/// Motion reversal; vectors run over (direction, position) in the order of the catalogue. Latencies from the reversal.
struct ReversalFigures {
  std::vector<double> direction, position_px, latency_ms, burst_hz;
  std::vector<double> smooth_hz;  ///< largest rate anywhere in the matched smooth control
  std::vector<double> surprise;
  std::vector<Presence> presence;
  double latency_mean_ms, latency_sd_ms;
  Interval sd_interval, ratio_interval;  ///< of latency_sd_ms and of ratio
  double support = std::numeric_limits<double>::quiet_NaN();
  double burst_min_hz, burst_mean_hz, burst_max_hz;
  double smooth_peak_hz, smooth_at_burst_hz, before_reversal_hz;  ///< largest over conditions
  double ratio;                                                   ///< smallest burst / largest smooth rate
  double surprise_index;                                          ///< mean over conditions of (burst - smooth) / (burst + smooth)
  Presence overall = Presence::not_measured;
};

/// Motion anticipation. Positions are signed along the motion: negative = before the receptive-field centre.
struct AnticipationFigures {
  struct Direction {
    double direction;  ///< +1 rightward, -1 leftward
    double peak_um, centroid_um, peak_hz, rate_at_centre_hz;
    double ahead_um;  ///< of the centre of the flashed profile, positive = the moving bar's response leads
    Interval ahead_interval;
    Presence presence = Presence::not_measured;  ///< of the response to the moving bar
    Presence lead = Presence::not_measured;      ///< of a lead in this direction (reported figures only)
  };
  std::vector<Direction> directions;
  std::vector<double> flash_position_um, flash_hz;  ///< profile of peaks
  double flash_centre_um, flash_peak_um, flash_time_to_peak_ms, flash_peak_hz;
  Presence flash_presence = Presence::not_measured;
  double support = std::numeric_limits<double>::quiet_NaN();
  double surprise_index;  ///< (a - b) / (a + b): a, peak for the bar flashed at the centre; b, rate when the moving bar is there
  Presence overall = Presence::not_measured;
};

/// Each measures the conditions of its families and `set` among `conditions`. Raw: figures are numbers even where a response is
/// absent (presence says so). `rest_hz` is the cell's rate on grey. Without such conditions, overall = not_measured, figures NaN.
OsrFigures measure_osr(const std::vector<Condition>& conditions, const CellResponses& responses, const Screen& screen,
                       double rest_hz, ParameterSet set = ParameterSet::circuits, double threshold_hz = 3.0);
LatencyFigures measure_latency(const std::vector<Condition>& conditions, const CellResponses& responses, const Screen& screen,
                               double rest_hz, ParameterSet set = ParameterSet::circuits, double threshold_hz = 3.0);
ReversalFigures measure_reversal(const std::vector<Condition>& conditions, const CellResponses& responses, const Screen& screen,
                                 double rest_hz, ParameterSet set = ParameterSet::circuits, double threshold_hz = 3.0);
AnticipationFigures measure_anticipation(const std::vector<Condition>& conditions, const CellResponses& responses,
                                         const Screen& screen, double rest_hz, ParameterSet set = ParameterSet::circuits,
                                         double threshold_hz = 3.0);
OsrControlFigures measure_osr_controls(const std::vector<Condition>& conditions, const CellResponses& responses,
                                       const Screen& screen, double rest_hz, ParameterSet set = ParameterSet::circuits,
                                       double threshold_hz = 3.0);
/// Rate at rest: mean of the second half of the response to "grey". Throws InputError where it was not shown.
double rest_rate(const std::vector<Condition>& conditions, const CellResponses& responses);

/// What may be reported: figures of absent responses become NaN, summaries (slopes, means) are taken over the present ones, and
/// the phenomenon is present only where presence_rules hold. `noisy` responses are averages over trials: their latencies need
/// fall with contrast in rank only, and the interval of a slope is that over trials.
OsrFigures reported(OsrFigures figures, bool noisy = false);
LatencyFigures reported(LatencyFigures figures, bool noisy = false);
ReversalFigures reported(ReversalFigures figures);
AnticipationFigures reported(AnticipationFigures figures);

/// All four and the controls for one cell and one parameter set, as reported.
struct PhenomenonFigures {
  double rest_hz = 0;
  OsrFigures osr;
  OsrControlFigures osr_controls;
  LatencyFigures latency;
  ReversalFigures reversal;
  AnticipationFigures anticipation;
};
PhenomenonFigures measure_phenomena(const std::vector<Condition>& conditions, const CellResponses& responses,
                                    const Screen& screen, ParameterSet set = ParameterSet::circuits, double threshold_hz = 3.0,
                                    bool noisy = false);
/// measure_phenomena() of trials: `groups` are the means of equal, disjoint groups of the trials whose mean over all is
/// `responses`. Intervals are percentiles over `resamples` draws of as many groups with replacement (keyed by `seed`); a
/// phenomenon that too few of them show is uncertain. All are smoothed by presence_rules.trial_smoothing_ms first: the largest of
/// many noisy frames is no peak. Throws InputError for fewer than two groups.
PhenomenonFigures measure_trials(const std::vector<Condition>& conditions, const CellResponses& responses,
                                 const std::vector<CellResponses>& groups, const Screen& screen,
                                 ParameterSet set = ParameterSet::circuits, double threshold_hz = 3.0, int resamples = 200,
                                 std::uint64_t seed = 1);

/// (deviation - expected) / (deviation + expected), rates in Hz: 1 = only the deviation is answered, 0 = both alike. NaN where
/// both are 0.
double surprise(double deviation_hz, double expected_hz);

}  // namespace amacrine::stimulus
