// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/plan.hpp"
#include "amacrine/lesion/curves.hpp"
#include "amacrine/lesion/settings.hpp"

#include <string>
#include <vector>

namespace amacrine::lesion {

/// First-layer units that are removed together: a channel's, or those of some of its columns, or of one sign of gain.
struct UnitGroup {
  int channel = 0;
  int column_first = -1, column_last = -1;  ///< both inclusive; -1: all
  int gain_sign = 0;                        ///< 1 or -1: units with such a gain alone; 0: all
};

/// The conditions whose windows are taken together: those of one phenomenon and parameter set (reduction::stimulus_of).
struct LesionStimulus {
  std::string name;
  std::vector<std::size_t> conditions;  ///< on the axis of the plan's stimuli
  std::size_t windows = 0;
};

/// Pathways by cell (of the plan) and stimulus. Empty: none are known.
using PathwayGroups = std::vector<std::vector<std::vector<UnitGroup>>>;

/// What is lesioned: the windows that an attribution of the catalogue takes, in groups.
struct LesionPlan {
  attribution::Plan windows;
  std::vector<LesionStimulus> stimuli;
  std::vector<Size> sizes;
  PathwayGroups pathways;
  std::size_t pathway_slots = 0;  ///< the most of a cell and stimulus

  std::size_t cells() const { return windows.cells.size(); }
  std::size_t tasks() const { return cells() * stimuli.size(); }
  /// Frames of the longest condition.
  std::size_t most_frames() const;
};

/// The attribution settings of a study as lesions use them: the catalogue, unit by unit, attributions alone.
attribution::AttributionSettings unit_settings(attribution::AttributionSettings settings);

/// Throws as attribution::make_plan does.
LesionPlan make_lesion_plan(const attribution::AttributionSettings& settings, const std::vector<stimulus::Condition>& catalogue,
                            const model::Model& model);

/// Reads the pathways of a reduction file for the plan's cells and stimuli; of those that the file lacks none. `rest` (cells):
/// F[s0] of the plan's cells in Hz. Throws InputError where the file's cells rest at other rates: it is then of another model.
PathwayGroups read_pathways_of(const std::string& path, const LesionPlan& plan, const std::vector<std::string>& cells,
                               const std::vector<double>& rest);

}  // namespace amacrine::lesion
