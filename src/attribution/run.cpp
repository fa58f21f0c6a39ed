// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/run.hpp"

#include "amacrine/core/log.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

std::vector<int> model_cells(const Plan& plan, const Showing& showing) {
  std::vector<int> cells;
  for (int cell : showing.cells) cells.push_back(plan.cells[static_cast<std::size_t>(cell)]);
  return cells;
}

}  // namespace

template <class S>
Cost cost_of(const Plan& plan, const BlockAttributor<S>& attributor) {
  Cost cost;
  cost.rows = plan.rows();
  for (const Task& task : plan.tasks) {
    const std::size_t cells = plan.showings[task.showing].cells.size();
    const double windows = static_cast<double>(task.windows);
    cost.multiply_adds += windows * PathIntegrator<S>::multiply_adds(attributor.network(), cells, attributor.quadrature());
    cost.block_bytes =
        std::max(cost.block_bytes, PathIntegrator<S>::bytes(attributor.network(), task.windows, cells, attributor.quadrature()));
  }
  return cost;
}

template <class S>
void run_plan(const parallel::Communicator& communicator, const Plan& plan, BlockAttributor<S>& attributor,
              AttributionFile& file) {
  const parallel::Range mine = communicator.owned(plan.tasks.size());
  core::Progress progress("attribute", static_cast<double>(mine.size()), "blocks");
  stimulus::Stimulus movie;
  std::size_t shown = plan.showings.size();
  for (std::size_t id = mine.begin; id < mine.end; ++id) {
    const Task& task = plan.tasks[id];
    const Showing& showing = plan.showings[task.showing];
    const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
    if (shown != task.showing) {
      movie = stimulus::render(stimulus.condition, plan.screen, showing.centre);
      shown = task.showing;
    }
    file.write_task(task, attributor.attribute(movie.contrast, stimulus.first_frame + task.first, task.windows,
                                               model_cells(plan, showing), stimulus.level));
    progress.update(static_cast<double>(id + 1 - mine.begin), stimulus.condition.name);
  }
}

#define AMACRINE_INSTANTIATE(S)                                  \
  template Cost cost_of(const Plan&, const BlockAttributor<S>&); \
  template void run_plan(const parallel::Communicator&, const Plan&, BlockAttributor<S>&, AttributionFile&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
