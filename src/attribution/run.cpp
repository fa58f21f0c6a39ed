// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/run.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/core/numbers.hpp"
#include "screening.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

std::vector<int> model_cells(const Plan& plan, const Showing& showing) {
  std::vector<int> cells;
  for (int cell : showing.cells) cells.push_back(plan.cells[core::as_size(cell)]);
  return cells;
}

/// The parts of a task whose windows are successive frames.
std::vector<Task> runs_of(const Plan& plan, const Task& task) {
  const PlannedStimulus& stimulus = plan.stimuli[plan.showings[task.showing].stimulus];
  std::vector<Task> runs;
  for (std::size_t w = task.first; w < task.first + task.windows; ++w) {
    if (!runs.empty() && stimulus.frame(w) == stimulus.frame(w - 1) + 1) {
      ++runs.back().windows;
    } else {
      runs.push_back({task.showing, w, 1});
    }
  }
  return runs;
}

/// Frames before a window's own that the network looks back to.
template <class S>
std::size_t lead_of(Attributor<S>& attributor) {
  const PathNetwork<S>& network = attributor.plain().network();
  return core::as_size(network.history - 1 + network.minimum_lag);
}

}  // namespace

template <class S>
void run_plan(const parallel::Communicator& communicator, const Plan& plan, Attributor<S>& attributor, AttributionFile& file) {
  const parallel::Range mine = communicator.owned(plan.tasks);
  core::Progress progress("attribute", static_cast<double>(mine.size()), "blocks");
  Screening screening(plan, lead_of(attributor));
  for (std::size_t id = mine.begin; id < mine.end; ++id) {
    const Task task = plan.task(id);
    const Showing& showing = plan.showings[task.showing];
    const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
    const stimulus::Symmetry axes = attributor.folded(stimulus.symmetry, stimulus.level);
    BlockAttributor<S>& engine = attributor.engine(stimulus.symmetry, stimulus.level);
    for (const Task& run : runs_of(plan, task)) {
      const std::size_t first = stimulus.frame(run.first);
      const auto& contrast = screening.show(run.showing, first, run.windows, axes);
      file.write_task(
          run, engine.attribute(contrast, first - screening.first(), run.windows, model_cells(plan, showing), stimulus.level));
    }
    progress.update(static_cast<double>(id + 1 - mine.begin), stimulus.condition.name);
  }
}

template void run_plan(const parallel::Communicator&, const Plan&, Attributor<float>&, AttributionFile&);
template void run_plan(const parallel::Communicator&, const Plan&, Attributor<double>&, AttributionFile&);

}  // namespace amacrine::attribution
