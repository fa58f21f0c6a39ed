// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/run.hpp"

#include "amacrine/attribution/cost.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/dealer.hpp"
#include "amacrine/parallel/dealt_tasks.hpp"
#include "amacrine/parallel/mailbox.hpp"
#include "amacrine/parallel/stop.hpp"
#include "task.hpp"

#include <algorithm>
#include <optional>

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
    take_in();
  }
  /// Local: on rank 0 what has arrived goes into the journal.
  void take_in() {
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

/// The tasks that are not among `done` (ascending). Those that take longest come first, so that ranks end together (Graham 1969);
/// others in the order of their numbers. Collective: the order is rank 0's.
template <class S>
std::vector<std::size_t> tasks_left(const parallel::Communicator& communicator, const Plan& plan, Attributor<S>& attributor,
                                    const std::vector<std::size_t>& done) {
  const std::vector<double> of_showing = window_work(plan, attributor);
  std::vector<std::size_t> left;
  std::vector<double> work(plan.tasks);
  for (std::size_t id = 0; id < plan.tasks; ++id) {
    if (std::binary_search(done.begin(), done.end(), id)) continue;
    left.push_back(id);
    const Task task = plan.task(id);
    for (std::size_t s = task.showing; s < task.showing + task.showings; ++s)
      work[id] += static_cast<double>(task.windows) * of_showing[s];
  }
  std::stable_sort(left.begin(), left.end(), [&](std::size_t a, std::size_t b) { return work[a] > work[b]; });
  communicator.broadcast(left.data(), left.size() * sizeof(std::size_t));
  return left;
}

}  // namespace

template <class S>
bool run_plan(const parallel::Communicator& communicator, const Plan& plan, Attributor<S>& attributor, AttributionFile& file) {
  const std::vector<std::size_t> left = tasks_left(communicator, plan, attributor, file.done());
  core::Progress progress("attribute", static_cast<double>(left.size()), "blocks");
  TaskRunner<S> runner(plan, attributor);
  Reports reports(communicator, file);
  parallel::Dealer dealer(communicator, left.size(), [&] { reports.take_in(); });
  const double start = core::wall_seconds();
  while (!parallel::stop_asked()) {
    const std::optional<std::size_t> i = dealer.next();
    if (!i) break;
    const Task task = plan.task(left[*i]);
    runner.run(task, [&](const Showing& showing, std::size_t stimulus, const Block& block) {
      file.write_task(task, showing, stimulus, block);
    });
    reports.add(file.close_task(left[*i]));
    progress.update(static_cast<double>(*i + 1), plan.stimuli[plan.showings[task.showing].stimulus].condition.name);
  }
  const double seconds_here = core::wall_seconds() - start;
  dealer.close();
  parallel::log_work(communicator, "attribute", seconds_here, dealer.waited_s());
  reports.finish();
  return parallel::stop_signal(communicator).empty();
}

template bool run_plan(const parallel::Communicator&, const Plan&, Attributor<float>&, AttributionFile&);
template bool run_plan(const parallel::Communicator&, const Plan&, Attributor<double>&, AttributionFile&);

}  // namespace amacrine::attribution
