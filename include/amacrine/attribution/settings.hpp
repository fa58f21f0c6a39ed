// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"

#include <string>
#include <vector>

namespace amacrine::attribution {

/// How the integral along the path is approximated (docs/attribution.md).
enum class Rule {
  right,      ///< gradient at the right end of each panel times the layer difference (the lab's loop)
  midpoint,   ///< gradient at the middle of each panel
  trapezoid,  ///< gradient at the panels' ends, the path's two ends with half weight
  secant,     ///< slopes of ReLU and softplus across each panel: no completeness residual, second order
};
enum class Target { after_softplus, before_softplus };
enum class Baseline { grey, mean, given };
/// How finely attributions are stored: of the first layer, of the stimulus, or of the second layer.
enum class Level { channel, position, unit, pixel, channel2, unit2 };
inline constexpr int level_count = 6;
constexpr bool of_second_layer(Level level) { return level == Level::channel2 || level == Level::unit2; }
/// of_second_layer of a level's word in a study.
inline bool of_second_layer(const std::string& level) { return level == "channel2" || level == "unit2"; }

/// Where the attributed stimuli come from.
enum class Source { catalogue, recording, file };
/// What is stored of the levels finer than channels, of either layer.
enum class Storage { full, top };

const char* to_string(Source source);
const char* to_string(Rule rule);
const char* to_string(Target target);
const char* to_string(Level level);

/// The figures a level can hold, by the names of their variables: A, G, D, W*(s - s0) and h(s) - h(s0).
const std::vector<std::string>& quantity_words();

/// The movie of a file: `dataset` (T, Y, X) in pixel values, contrast = (value - zero) / unit.
struct MovieSettings {
  std::string file, dataset = "stimulus";
  double zero = 0.0, unit = 1.0;
};

/// A baseline that is a frame of a file: frame `index` of `dataset` (T, Y, X) in pixel values, contrast = (value - zero) / unit.
struct BaselineFrame {
  std::string file, dataset = "stimulus";
  std::size_t index = 0;
  double zero = 0.0, unit = 1.0;
  std::vector<double> contrast;  ///< (Y X), once it is read (with_baseline); empty: none
};

/// Which frames of a recording or of a movie are attributed.
struct FrameSettings {
  std::string part = "test";        ///< of a recording: "test" or "train"
  double from_s = 0.0, to_s = 0.0;  ///< [from, to); to = 0: to the end
  int every = 1;                    ///< every n-th frame
  std::vector<double> times_s;      ///< these frames instead; rising
};

/// The [attribution] table; docs/study/attribution.md says what each key means.
struct AttributionSettings {
  std::vector<std::string> subjects{"network", "circuit"};
  std::vector<std::string> stimuli{"osr", "latency", "reversal", "moving_bar"};  ///< families or conditions of the catalogue
  std::vector<std::string> cells;                                                ///< names; empty: all
  Source source = Source::catalogue;
  FrameSettings frames;  ///< of a recording or a file
  MovieSettings movie;   ///< of source = file
  Rule rule = Rule::secant;
  int panels = 20;
  Target target = Target::after_softplus;
  Baseline baseline = Baseline::grey;
  double baseline_contrast = 0.0;            ///< of a given baseline: one contrast everywhere, or
  BaselineFrame baseline_frame;              ///< a frame of a file
  double before_ms = 0.0, after_ms = 400.0;  ///< frames attributed, around the reference event of a flash or a reversal
  double bar_range_px = 8.0;                 ///< moving bars: frames with the bar within this distance of the cell's centre
  std::string levels = "symmetry";           ///< "symmetry" or a level asked for all stimuli
  double tolerance = 0.0;                    ///< row error asked for; 0: `panels` panels, no refinement
  int max_panels = 640;                      ///< where refinement stops
  int block_windows = 16;                    ///< windows of a task
  std::vector<std::string> quantities = quantity_words();
  bool weights = true;  ///< whether G or D is among the quantities
  Storage storage = Storage::full;
  int top = 64;                    ///< units of either layer, columns or pixels kept of a row with storage = top
  double largest_file_gb = 100.0;  ///< a larger file is refused

  bool wants(const std::string& quantity) const;
};

/// Reads and checks the [attribution] table. Throws core::StudyError.
AttributionSettings read_attribution(core::Study& study);

}  // namespace amacrine::attribution
