// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"

#include <string>
#include <vector>

namespace amacrine::attribution {

/// How the integral along the path is approximated (design.md 5.7).
enum class Rule {
  right,      ///< gradient at the right end of each panel times the layer difference (the lab's loop)
  midpoint,   ///< gradient at the middle of each panel
  trapezoid,  ///< gradient at the panels' ends, the path's two ends with half weight
  secant,     ///< slopes of ReLU and softplus across each panel: no completeness residual, second order
};
enum class Target { after_softplus, before_softplus };
enum class Baseline { grey, mean, given };
/// How finely attributions are stored.
enum class Level { channel, position, unit, pixel };

const char* to_string(Rule rule);
const char* to_string(Target target);
const char* to_string(Level level);

/// The [attribution] table; docs/study/attribution.md says what each key means.
struct AttributionSettings {
  std::vector<std::string> subjects{"network", "circuit"};
  std::vector<std::string> stimuli{"osr", "latency", "reversal", "moving_bar"};  ///< families or conditions of the catalogue
  std::vector<std::string> cells;                                                ///< names; empty: all
  Rule rule = Rule::secant;
  int panels = 20;
  bool weights = true;  ///< G and D too; without them channels can go by forward tangents
  Target target = Target::after_softplus;
  Baseline baseline = Baseline::grey;
  double baseline_contrast = 0.0;            ///< of a given baseline: one contrast everywhere
  double before_ms = 0.0, after_ms = 400.0;  ///< frames attributed, around the reference event of a flash or a reversal
  double bar_range_px = 8.0;                 ///< moving bars: frames with the bar within this distance of the cell's centre
  std::string levels = "symmetry";           ///< "symmetry" or a level asked for all stimuli
  double tolerance = 0.0;                    ///< row error asked for; 0: `panels` panels, no refinement
  int max_panels = 640;                      ///< where refinement stops
  int block_windows = 16;                    ///< windows of a task
};

/// Reads and checks the [attribution] table. Throws core::StudyError.
AttributionSettings read_attribution(core::Study& study);

}  // namespace amacrine::attribution
