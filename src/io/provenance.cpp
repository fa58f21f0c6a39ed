// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/provenance.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/core/version.hpp"
#include "amacrine/io/lock.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/parallel/environment.hpp"
#include "checked_file.hpp"
#include "contents.hpp"
#include "hdf5.hpp"
#include "held.hpp"
#include "in_use.hpp"
#include "linked_files.hpp"
#include "on_root.hpp"
#include "utc.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <tuple>

namespace amacrine::io {
namespace {

std::string command_line() {
  std::ifstream stream("/proc/self/cmdline", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  while (!text.empty() && text.back() == '\0') text.pop_back();
  for (char& c : text)
    if (c == '\0') c = ' ';
  return text;
}

std::string hdf5_version() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

/// The hosts of all ranks, each once, in rank order (collective).
std::string all_hosts(const parallel::Communicator& communicator) {
  const std::string mine = parallel::host_name() + "\n";
  const std::vector<char> all = communicator.gather_all<char>(std::span<const char>(mine.data(), mine.size()));
  std::stringstream lines(std::string(all.begin(), all.end()));
  std::set<std::string> seen;
  std::string hosts;
  for (std::string host; std::getline(lines, host);) {
    if (!seen.insert(host).second) continue;
    if (!hosts.empty()) hosts += ' ';
    hosts += host;
  }
  return hosts;
}

struct Checksum {
  std::uintmax_t size = 0;
  std::filesystem::file_time_type time;
  std::string value;
};

Checksum size_and_time(const std::string& path) {
  std::error_code fault;
  const Checksum now{std::filesystem::file_size(path, fault), std::filesystem::last_write_time(path, fault), {}};
  core::require<core::InputError>(!fault, "{}: cannot be read: {}", path, fault.message());
  return now;
}

/// Checksums of this process by file and by what of it is summed.
std::map<std::pair<std::string, std::string>, Checksum>& known_checksums() {
  static std::map<std::pair<std::string, std::string>, Checksum> all;
  return all;
}

/// What `make` says of the file, once per process as long as size and time stay. `what`: what is summed.
template <class Make>
std::string cached_checksum(const std::string& path, const std::string& what, const Make& make) {
  Checksum now = size_and_time(path);
  Checksum& known = known_checksums()[{path, what}];
  if (!known.value.empty() && known.size == now.size && known.time == now.time) return known.value;
  now.value = make();
  known = now;
  return known.value;
}

void require_as_checked(const std::string& path) {
  for (const auto& [key, known] : known_checksums()) {
    if (key.first != path || known.value.empty()) continue;
    const Checksum now = size_and_time(path);
    core::require<core::InputError>(
        known.size == now.size && known.time == now.time,
        "{} was changed while it was read, so that nobody can say which values were used. Start again", path);
  }
}

/// Path, size and time of files: equal stamps mean equal contents.
std::string stamp_of(const std::vector<std::string>& files) {
  std::string stamp;
  for (const std::string& path : files) {
    const Checksum now = size_and_time(path);
    stamp += fmt::format("{} {} {}\n", path, now.size, now.time.time_since_epoch().count());
  }
  return stamp;
}

/// Compares files of ours with their checksums: a damaged one must not pass for another input, and HDF5 opens targets of links by
/// itself.
void require_whole(const std::vector<std::string>& files) {
  for (const std::string& path : files)
    if (std::optional<detail::CheckedFile> checked = detail::CheckedFile::open(path)) checked->require_all();
}

/// Of the contents of all files together; one file's is that of its bytes.
std::string whole_checksum(const std::vector<std::string>& files) {
  require_whole(files);
  std::string all;
  for (const std::string& path : files) all += core::hash_file(path);
  return files.size() == 1 ? all : core::hash_bytes(all.data(), all.size());
}

/// Compares an output with its checksums once per process as long as size and time stay.
void verify_once(const Reader& file) {
  static std::set<std::string> whole;
  const std::string stamp = stamp_of({file.path()});
  if (whole.contains(stamp)) return;
  file.verify();
  whole.insert(stamp);
}

}  // namespace

std::string checksum_of(const std::string& path) {
  size_and_time(path);  // says what is missing
  std::vector<std::string> files = detail::linked_files(path);
  files.insert(files.begin(), path);
  return cached_checksum(path, "whole:" + stamp_of(files), [&] { return whole_checksum(files); });
}

namespace {

/// What keeps an existing file from being used again; empty where nothing does.
std::vector<std::string> differences(const Provenance& found, const Provenance& wanted) {
  std::vector<std::string> lines;
  if (found.verb != wanted.verb) lines.push_back(fmt::format("made by '{}', not by '{}'", found.verb, wanted.verb));
  if (found.study_hash != wanted.study_hash) {
    lines = core::study_differences(found.step_study, wanted.step_study);
    if (lines.empty()) lines.push_back(fmt::format("study hash: {} -> {}", found.study_hash, wanted.study_hash));
  }
  const auto checksum_of = [](const Provenance& made, const std::string& role, std::size_t nth) -> std::string {
    for (const Input& input : made.inputs)
      if (input.role == role && nth-- == 0) return input.checksum;
    return "(absent)";
  };
  std::map<std::string, std::size_t> most;
  for (const Provenance* made : {&found, &wanted}) {
    std::map<std::string, std::size_t> count;
    for (const Input& input : made->inputs) most[input.role] = std::max(most[input.role], ++count[input.role]);
  }
  for (const auto& [role, count] : most)
    for (std::size_t nth = 0; nth < count; ++nth) {
      const std::string before = checksum_of(found, role, nth), now = checksum_of(wanted, role, nth);
      if (before != now) lines.push_back(fmt::format("checksum of the {}: {} -> {}", role, before, now));
    }
  return lines;
}

Reuse decide(const std::string& path, const Provenance& wanted, bool overwrite) {
  std::error_code fault;
  if (!std::filesystem::exists(path, fault)) return Reuse::make;
  std::string reason;
  try {
    const Reader found(path);
    const std::vector<std::string> lines = differences(found.provenance(), wanted);
    if (lines.empty()) {
      verify_once(found);
      return Reuse::reuse;
    }
    reason = fmt::format("was made by another study or from other inputs:\n  {}", fmt::join(lines, "\n  "));
  } catch (const InUseError& error) {
    core::fail<core::RefusedError>("{}", error.what());
  } catch (const core::InputError& error) {
    reason = fmt::format("is in the way and cannot be used again: {}", error.what());
  }
  core::require<core::RefusedError>(overwrite, "{} {}\nGive --overwrite to replace it, or another study.output", path, reason);
  return Reuse::make;
}

/// decide(), and says what will be done.
Reuse announced(const std::string& path, const Provenance& wanted, bool overwrite) {
  const Reuse decision = decide(path, wanted, overwrite);
  std::error_code fault;
  if (decision == Reuse::reuse) core::log("{} is whole and made by the same study: used again", path);
  if (decision == Reuse::make && std::filesystem::exists(path, fault)) core::log("{} will be replaced", path);
  return decision;
}

/// Collective: rank 0's decision.
template <class Decide>
Reuse decided_by_root(const parallel::Communicator& communicator, const Decide& decide) {
  int decision = 0;
  detail::on_root(communicator, [&] { decision = static_cast<int>(decide()); });
  communicator.broadcast(&decision, sizeof decision);
  return static_cast<Reuse>(decision);
}

}  // namespace

Provenance make_provenance(const parallel::Communicator& communicator, const core::Study& study, const std::string& verb,
                           const std::vector<std::string>& tables, const std::vector<Input>& inputs) {
  detail::start_hdf5();
  Provenance made{verb, study.resolved(), study.resolved(tables), study.hash(tables), inputs, core::build_facts()};
  auto& facts = made.facts;
  facts["mpi"] = parallel::mpi_version();
  facts["hdf5_version"] = hdf5_version();
  facts["ranks"] = std::to_string(communicator.size());
  facts["threads"] = std::to_string(parallel::thread_count());
  facts["device"] = parallel::device_name();
  facts["hosts"] = all_hosts(communicator);
  facts["command_line"] = communicator.broadcast(command_line());
  facts["started"] = communicator.broadcast(detail::utc_now());
  facts["study_file"] = study.file();
  facts["id"] = communicator.broadcast(run_id());
  for (const char* name :
       {"SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT", "SLURM_JOB_NODELIST"})
    if (const char* value = std::getenv(name)) facts[name] = value;
  return made;
}

Input checked_input(const parallel::Communicator& communicator, const std::string& role, const std::string& path) {
  std::string checksum;
  detail::on_root(communicator, [&] { checksum = checksum_of(path); });
  return {role, path, communicator.broadcast(checksum)};
}

Reuse check_reuse(const parallel::Communicator& communicator, const std::string& path, const Provenance& wanted, bool overwrite) {
  return decided_by_root(communicator, [&] { return announced(path, wanted, overwrite); });
}

Input checked_contents(const parallel::Communicator& communicator, const std::string& role, const std::string& path,
                       const std::vector<std::string>& names) {
  std::string checksum;
  const auto sum = [&] {
    require_whole(detail::linked_files(path));
    return detail::contents_checksum(Reader(path), names);
  };
  detail::on_root(communicator, [&] { checksum = cached_checksum(path, fmt::format("{}", fmt::join(names, " ")), sum); });
  return {role, path, communicator.broadcast(checksum)};
}

void require_unchanged(const parallel::Communicator& communicator, const std::vector<Input>& inputs) {
  detail::on_root(communicator, [&] {
    for (const Input& input : inputs) require_as_checked(input.path);
  });
}

std::optional<OutputLock> claim_output(const parallel::Communicator& communicator, const std::string& path,
                                       const Provenance& wanted, bool overwrite, const LockRequest& request) {
  // What is whole is used again whoever holds the lock, and where nothing can be written.
  const Reuse first = decided_by_root(communicator, [&] { return decide(path, wanted, overwrite); });
  std::optional<OutputLock> lock;
  if (first == Reuse::make) lock.emplace(communicator, path, request);
  if (first == Reuse::reuse) detail::on_root(communicator, [&] { detail::remove_dead_lock(path, request); });
  // Another run may have finished it before the lock was ours.
  if (check_reuse(communicator, path, wanted, overwrite) == Reuse::reuse) lock.reset();
  return lock;
}

}  // namespace amacrine::io
