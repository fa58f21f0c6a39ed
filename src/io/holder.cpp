// SPDX-License-Identifier: Apache-2.0
#include "holder.hpp"

#include "amacrine/parallel/environment.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace amacrine::io::detail {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string pid_space() {
  std::array<char, 64> target{};
  const ssize_t length = readlink("/proc/self/ns/pid", target.data(), target.size() - 1);
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : "";
}

/// State letter and start time (clock ticks since the boot) of a process; empty where /proc does not show it.
struct ProcessState {
  std::string state, started;
};

ProcessState process_state(const std::string& pid) {
  const std::string line = first_line("/proc/" + pid + "/stat");
  const std::size_t name_end = line.rfind(')');  // the name may hold blanks and brackets
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  constexpr std::size_t start_field = 19;  // field 22 of proc(5); the first here is field 3
  if (fields.size() <= start_field) return {};
  return {fields[0], fields[start_field]};
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
}

bool same(const Holder& a, const Holder& b, std::initializer_list<const char*> names) {
  return std::all_of(names.begin(), names.end(),
                     [&](const char* name) { return !fact(a, name).empty() && fact(a, name) == fact(b, name); });
}

/// For a holder of this boot and pid space.
std::string gone(const Holder& holder) {
  const std::string pid = fact(holder, "pid");
  if (!is_number(pid)) return {};
  if (kill(static_cast<pid_t>(std::stol(pid)), 0) != 0 && errno == ESRCH) return fmt::format("its process {} is gone", pid);
  const ProcessState now = process_state(pid);
  if (now.state == "Z" || now.state == "X") return fmt::format("its process {} has ended", pid);
  if (!now.started.empty() && now.started != fact(holder, "started"))
    return fmt::format("its process is gone: pid {} is another one now", pid);
  return {};
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::string text;
  std::array<char, 256> piece{};
  while (pipe && std::fgets(piece.data(), piece.size(), pipe.get()) != nullptr) text += piece.data();
  return text;
}

/// SLURM's word on a job of this cluster: the state it ended in; empty where it has not ended or is not known.
std::string ended_job(const std::string& job) {
  std::istringstream words(output_of("sacct --noheader --allocations --parsable2 --format=State --jobs=" + job + " 2>/dev/null"));
  std::string state;
  words >> state;  // "CANCELLED by 1000" is one of them
  for (const char* end :
       {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "BOOT_FAIL", "DEADLINE"})
    if (state == end) return state;
  return {};
}

}  // namespace

std::string fact(const Holder& holder, const std::string& name) {
  const auto found = holder.find(name);
  return found == holder.end() ? "" : found->second;
}

Holder this_process() {
  const std::string pid = std::to_string(getpid());
  const std::string restart = variable("SLURM_RESTART_COUNT");  // SLURM sets it from the first restart on
  return {{"host", parallel::host_name()},
          {"machine", first_line("/etc/machine-id")},
          {"boot", first_line("/proc/sys/kernel/random/boot_id")},
          {"pid_space", pid_space()},
          {"pid", pid},
          {"started", process_state(pid).started},
          {"cluster", variable("SLURM_CLUSTER_NAME")},
          {"job", variable("SLURM_JOB_ID")},
          {"restart", restart.empty() ? "0" : restart}};
}

std::string describe(const Holder& holder) {
  const std::string job = fact(holder, "job");
  return fmt::format("amacrine {} ({}) on host {}, pid {}{}, since {}, run {}", fact(holder, "verb"), fact(holder, "study"),
                     fact(holder, "host"), fact(holder, "pid"), job.empty() ? "" : ", SLURM job " + job, fact(holder, "since"),
                     fact(holder, "run"));
}

std::string proof_of_end(const Holder& holder, const Holder& self, bool asked) {
  if (same(holder, self, {"boot", "pid_space"})) return gone(holder);
  const std::string job = fact(holder, "job"), before = fact(holder, "restart"), now = fact(self, "restart");
  if (same(holder, self, {"cluster", "job"}) && is_number(before) && is_number(now) && std::stol(before) < std::stol(now))
    return fmt::format("SLURM has requeued its job {} as this one", job);
  if (!asked) return {};
  if (same(holder, self, {"host", "machine"}) && !fact(holder, "boot").empty() && !fact(self, "boot").empty() &&
      fact(holder, "boot") != fact(self, "boot"))
    return fmt::format("its host {} was started anew", fact(holder, "host"));
  if (is_number(job) && same(holder, self, {"cluster"}))
    if (const std::string state = ended_job(job); !state.empty())
      return fmt::format("SLURM says that its job {} is {}", job, state);
  return {};
}

}  // namespace amacrine::io::detail
