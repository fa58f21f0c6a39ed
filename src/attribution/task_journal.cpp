// SPDX-License-Identifier: Apache-2.0
// What an attributions file keeps of its finished tasks from run to run.
#include "task_journal.hpp"

#include "amacrine/attribution/result.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/version.hpp"
#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

namespace amacrine::attribution {
namespace {

/// A task of the journal and its rows; nothing where an entry is none of ours.
struct JournalTask {
  std::size_t task = 0;
  std::vector<io::WrittenBlock> blocks;
};
JournalTask read_entry(const std::string& entry) {
  const auto json = nlohmann::json::parse(entry);
  JournalTask read{json.at("task"), {}};
  for (const auto& block : json.at("rows")) read.blocks.push_back({block.at(0), block.at(1), block.at(2), block.at(3)});
  return read;
}

}  // namespace

std::string journal_identity(const Plan& plan, const io::Provenance& provenance) {
  nlohmann::ordered_json identity{{"kind", "attributions"}, {"study", provenance.study_hash}, {"inputs", nlohmann::json::array()},
                                  {"tasks", plan.tasks},    {"block", plan.block_windows},    {"program", core::build_facts()}};
  for (const io::Input& input : provenance.inputs) identity["inputs"].push_back({input.role, input.checksum});
  return identity.dump();
}

/// Those of the entries whose rows lie in the file as they were written; each rank reads its share. Collective.
std::vector<std::string> AttributionFile::sound_entries(const std::vector<std::string>& entries) {
  const parallel::Range mine = communicator_.owned(entries.size());
  std::vector<std::int32_t> sound;
  for (std::size_t i = mine.begin; i < mine.end && !parallel::stop_asked(); ++i) {
    const JournalTask task = read_entry(entries[i]);
    const auto holds = [&](const io::WrittenBlock& block) { return writer_.holds(block); };
    sound.push_back(task.task < plan_.tasks && std::all_of(task.blocks.begin(), task.blocks.end(), holds) ? 1 : 0);
    if (sound.back() == 1) std::for_each(task.blocks.begin(), task.blocks.end(), [&](const auto& b) { writer_.adopt(b); });
  }
  parallel::throw_if_stopped(communicator_);
  const std::vector<std::int32_t> all = communicator_.gather_all(std::span<const std::int32_t>(sound));
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (all[i] == 1) kept.push_back(entries[i]);
  return kept;
}

void AttributionFile::create() {
  std::vector<std::string> entries;
  if (communicator_.root()) entries = journal_.read();
  std::stringstream lines(communicator_.broadcast(fmt::format("{}", fmt::join(entries, "\n"))));
  std::string frame;  // the first entry; the others are tasks
  std::getline(lines, frame);
  std::map<std::size_t, std::string> by_task;  // a task may be there twice
  for (std::string line; std::getline(lines, line);) by_task[read_entry(line).task] = line;
  entries.clear();
  for (const auto& [task, entry] : by_task) entries.push_back(entry);
  if (!entries.empty() && writer_.reopen(frame)) {
    entries = sound_entries(entries);
  } else {
    entries.clear();
    writer_.create();
    if (communicator_.root()) frame = writer_.frame();
  }
  for (const std::string& entry : entries) done_.push_back(read_entry(entry).task);
  if (communicator_.root()) {
    entries.insert(entries.begin(), frame);
    journal_.start(entries);
  }
  if (!done_.empty())
    core::log("attribute: going on with what an earlier run left: {} of {} tasks are done", done_.size(), plan_.tasks);
}

std::string AttributionFile::close_task(std::size_t task) {
  auto rows = nlohmann::json::array();
  for (const io::WrittenBlock& block : std::exchange(blocks_, {}))
    rows.push_back({block.variable, block.offset, block.count, block.checksum});
  return nlohmann::ordered_json{{"task", task}, {"rows", rows}}.dump();
}

void AttributionFile::finish() {
  writer_.finish();
  if (communicator_.root()) journal_.remove();
}

}  // namespace amacrine::attribution
