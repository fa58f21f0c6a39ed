// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace amacrine::parallel {

/// What tasks have made, wherever they were done.
template <class T>
class TaskValues {
 public:
  TaskValues(std::vector<T> values, std::vector<Range> of_task) : values_(std::move(values)), of_task_(std::move(of_task)) {}
  std::size_t tasks() const { return of_task_.size(); }
  /// The values of a task, in the order in which it appended them.
  std::span<const T> of(std::size_t task) const {
    return std::span<const T>(values_).subspan(of_task_[task].begin, of_task_[task].size());
  }

 private:
  std::vector<T> values_;
  std::vector<Range> of_task_;
};

/// Tasks 0 ... costs.size() - 1, of which `costs` says how long they take in any unit.
struct TaskList {
  std::string what, unit;     ///< for the log: "probe network", "movies"
  std::vector<double> costs;  ///< the longest are dealt first, so that ranks end together (Graham 1969); equal ones by number
};

/// Collective. `work(task, values)` appends what a task makes to `values`; every task is done once, by whichever rank is free
/// (Dealer), and comes back on every rank under its own number. So the values have the same bits on any number of ranks where
/// those of a task do not depend on the rank, nor on the tasks done before. `work` returns a name for the display of progress.
/// Throws Stopped on all ranks where one was asked to stop. T: double, char.
template <class T>
TaskValues<T> run_dealt(const Communicator& communicator, const TaskList& tasks,
                        const std::function<std::string(std::size_t task, std::vector<T>& values)>& work);

/// Collective. Says in the log how much of the time until the last rank had done its tasks the ranks had work. This rank had its
/// tasks done after `seconds_here`, of which it waited `waited_s`. Nothing is said of one rank, or of less than a second.
void log_work(const Communicator& communicator, const std::string& what, double seconds_here, double waited_s);

}  // namespace amacrine::parallel
