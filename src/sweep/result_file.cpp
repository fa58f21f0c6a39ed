// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/result_file.hpp"

#include "amacrine/core/array.hpp"
#include "amacrine/sweep/result.hpp"
#include "parameter_columns.hpp"

#include <algorithm>
#include <limits>

namespace amacrine::sweep {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// The tasks that took time, in the order of their ends.
std::vector<Entry> tasks_of(const SweepResult& result) {
  std::vector<Entry> tasks;
  for (const Entry& entry : result.entries)
    if (entry.kind != Entry::Kind::retry && entry.trial < result.state.size()) tasks.push_back(entry);
  return tasks;
}

void declare_dimensions(io::ResultWriter& file, const SweepResult& result, std::size_t tasks) {
  std::vector<std::string> trials;
  for (const auto& overrides : result.overrides) trials.push_back(fmt::format("{}", fmt::join(overrides, " ")));
  const std::vector<double> epochs(result.rungs.begin(), result.rungs.end());
  file.dimension({"trial", trials.size(), "1", "trial: what it sets", {}, trials});
  file.dimension({"rung", epochs.size(), "epochs", "epochs trained when trials are compared", epochs, {}});
  file.dimension({"task", tasks, "1", "training of a trial from one rung to the next", {}, {}});
}

void declare_trials(io::ResultWriter& file, const SweepResult& result) {
  using enum io::Type;
  const std::string metric = result.metric == "loss" ? "loss" : "correlation with single trials";
  file.variable({"value", float64, {"trial", "rung"}, "1", "best validation " + metric + " so far", {}});
  file.variable({"epochs", int32, {"trial"}, "epochs", "epochs trained", {}});
  file.variable({"windows", float64, {"trial"}, "windows", "windows seen", {}});
  file.variable({"standing",
                 int8,
                 {"trial"},
                 "1",
                 "what became of the trial",
                 {{"flag_meanings", "waiting running paused ready stopped finished failed"}}});
  file.attribute("flag_values", std::vector<double>{0, 1, 2, 3, 4, 5, 6}, "standing");
  for (const char* name : {"task_trial", "task_rung", "task_group", "task_failed"})
    file.variable({name, int32, {"task"}, "1", std::string(name).substr(5) + " of the task", {}});
  file.variable({"task_begin", float64, {"task"}, "s", "when it began, since 1970", {}});
  file.variable({"task_end", float64, {"task"}, "s", "when it ended, since 1970", {}});
}

/// Numbers as they are; of words the number of each, and the words.
void declare_parameters(io::ResultWriter& file, const ParameterColumns& columns) {
  for (std::size_t key = 0; key < columns.keys().size(); ++key) {
    const std::string name = "parameter/" + columns.keys()[key];
    if (columns.numbers(key)) {
      file.variable({name, io::Type::float64, {"trial"}, "1", columns.keys()[key], {}});
    } else {
      const std::vector<std::string> words = columns.words(key);
      file.variable(
          {name, io::Type::int32, {"trial"}, "1", columns.keys()[key], {{"words", fmt::format("{}", fmt::join(words, "\n"))}}});
    }
  }
}

void write_parameters(io::ResultWriter& file, const ParameterColumns& columns, std::size_t trials) {
  for (std::size_t key = 0; key < columns.keys().size(); ++key) {
    const std::string name = "parameter/" + columns.keys()[key];
    if (const auto numbers = columns.numbers(key)) {
      file.write<double>(name, *numbers);
      continue;
    }
    const std::vector<std::string> words = columns.words(key);
    std::vector<std::int32_t> indices;
    for (std::size_t t = 0; t < trials; ++t) {
      const auto found = std::find(words.begin(), words.end(), columns.text(t, key));
      indices.push_back(found == words.end() ? -1 : static_cast<std::int32_t>(found - words.begin()));
    }
    file.write<std::int32_t>(name, indices);
  }
}

void write_trials(io::ResultWriter& file, const SweepResult& result) {
  const SweepState& state = result.state;
  core::Array<double, 2> value({state.size(), result.rungs.size()}, none);
  std::vector<std::int32_t> epochs, standing;
  std::vector<double> windows;
  for (std::size_t t = 0; t < state.size(); ++t) {
    for (std::size_t rung = 0; rung < state.values(t).size(); ++rung) value(t, rung) = state.values(t)[rung];
    epochs.push_back(static_cast<std::int32_t>(state.epochs(t))), windows.push_back(state.windows(t));
    standing.push_back(static_cast<std::int32_t>(state.standing(t)));
  }
  file.write<double>("value", value.values());
  file.write<std::int32_t>("epochs", epochs), file.write<std::int32_t>("standing", standing);
  file.write<double>("windows", windows);
}

void write_tasks(io::ResultWriter& file, const std::vector<Entry>& tasks) {
  if (tasks.empty()) return;
  std::vector<std::int32_t> trial, rung, group, failed;
  std::vector<double> begin, end;
  for (const Entry& task : tasks) {
    trial.push_back(static_cast<std::int32_t>(task.trial)), rung.push_back(static_cast<std::int32_t>(task.rung));
    group.push_back(static_cast<std::int32_t>(task.group)), failed.push_back(task.kind == Entry::Kind::failed ? 1 : 0);
    begin.push_back(task.begin), end.push_back(task.end);
  }
  file.write<std::int32_t>("task_trial", trial), file.write<std::int32_t>("task_rung", rung);
  file.write<std::int32_t>("task_group", group), file.write<std::int32_t>("task_failed", failed);
  file.write<double>("task_begin", begin), file.write<double>("task_end", end);
}

}  // namespace

void write_sweep(const parallel::Communicator& communicator, const std::string& path, const SweepResult& result,
                 const io::Provenance& provenance) {
  const ParameterColumns columns(result.values);
  const std::vector<Entry> tasks = tasks_of(result);
  io::ResultWriter file(communicator, path, "sweep", provenance);
  declare_dimensions(file, result, tasks.size());
  declare_trials(file, result);
  declare_parameters(file, columns);
  file.attribute("metric", result.metric);
  file.attribute("reduction", result.state.rule().reduction);
  file.attribute("utilisation", utilisation(result.entries));
  file.create();
  if (communicator.root()) {
    write_trials(file, result), write_parameters(file, columns, result.state.size());
    write_tasks(file, tasks);
  }
  file.finish();
}

}  // namespace amacrine::sweep
