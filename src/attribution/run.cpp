// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/run.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/mailbox.hpp"
#include "amacrine/parallel/stop.hpp"
#include "task.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

/// Brings finished tasks into the file's journal: a rank makes its rows durable, then tells rank 0. It does so as often as costs
/// it about one per cent of its time.
class Reports {
 public:
  Reports(const parallel::Communicator& communicator, AttributionFile& file)
      : communicator_(communicator), file_(file), mailbox_(communicator) {}

  void add(std::string entry) {
    waiting_.push_back(std::move(entry));
    if (core::wall_seconds() >= due_) pass_on();
    if (communicator_.root()) note(mailbox_.collect());
  }
  /// Collective.
  void finish() {
    pass_on();
    mailbox_.close([this](const std::vector<std::string>& entries) { note(entries); });
  }

 private:
  void pass_on() {
    if (waiting_.empty()) return;
    constexpr double shortest_s = 0.2, times_cost = 100;
    const double start = core::wall_seconds();
    file_.sync();
    for (std::string& entry : waiting_) mailbox_.post(std::move(entry));
    waiting_.clear();
    const double now = core::wall_seconds();
    due_ = now + std::max(shortest_s, times_cost * (now - start));
  }
  void note(const std::vector<std::string>& entries) {
    if (!entries.empty()) file_.note(entries);
  }

  const parallel::Communicator& communicator_;
  AttributionFile& file_;
  parallel::Mailbox mailbox_;
  std::vector<std::string> waiting_;
  double due_ = 0;
};

/// The tasks that are not among `done` (ascending).
std::vector<std::size_t> tasks_left(std::size_t tasks, const std::vector<std::size_t>& done) {
  std::vector<std::size_t> left;
  for (std::size_t id = 0; id < tasks; ++id)
    if (!std::binary_search(done.begin(), done.end(), id)) left.push_back(id);
  return left;
}

}  // namespace

template <class S>
bool run_plan(const parallel::Communicator& communicator, const Plan& plan, Attributor<S>& attributor, AttributionFile& file) {
  const std::vector<std::size_t> left = tasks_left(plan.tasks, file.done());
  const parallel::Range mine = communicator.owned(left.size());
  core::Progress progress("attribute", static_cast<double>(mine.size()), "blocks");
  TaskRunner<S> runner(plan, attributor);
  Reports reports(communicator, file);
  for (std::size_t i = mine.begin; i < mine.end && !parallel::stop_asked(); ++i) {
    const Task task = plan.task(left[i]);
    runner.run(task, [&](std::size_t stimulus, const Block& block) { file.write_task(task, stimulus, block); });
    reports.add(file.close_task(left[i]));
    progress.update(static_cast<double>(i + 1 - mine.begin), plan.stimuli[plan.showings[task.showing].stimulus].condition.name);
  }
  reports.finish();
  return parallel::stop_signal(communicator).empty();
}

template bool run_plan(const parallel::Communicator&, const Plan&, Attributor<float>&, AttributionFile&);
template bool run_plan(const parallel::Communicator&, const Plan&, Attributor<double>&, AttributionFile&);

}  // namespace amacrine::attribution
