// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <unistd.h>

namespace amacrine::core {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

/// The first number of a file; nothing where there is none ("max").
std::optional<double> number_in(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

/// The number after `name` in a file of lines "name value", in the file's unit.
double entry(const std::string& path, const std::string& name, double otherwise) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    double value = 0;
    if (words >> word >> value && word == name) return value;
  }
  return otherwise;
}

/// What the limit of one control group leaves. Cached pages of files give way to whoever needs memory, so they do not count as
/// used.
double left_in(const std::string& folder, const char* limit, const char* usage, const char* cached) {
  const auto most = number_in(folder + "/" + limit), used = number_in(folder + "/" + usage);
  if (!most || !used) return unlimited;
  return std::max(0.0, *most - *used + std::min(*used, entry(folder + "/memory.stat", cached, 0)));
}

/// The least that a group and those above it leave: `group` is its path below `root`.
double left_above(const std::string& root, std::string group, const char* limit, const char* usage, const char* cached) {
  double least = unlimited;
  while (true) {
    least = std::min(least, left_in(root + group, limit, usage, cached));
    const std::size_t slash = group.find_last_of('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

/// What the limit on the process's address space (`ulimit -v`, which some batch systems set) leaves.
double left_to_the_process(const std::string& proc) {
  const std::string name = "Max address space";
  std::ifstream limits(proc + "/self/limits");
  for (std::string line; std::getline(limits, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream words(line.substr(name.size()));
    double most = 0;
    const auto pages = number_in(proc + "/self/statm");
    if (!(words >> most) || !pages) return unlimited;
    return std::max(0.0, most - *pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  return unlimited;
}

}  // namespace

double available_memory(const std::string& proc, const std::string& cgroup) {
  double least = std::min(1024 * entry(proc + "/meminfo", "MemAvailable:", unlimited), left_to_the_process(proc));
  std::ifstream groups(proc + "/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "0::/path" (version 2) or "4:memory:/path"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string kind = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (kind.empty()) least = std::min(least, left_above(cgroup, group, "memory.max", "memory.current", "inactive_file"));
    if (kind == "memory")
      least = std::min(
          least, left_above(cgroup + "/memory", group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"));
  }
  return least;
}

}  // namespace amacrine::core
