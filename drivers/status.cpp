// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "drivers/verbs.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

namespace amacrine::drivers {

namespace {

/// How a verb of a study stands.
struct Standing {
  std::string verb, words;
  bool done = false, at_work = false;
};

std::string since(const io::RunState& run) {
  return fmt::format("on {}, pid {}{}, since {}{}", run.host, run.pid, run.job.empty() ? "" : ", job " + run.job, run.since,
                     run.progress.empty() ? "" : ", " + run.progress);
}

Standing running(Standing standing, const io::RunState& run) {
  using Life = io::RunState::Life;
  standing.at_work = run.life != Life::gone;
  standing.words = (run.life == Life::gone ? "was killed: it ran " : "running ") + since(run);
  if (run.life == Life::elsewhere) standing.words += "; if that process is gone, the same command goes on";
  return standing;
}

/// `before`: when the last verb before this one was at work.
Standing standing_of(const Context& context, const std::string& verb, const std::string& before) {
  Standing standing{verb, "not run", false, false};
  const auto run = io::read_status(context.settings.output, verb);
  if (!run) return standing;
  if (run->state == "running") return running(standing, *run);
  const bool same = run->study_hash == context.study.hash(tables_of(verb));
  const std::string reason = run->reason.substr(0, run->reason.find('\n'));
  standing.words = fmt::format("{} {}{}", run->state, run->updated, reason.empty() ? "" : ": " + reason);
  standing.done = run->state == "finished" && same && run->since >= before;
  if (run->state == "finished" && !same) standing.words += ", with other settings than this study's";
  if (run->state == "finished" && same && !standing.done) standing.words += ", before what it is made from";
  return standing;
}

/// Of the verbs in the order in which they are run.
std::vector<Standing> standings_of(const Context& context) {
  std::vector<Standing> all;
  std::string before, evaluated;
  for (const char* verb : {"simulate", "train", "evaluate", "probe", "attribute", "reduce", "lesion"}) {
    const bool given = !context.settings.recording.file.empty(), sessions = !context.settings.sessions.empty();
    if (std::string(verb) == "simulate" && (given || sessions)) {
      all.push_back(
          {verb, sessions ? "not needed: sessions name their recordings" : "not needed: recording.file is given", true, false});
      continue;
    }
    all.push_back(standing_of(context, verb, std::string(verb) == "reduce" ? std::max(before, evaluated) : before));
    const auto run = io::read_status(context.settings.output, verb);
    // What probe makes is no input of the verbs after it, what evaluate makes of reduce alone.
    const bool input = all.back().verb != "evaluate" && all.back().verb != "probe";
    if (run && input && run->updated > before) before = run->updated;
    if (run && all.back().verb == "evaluate") evaluated = run->updated;
  }
  return all;
}

}  // namespace

/// Says what of a study is done, running and left, and the command to give next. Local: one rank speaks.
int status(Context& context) {
  core::log_line(
      fmt::format("study '{}' ({}), results in {}", context.settings.name, context.options.study_file, context.settings.output));
  std::string next, waits;
  for (const Standing& standing : standings_of(context)) {
    core::log_line(fmt::format("  {:<10}{}", standing.verb, standing.words));
    if (standing.at_work && waits.empty()) waits = standing.verb;
    if (!standing.done && !standing.at_work && next.empty()) next = standing.verb;
  }
  for (const char* verb : {"fit", "sweep"}) {
    if (!io::read_status(context.settings.output, verb)) continue;
    const Standing standing = standing_of(context, verb, "");
    core::log_line(fmt::format("  {:<10}{}", standing.verb, standing.words));
  }
  std::string overrides;
  for (const std::string& word : context.options.overrides) overrides += fmt::format(" '{}'", word);
  const std::string stop = context.output("stop");
  const bool asked_to_stop = std::filesystem::exists(stop);
  if (!waits.empty())
    core::log_line(fmt::format("{} is at work", waits));
  else if (next.empty())
    core::log_line("all is done");
  else
    core::log_line(fmt::format("next: {}amacrine {} {}{}", asked_to_stop ? fmt::format("rm {}; ", stop) : "", next,
                               context.options.study_file, overrides));
  return 0;
}

}  // namespace amacrine::drivers
