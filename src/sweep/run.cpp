// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/run.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/attempt.hpp"
#include "amacrine/parallel/request_server.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/parallel/together.hpp"

#include <chrono>
#include <cmath>
#include <exception>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

namespace amacrine::sweep {
namespace {

constexpr double longest_stop_s = 60;

double unix_seconds() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

/// What a group tells rank 0 when it asks for a task: what became of the one before.
struct Report {
  std::vector<Entry> entries;  ///< of trials that came to the rung, or failed
  bool stopped = false;        ///< the group was asked to stop
  std::optional<Task> back;    ///< trials that are to be given again
  bool alone = false;          ///< each by itself, since one of them failed and it is not known which
  parallel::Fault fault{};     ///< that is no trial's, and ends the sweep
};

nlohmann::json json_of(const Task& task) { return {{"trials", task.trials}, {"rung", task.rung}}; }

Task task_of(const nlohmann::json& json) {
  Task task;
  json.at("trials").get_to(task.trials), json.at("rung").get_to(task.rung);
  return task;
}

std::string encode_report(const Report& report) {
  nlohmann::json json{{"entries", nlohmann::json::array()},
                      {"stopped", report.stopped},
                      {"alone", report.alone},
                      {"fault", report.fault.text},
                      {"code", static_cast<int>(report.fault.code)}};
  for (const Entry& entry : report.entries) json["entries"].push_back(encode(entry));
  if (report.back) json["back"] = json_of(*report.back);
  return json.dump();
}

Report decode_report(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  Report report;
  for (const auto& entry : json.at("entries"))
    if (auto decoded = decode(entry.get<std::string>())) report.entries.push_back(std::move(*decoded));
  json.at("stopped").get_to(report.stopped), json.at("alone").get_to(report.alone);
  json.at("fault").get_to(report.fault.text), report.fault.code = static_cast<core::ExitCode>(json.at("code").get<int>());
  if (json.contains("back")) report.back = task_of(json.at("back"));
  return report;
}

/// Rank 0's part: takes reports and gives tasks.
class Organiser {
 public:
  Organiser(const SweepSettings& settings, const Work& work, SweepState& state)
      : settings_(settings), work_(work), state_(state), seen_(0) {}

  /// The task a rank gets, as text; an empty one ends its work; nothing: it has to wait. Called again with the same request then.
  std::optional<std::string> answer(int rank, const std::string& request) {
    try {
      if (heard_.size() <= static_cast<std::size_t>(rank)) heard_.resize(static_cast<std::size_t>(rank) + 1, false);
      if (!heard_[static_cast<std::size_t>(rank)]) take(decode_report(request));
      heard_[static_cast<std::size_t>(rank)] = true;
      std::optional<std::string> text = give();
      if (text) heard_[static_cast<std::size_t>(rank)] = false;
      return text;
    } catch (...) {  // perhaps inside a step of this rank's own trial, which must not be blamed
      if (!fault_) fault_ = std::current_exception();
      stopping_ = true;
      look();
      return std::string();
    }
  }

  /// Lets the other groups know, once, that they are to stop.
  void look() {
    if (stopping() && !std::exchange(told_, true)) server_->notify();
  }
  void serve_by(parallel::RequestServer* server) { server_ = server; }
  void rethrow() const {
    if (fault_) std::rethrow_exception(fault_);
  }

 private:
  bool stopping() { return stopping_ = stopping_ || server_->stop_heard(); }

  void take(const Report& report) {
    if (!report.entries.empty()) work_.keep(report.entries);
    for (const Entry& entry : report.entries) state_.apply(entry);
    if (report.back && report.alone) state_.separate(*report.back);
    if (report.back) state_.put_back(*report.back);
    stopping_ = stopping_ || report.stopped;
    if (!report.fault.text.empty()) throw core::Error(report.fault.text, report.fault.code);
    ++changes_;
  }

  std::optional<std::string> give() {
    look();
    if (stopping()) return std::string();
    if (seen_ == changes_) return std::nullopt;
    if (const auto task = state_.next(settings_.models_per_group)) return json_of(*task).dump();
    if (state_.done()) return std::string();
    seen_ = changes_;
    return std::nullopt;
  }

  const SweepSettings& settings_;
  const Work& work_;
  SweepState& state_;
  std::vector<bool> heard_;         ///< per rank, whether its report was taken
  std::size_t changes_ = 1, seen_;  ///< reports taken in all, and when nothing could be given last
  bool stopping_ = false, told_ = false;
  parallel::RequestServer* server_ = nullptr;
  std::exception_ptr fault_;
};

/// A group of ranks at work.
struct Group {
  parallel::Communicator ranks, watched;
  std::size_t number = 0;
  const Work& work;
  std::function<bool()> interrupt;
};

Entry entry_of(const Group& group, const Task& task, std::size_t index, double begin) {
  Entry entry;
  entry.trial = task.trials[index], entry.rung = task.rung, entry.group = group.number;
  entry.values = group.work.values[entry.trial];
  entry.begin = begin, entry.end = unix_seconds();
  return entry;
}

/// Trains a task's trials and says what became of them. Collective over the group.
Report work_on(const Group& group, const Task& task) {
  const double begin = unix_seconds();
  std::vector<Reach> reaches;
  parallel::Fault fault;
  try {
    fault = parallel::attempt(group.watched, [&] { reaches = group.work.train(group.ranks, task, group.interrupt); });
  } catch (const parallel::Stopped&) {
    return {{}, true, task, false, {}};
  }
  Report report;
  if (!fault.text.empty() && fault.code != core::ExitCode::failure) {
    report.back = task;
    report.fault = {fmt::format("trial {}: {}", task.trials.front(), fault.text), fault.code};
    return report;
  }
  if (!fault.text.empty() && task.trials.size() > 1) {
    report.back = task, report.alone = true;
    return report;
  }
  Task back{{}, task.rung};
  for (std::size_t i = 0; i < task.trials.size(); ++i) {
    Entry entry = entry_of(group, task, i, begin);
    if (!fault.text.empty()) {
      entry.kind = Entry::Kind::failed, entry.reason = fault.text;
    } else if (reaches[i].stopped) {
      back.trials.push_back(task.trials[i]);
      continue;
    } else if (!std::isfinite(reaches[i].value)) {
      entry.kind = Entry::Kind::failed, entry.reason = "its validation is not a number";
    } else {
      entry.finished = reaches[i].finished, entry.epochs = reaches[i].epochs, entry.windows = reaches[i].windows;
      entry.value = reaches[i].value;
    }
    report.entries.push_back(std::move(entry));
  }
  report.stopped = !back.trials.empty();
  if (report.stopped) report.back = back;
  return report;
}

/// What rank 0 answers to the group's report, on all ranks of the group. All look for a stop meanwhile: the group may wait long
/// while the others train. Collective over the group.
std::string next_answer(const Group& group, parallel::RequestServer* server, const Report& report) {
  std::optional<std::string> answer;
  if (server != nullptr) server->post(encode_report(report));
  parallel::wait_for_root(
      group.ranks, [&] { return (answer = server->answer()).has_value(); }, [&] { server->tell_stop(); });
  return group.ranks.broadcast(answer.value_or(std::string()));
}

/// One task after the other, until rank 0 gives no more.
void work_through(Group& group, parallel::RequestServer* server) {
  Report report;
  while (true) {
    const std::string answer = next_answer(group, server, report);
    if (answer.empty()) break;
    report = work_on(group, task_of(nlohmann::json::parse(answer)));
  }
}

}  // namespace

std::size_t group_count(const SweepSettings& settings, int ranks) {
  const auto all = static_cast<std::size_t>(ranks);
  core::require<core::RefusedError>(
      all % settings.ranks_per_group == 0, "{} ranks are no whole number of groups of sweep.ranks_per_group = {}; start {} ranks",
      ranks, settings.ranks_per_group, std::max<std::size_t>(1, all / settings.ranks_per_group) * settings.ranks_per_group);
  return all / settings.ranks_per_group;
}

bool run_trials(const parallel::Communicator& world, const SweepSettings& settings, const Work& work, SweepState& state) {
  group_count(settings, world.size());
  const auto number = static_cast<std::size_t>(world.rank()) / settings.ranks_per_group;
  const parallel::Communicator ranks = world.split_by(static_cast<int>(number));
  Group group{ranks, ranks.split_by(0), number, work, {}};
  const parallel::Communicator leaders = world.split_by(ranks.root() ? 0 : 1);
  // A group that has stopped waits for the others, which may be in a longer step.
  parallel::StopPatience patience;
  patience.set(longest_stop_s);
  Organiser organiser(settings, work, state);
  std::unique_ptr<parallel::RequestServer> server;
  if (ranks.root())
    server = std::make_unique<parallel::RequestServer>(
        leaders, [&](int rank, const std::string& request) { return organiser.answer(rank, request); });
  organiser.serve_by(server.get());
  group.interrupt = [&] {
    if (!server) return false;
    server->serve();
    if (world.root()) organiser.look();
    return server->notified();
  };
  work_through(group, server.get());
  if (server) server->close();
  parallel::on_some(world, world.root(), [&] { organiser.rethrow(); });
  return !world.any(world.root() && !state.done());
}

}  // namespace amacrine::sweep
