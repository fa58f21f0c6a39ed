// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/stimulus/catalogue.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Figures of the four phenomena, measured from responses only: no matter whether they are a network's, a circuit's or recorded.
namespace amacrine::stimulus {

/// Smallest mean surprise index (d - e) / (d + e) of an omitted-stimulus response or a reversal burst: a tenth above the response
/// to the matched expected event.
inline constexpr double least_surprise = 0.05;

/// Whether a response is there to be measured. Positive means present; the numbers are those of the flag variables.
enum class Presence : std::int8_t {
  not_measured = 0,         ///< its stimuli were not shown
  present = 1,              ///< stands at least the threshold above rest, peak inside the measuring window
  too_weak = -1,            ///< never the threshold above rest: absent
  on_edge = -2,             ///< the largest rate is on the edge of the measuring window: absent
  too_few = -3,             ///< too few conditions of the sweep have a response: absent
  not_above_expected = -4,  ///< measurable, but hardly larger than the response to the matched expected event
  no_effect = -5,           ///< measurable, but without what makes the phenomenon: latency does not fall with contrast, or the
                            ///< moving bar's response does not lead (reported figures only)
};
const std::string& presence_name(Presence presence);
/// Whether there is no response to be measured.
inline bool is_absent(Presence presence) {
  return presence != Presence::present && presence != Presence::not_above_expected && presence != Presence::no_effect;
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
  double max_deviation_ms;       ///< largest distance of a latency from that line
  double min_ratio;              ///< smallest osr_hz / ongoing_hz
  double surprise_index;         ///< mean over periods of (osr - ongoing) / (osr + ongoing)
  Presence overall = Presence::not_measured;
};

/// Latency coding; vectors run over contrasts in the order of the catalogue. Latencies from flash onset.
struct LatencyFigures {
  std::vector<double> contrast, latency_ms, centroid_ms, peak_hz;
  std::vector<Presence> presence;
  double total_shift_ms;  ///< latency at the first contrast minus that at the last
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
    Presence presence = Presence::not_measured;
  };
  std::vector<Direction> directions;
  std::vector<double> flash_position_um, flash_hz;  ///< profile of peaks
  double flash_centre_um, flash_peak_um, flash_time_to_peak_ms, flash_peak_hz;
  Presence flash_presence = Presence::not_measured;
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
/// Rate at rest: mean of the second half of the response to "grey". Throws InputError where it was not shown.
double rest_rate(const std::vector<Condition>& conditions, const CellResponses& responses);

/// What may be reported: figures of absent responses become NaN, and summaries (slopes, means) are taken over the present ones.
OsrFigures reported(OsrFigures figures);
LatencyFigures reported(LatencyFigures figures);
ReversalFigures reported(ReversalFigures figures);
AnticipationFigures reported(AnticipationFigures figures);

/// All four for one cell and one parameter set, as reported.
struct PhenomenonFigures {
  double rest_hz = 0;
  OsrFigures osr;
  LatencyFigures latency;
  ReversalFigures reversal;
  AnticipationFigures anticipation;
};
PhenomenonFigures measure_phenomena(const std::vector<Condition>& conditions, const CellResponses& responses,
                                    const Screen& screen, ParameterSet set = ParameterSet::circuits, double threshold_hz = 3.0);

/// (deviation - expected) / (deviation + expected), rates in Hz: 1 = only the deviation is answered, 0 = both alike. NaN where
/// both are 0.
double surprise(double deviation_hz, double expected_hz);

}  // namespace amacrine::stimulus
