// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/run.hpp"

#include "amacrine/core/log.hpp"
#include "task.hpp"

namespace amacrine::attribution {

template <class S>
void run_plan(const parallel::Communicator& communicator, const Plan& plan, Attributor<S>& attributor, AttributionFile& file) {
  const parallel::Range mine = communicator.owned(plan.tasks);
  core::Progress progress("attribute", static_cast<double>(mine.size()), "blocks");
  TaskRunner<S> runner(plan, attributor);
  for (std::size_t id = mine.begin; id < mine.end; ++id) {
    const Task task = plan.task(id);
    runner.run(task, [&](std::size_t stimulus, const Block& block) { file.write_task(task, stimulus, block); });
    progress.update(static_cast<double>(id + 1 - mine.begin), plan.stimuli[plan.showings[task.showing].stimulus].condition.name);
  }
}

template void run_plan(const parallel::Communicator&, const Plan&, Attributor<float>&, AttributionFile&);
template void run_plan(const parallel::Communicator&, const Plan&, Attributor<double>&, AttributionFile&);

}  // namespace amacrine::attribution
