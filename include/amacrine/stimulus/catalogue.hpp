// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/stimulus/settings.hpp"
#include "amacrine/stimulus/stimulus.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

/// The catalogue of artificial stimuli. A Condition is a stimulus before it is placed on the screen: it is the same for all
/// cells, while bars are drawn relative to a cell's receptive-field centre by render(). Contrast units, frames of
/// Screen::frame_ms.
namespace amacrine::stimulus {

/// The kinds of stimulus; the numbers are those of the flag variable `family` in responses files.
enum class Family : std::int8_t {
  grey = 0,
  osr = 1,              ///< periodic flashes, then one left out
  latency = 2,          ///< a single flash or a step of one contrast
  reversal = 3,         ///< a bar that turns round
  reversal_smooth = 4,  ///< its control: the same bar goes on
  moving_bar = 5,
  flashed_bar = 6,
  step = 7,
  paired_flash = 8,
  contrast_step = 9,
  white_noise = 10,
  osr_control = 11,  ///< what an omitted stimulus response is compared with
};
const std::string& family_name(Family family);

/// The parameter sets; numbers as in the flag variable `parameter_set`. `bright` is `circuits` with every contrast's sign turned.
enum class ParameterSet : std::int8_t { circuits = 0, library = 1, figure = 2, paper = 3, bright = 4 };
const std::string& set_name(ParameterSet set);
ParameterSet set_from_name(const std::string& name);  ///< throws StudyError

/// One stimulus of the catalogue.
///
/// parameters (where they apply): period_ms, contrast, flashes, speed_px_per_frame, width_px, position_px (of the reversal along
/// the motion, or of the flashed bar), direction (+1 rightward, -1 leftward), interval_ms. events (frames, where they apply):
/// onset (first frame that is not grey), last_flash, omitted, reversal, window_end (one past the last frame in which a response
/// to the event is looked for).
struct Condition {
  std::string name;  ///< unique: "osr/period_ms=60"; other sets than "circuits": "osr@paper/period_ms=60"
  Family family = Family::grey;
  ParameterSet set = ParameterSet::circuits;
  Symmetry symmetry = Symmetry::full_field;
  std::map<std::string, double> parameters;
  std::map<std::string, int> events;
  std::size_t frames = 0;
  std::vector<double> level;     ///< (T) full-field contrast; empty for bars and per-pixel noise
  std::vector<double> bar_px;    ///< (T) bar centre relative to the cell's centre, NaN = no bar; empty without bars
  std::uint64_t noise_seed = 0;  ///< per-pixel noise: its key

  double parameter(const std::string& key) const;  ///< NaN where it does not apply
  int event(const std::string& key) const;         ///< -1 where it does not apply
};

/// Draws the condition for a cell whose receptive field is centred at `centre`. Bars are vertical, as high as the screen, with
/// exact coverage of partly covered pixels. Full-field conditions do not depend on `centre`.
Stimulus render(const Condition& condition, const Screen& screen, const Centre& centre);

// Probes are given as published, in frames of 10 ms. On a screen of another frame interval conditions() shows the whole number of
// frames nearest to each duration (at least one; flash periods at least one frame longer than the flash), and bars keep their
// speed over time; `parameters` and names of the conditions hold what is shown. Periods that become one are shown once.

/// Flash trains with an omission.
struct OsrProbe {
  std::vector<double> periods_ms{60, 80, 100, 120, 140};
  double contrast = -2;
  int flashes = 12, flash_frames = 2, before = 60, after = 45;  ///< frames of grey before; frames after the onset that is omitted
  bool aligned_end = false;   ///< last flash at frame 89 of 140, as many flashes as fit before it
  bool repeat_group = false;  ///< the group of flashes comes again after the omission
};
/// Single full-field flashes (or steps that stay on) of several contrasts.
struct LatencyProbe {
  std::vector<double> contrasts{-0.5, -0.75, -1.0, -1.5, -2.0, -2.5, -3.0};
  int flash_frames = 2, before = 45, after = 55;  ///< `after` counts from the onset
};
/// A bar that turns round at several positions, and the control that does not, in both directions.
struct ReversalProbe {
  std::vector<double> positions_px{-3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3};  ///< signed along the first motion
  std::vector<int> directions{1, -1};
  double speed = 0.25, width = 2.0, contrast = -2.5;  ///< px per 10 ms, px
  int reversal_frame = 130, frames = 230;
};
/// A bar that moves through the field in both directions, and the same bar flashed at several places.
struct AnticipationProbe {
  double speed = 0.08, width = 2.4, contrast = -2.0, half_path = 14.0;  ///< px per 10 ms, px, contrast, px
  int before = 40, extra_frames = 40;                                   ///< grey frames first; frames moved on beyond the path
  std::vector<double> flash_positions_px;                               ///< empty: -7 ... 7 in steps of 0.5
  int flash_frames = 2, flash_before = 40, flash_total = 100;
};

/// The named parameter sets. False where a set has no such family (the caller's value is left alone).
bool named_probe(ParameterSet set, OsrProbe& probe);
bool named_probe(ParameterSet set, LatencyProbe& probe);
bool named_probe(ParameterSet set, ReversalProbe& probe);
bool named_probe(ParameterSet set, AnticipationProbe& probe);

std::vector<Condition> conditions(const OsrProbe& probe, const Screen& screen, ParameterSet set = ParameterSet::circuits);
std::vector<Condition> conditions(const LatencyProbe& probe, const Screen& screen, ParameterSet set = ParameterSet::circuits);
/// For each direction and position: the reversal, then its control.
std::vector<Condition> conditions(const ReversalProbe& probe, const Screen& screen, ParameterSet set = ParameterSet::circuits);
/// Both moving bars (rightward first), then the flashed ones from left to right.
std::vector<Condition> conditions(const AnticipationProbe& probe, const Screen& screen,
                                  ParameterSet set = ParameterSet::circuits);
/// Controls of the omitted stimulus response, flashes as in `probe` 100 ms apart: trains of 0 to 10 flashes; of 12 at half, once
/// and one and a half times the contrast; five aperiodic trains of 12 (intervals 60 to 140 ms in another order, the last one 60,
/// 80, 100, 120, 140 ms); an omission after 6 of 12; light that stays on as long as a train of 12.
std::vector<Condition> osr_control_conditions(const OsrProbe& probe, const Screen& screen,
                                              ParameterSet set = ParameterSet::circuits);
/// 2 s of grey: every catalogue has it, first, since responses are compared with the rate at rest.
Condition grey_condition(const Screen& screen = {});
/// Steps of light, pairs of flashes, steps of contrast, white noise: published values only (set "library").
std::vector<Condition> step_conditions(const Screen& screen = {});
std::vector<Condition> paired_flash_conditions(const Screen& screen);
std::vector<Condition> contrast_step_conditions(std::uint64_t seed, const Screen& screen = {});
std::vector<Condition> white_noise_conditions(std::uint64_t seed, const Screen& screen = {});

/// All conditions a study asks for, grey first. Throws StudyError where a family or set is unknown or two names collide.
std::vector<Condition> catalogue(const ProbeSettings& settings, const Screen& screen);

/// Largest departure of a movie from what `symmetry` promises: the largest |value - value of the first pixel of its frame (full
/// field) or of its column (along y)|, over frames, in the movie's own unit. `movie` is (T, Y, X), as the network sees it, that
/// is after normalisation; what counts is the difference from grey, so pass movie minus the normalised grey where those differ
/// per pixel.
double symmetry_deviation(std::span<const float> movie, std::size_t height, std::size_t width, Symmetry symmetry);

}  // namespace amacrine::stimulus
