// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/settings.hpp"
#include "amacrine/model/model.hpp"
#include "amacrine/stimulus/catalogue.hpp"

#include <string>
#include <vector>

namespace amacrine::attribution {

/// A stimulus of the study and which of its frames are attributed.
struct PlannedStimulus {
  stimulus::Condition condition;
  stimulus::Symmetry symmetry = stimulus::Symmetry::none;  ///< as verified on the normalised movie less grey
  int event_frame = -1;                                    ///< what times are counted from
  std::size_t first_frame = 0, windows = 0;
  std::size_t first_window = 0;  ///< on the dimension `window`
  Level level = Level::channel;  ///< the finest that is stored
  std::size_t first_stored = 0;  ///< on the dimension of that level
};

/// A movie: a stimulus placed for cells that share a receptive-field centre (or for all, where the place does not matter).
struct Showing {
  std::size_t stimulus = 0;
  std::vector<int> cells;  ///< indices on the result's cell axis
  stimulus::Centre centre;
};

/// What is computed together: windows [first, first + windows) of a showing's stimulus. Tasks are numbered globally; their
/// results do not depend on which rank computes them.
struct Task {
  std::size_t showing = 0, first = 0, windows = 0;
};

struct Plan {
  stimulus::Screen screen;
  std::vector<int> cells;  ///< the model's cells that are attributed
  std::vector<PlannedStimulus> stimuli;
  std::vector<Showing> showings;
  std::vector<Task> tasks;
  std::size_t windows = 0;
  std::size_t stored[4] = {0, 0, 0, 0};  ///< windows stored at each Level; all of them at the channel level
  std::size_t rows() const { return windows * cells.size(); }
};

/// Chooses stimuli, frames, levels and tasks. `catalogue`: every condition of the study. Throws StudyError where the study names
/// stimuli or cells that are not there, or a window without frames.
Plan make_plan(const AttributionSettings& settings, const std::vector<stimulus::Condition>& catalogue, const model::Model& model);

}  // namespace amacrine::attribution
