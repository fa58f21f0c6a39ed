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
Cost cost_of(const Plan& plan, Attributor<S>& attributor) {
  Cost cost;
  cost.rows = plan.rows();
  for (const PlannedStimulus& stimulus : plan.stimuli)
    if (attributor.folded(stimulus.symmetry, stimulus.level) != stimulus::Symmetry::none) cost.folded_windows += stimulus.windows;
  for (const Task& task : plan.tasks) {
    const Showing& showing = plan.showings[task.showing];
    const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
    const BlockAttributor<S>& engine = attributor.engine(stimulus.symmetry, stimulus.level);
    const std::size_t cells = showing.cells.size();
    cost.multiply_adds +=
        static_cast<double>(task.windows) * PathIntegrator<S>::multiply_adds(engine.network(), cells, engine.quadrature());
    cost.block_bytes =
        std::max(cost.block_bytes, PathIntegrator<S>::bytes(engine.network(), task.windows, cells, engine.quadrature()));
  }
  return cost;
}

template <class S>
void run_plan(const parallel::Communicator& communicator, const Plan& plan, Attributor<S>& attributor, AttributionFile& file) {
  const parallel::Range mine = communicator.owned(plan.tasks.size());
  core::Progress progress("attribute", static_cast<double>(mine.size()), "blocks");
  core::Array<float, 3> movie;
  std::size_t shown = plan.showings.size();
  for (std::size_t id = mine.begin; id < mine.end; ++id) {
    const Task& task = plan.tasks[id];
    const Showing& showing = plan.showings[task.showing];
    const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
    if (shown != task.showing) {
      const stimulus::Symmetry axes = attributor.folded(stimulus.symmetry, stimulus.level);
      movie = stimulus::render(stimulus.condition, plan.screen, showing.centre).contrast;
      if (axes != stimulus::Symmetry::none) movie = fold_movie(movie, axes);
      shown = task.showing;
    }
    BlockAttributor<S>& engine = attributor.engine(stimulus.symmetry, stimulus.level);
    file.write_task(task, engine.attribute(movie, stimulus.first_frame + task.first, task.windows, model_cells(plan, showing),
                                           stimulus.level));
    progress.update(static_cast<double>(id + 1 - mine.begin), stimulus.condition.name);
  }
}

#define AMACRINE_INSTANTIATE(S)                       \
  template Cost cost_of(const Plan&, Attributor<S>&); \
  template void run_plan(const parallel::Communicator&, const Plan&, Attributor<S>&, AttributionFile&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
