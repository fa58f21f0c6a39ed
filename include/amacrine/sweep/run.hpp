// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"
#include "amacrine/sweep/state.hpp"

#include <functional>
#include <vector>

namespace amacrine::sweep {

/// How far a trial came in a task.
struct Reach {
  bool stopped = false;   ///< before the rung, its state saved
  bool finished = false;  ///< nothing is left to train
  std::size_t epochs = 0;
  double windows = 0, value = 0;
};

/// What the trials of a sweep are trained by and written down with.
struct Work {
  /// Collective over the ranks of a group: trains a task's trials, one Reach for each. Calls `interrupt` on every rank between
  /// steps; where it says true on any, all trials stop. A failure without an exit code of its own that all ranks of the group
  /// throw is the trial's (a loss that is not finite); others (an input, an output, the memory) end the sweep.
  std::function<std::vector<Reach>(const parallel::Communicator& group, const Task& task, const std::function<bool()>& interrupt)>
      train;
  /// On rank 0: makes entries durable, before anything is decided by them.
  std::function<void(const std::vector<Entry>&)> keep;
  /// Per trial, what it sets.
  std::vector<std::vector<std::string>> values;
};

/// How many groups of settings.ranks_per_group ranks there are. Throws RefusedError where ranks are left over.
std::size_t group_count(const SweepSettings& settings, int ranks);

/// Collective. Trains the trials of `state` (rank 0's counts, and holds what became of them) on groups of ranks, each for itself:
/// a group asks rank 0 for its next task when it has ended one, and rank 0 answers between its own steps. A trial that fails is
/// written down with its reason, and its group goes on. False where the run was stopped and something is left. Throws what `keep`
/// throws.
bool run_trials(const parallel::Communicator& world, const SweepSettings& settings, const Work& work, SweepState& state);

}  // namespace amacrine::sweep
