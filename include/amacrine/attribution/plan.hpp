// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/settings.hpp"
#include "amacrine/core/array.hpp"
#include "amacrine/model/model.hpp"
#include "amacrine/stimulus/catalogue.hpp"

#include <functional>
#include <string>
#include <vector>

namespace amacrine::attribution {

/// A movie too long to hold, read piece by piece.
struct Movie {
  std::string name;        ///< of the stimulus: "recording/test"
  std::size_t frames = 0;  ///< 0: no movie
  /// Contrast of frames [first, first + count): (count, Y, X). Local.
  std::function<core::Array<float, 3>(std::size_t first, std::size_t count)> contrast;
};

/// A stimulus of the study and which of its frames are attributed.
struct PlannedStimulus {
  stimulus::Condition condition;                           ///< of a movie: only its name and length
  stimulus::Symmetry symmetry = stimulus::Symmetry::none;  ///< as verified on the normalised movie less grey
  int event_frame = -1;                                    ///< what times are counted from
  std::size_t first_frame = 0, windows = 0;
  std::size_t every = 1;            ///< frames from one window to the next
  std::vector<std::size_t> listed;  ///< the frames themselves, where the study names single ones
  std::size_t first_window = 0;     ///< on the dimension `window`
  Level level = Level::channel;     ///< the finest that is stored
  std::size_t first_stored = 0;     ///< on the dimension of that level
  Movie movie;                      ///< of a recording or a file
  /// The frame of window w, counted from the stimulus's first.
  std::size_t frame(std::size_t w) const { return listed.empty() ? first_frame + w * every : listed[w]; }
  /// Whether every window follows the one before it by a frame.
  bool successive() const { return listed.empty() && every == 1; }
};

/// A movie: a stimulus placed for cells that share a receptive-field centre (or for all, where the place does not matter).
struct Showing {
  std::size_t stimulus = 0;
  std::vector<int> cells;  ///< indices on the result's cell axis
  stimulus::Centre centre;
  std::size_t first_task = 0;  ///< the same for all showings of a stimulus, which follow one another
  /// A contrast series that is computed as one ray: its stimuli, weakest first, `stimulus` the last. Empty: that stimulus alone.
  std::vector<std::size_t> ray;
};

/// What one rank computes: windows [first, first + windows) of all showings of a stimulus, so that its rows of all cells lie in
/// one piece of the file. Tasks are numbered globally; their results do not depend on which rank computes them.
struct Task {
  std::size_t showing = 0, showings = 1;  ///< the first, and how many
  std::size_t first = 0, windows = 0;
};

/// What is attributed. Its size does not grow with the windows: windows and tasks follow from their numbers.
struct Plan {
  stimulus::Screen screen;
  std::vector<int> cells;  ///< the model's cells that are attributed
  std::vector<PlannedStimulus> stimuli;
  std::vector<Showing> showings;
  std::size_t block_windows = 1;  ///< of a task
  std::size_t tasks = 0;
  std::size_t windows = 0;
  std::size_t stored[level_count] = {};  ///< windows stored at each Level; all of them at the channel level
  std::size_t rows() const { return windows * cells.size(); }
  Task task(std::size_t id) const;
};

/// Chooses stimuli, frames, levels and tasks. `catalogue`: every condition of the study; `movie`: what is attributed instead,
/// where the source is a recording or a file. Throws StudyError where the study names stimuli, cells or times that are not there,
/// or a window without frames.
Plan make_plan(const AttributionSettings& settings, const std::vector<stimulus::Condition>& catalogue, const model::Model& model,
               const Movie& movie = {});

}  // namespace amacrine::attribution
