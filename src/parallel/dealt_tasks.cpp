// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/dealt_tasks.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/dealer.hpp"
#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>

namespace amacrine::parallel {
namespace {

std::vector<std::size_t> longest_first(const std::vector<double>& costs) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  return order;
}

/// Collective. Where each task's values lie among those of all ranks, which come rank by rank; `done` are this rank's tasks and
/// how many values each has made.
std::vector<Range> places(const Communicator& communicator, std::size_t tasks, const std::vector<std::int64_t>& done) {
  const std::vector<std::int64_t> all = communicator.gather_all<std::int64_t>(done);
  std::vector<Range> of_task(tasks);
  std::size_t at = 0;
  for (std::size_t i = 0; i < all.size(); i += 2) {
    const auto count = static_cast<std::size_t>(all[i + 1]);
    of_task[static_cast<std::size_t>(all[i])] = {at, at + count};
    at += count;
  }
  return of_task;
}

}  // namespace

template <class T>
TaskValues<T> run_dealt(const Communicator& communicator, const TaskList& tasks,
                        const std::function<std::string(std::size_t task, std::vector<T>& values)>& work) {
  const std::vector<std::size_t> order = longest_first(tasks.costs);
  core::Progress progress(tasks.what, static_cast<double>(order.size()), tasks.unit);
  std::vector<T> values;
  std::vector<std::int64_t> done;
  Dealer dealer(communicator, order.size());
  const double start = core::wall_seconds();
  while (!stop_asked()) {
    const std::optional<std::size_t> i = dealer.next();
    if (!i) break;
    const std::size_t before = values.size();
    const std::string name = work(order[*i], values);
    done.insert(done.end(), {static_cast<std::int64_t>(order[*i]), static_cast<std::int64_t>(values.size() - before)});
    progress.update(static_cast<double>(*i + 1), name);
  }
  const double seconds_here = core::wall_seconds() - start;
  dealer.close();
  throw_if_stopped(communicator);
  log_work(communicator, tasks.what, seconds_here, dealer.waited_s());
  std::vector<Range> of_task = places(communicator, order.size(), done);
  return {communicator.gather_all<T>(values), std::move(of_task)};
}

template TaskValues<double> run_dealt(const Communicator&, const TaskList&,
                                      const std::function<std::string(std::size_t, std::vector<double>&)>&);
template TaskValues<char> run_dealt(const Communicator&, const TaskList&,
                                    const std::function<std::string(std::size_t, std::vector<char>&)>&);

void log_work(const Communicator& communicator, const std::string& what, double seconds_here, double waited_s) {
  const double seconds = communicator.maximum(seconds_here);
  if (communicator.size() == 1 || !(seconds > 1)) return;
  const double busy = 100 * (seconds_here - waited_s) / seconds, least = -communicator.maximum(-busy);
  const auto sum = static_cast<double>(communicator.sum(std::llround(1000 * busy))) / 1000;
  core::log("{}: {} ranks worked {:.0f} % of {}, the least busy one {:.0f} %", what, communicator.size(),
            sum / communicator.size(), core::human_seconds(seconds), least);
}

}  // namespace amacrine::parallel
