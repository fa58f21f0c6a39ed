// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/memory.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/memory.hpp"
#include "amacrine/parallel/environment.hpp"

#include <sstream>
#include <vector>

#include <Kokkos_Core.hpp>

namespace amacrine::parallel {
namespace {

/// Every rank's text, in rank order. Collective; texts hold no line breaks.
std::vector<std::string> all_texts(const Communicator& communicator, const std::string& mine) {
  const std::string line = mine + "\n";
  const std::vector<char> all = communicator.gather_all<char>(std::span<const char>(line.data(), line.size()));
  std::istringstream lines(std::string(all.begin(), all.end()));
  std::vector<std::string> texts;
  for (std::string text; std::getline(lines, text);) texts.push_back(text);
  return texts;
}

}  // namespace

void require_memory(const Communicator& communicator, double bytes, const std::string& what, const std::string& advice) {
  const std::string host = host_name();
  const std::vector<std::string> hosts = all_texts(communicator, host);
  const std::vector<double> needs = communicator.gather_all<double>(std::span<const double>(&bytes, 1));
  double need = 0;
  int ranks = 0;
  for (std::size_t r = 0; r < hosts.size(); ++r)
    if (hosts[r] == host) need += needs[r], ++ranks;
  const double left = core::available_memory();
  std::string fault;
  if (!(need <= left))
    fault = fmt::format("{} needs {} of memory for {} rank{} on {}, which has {} left; {}", what, core::human_bytes(need), ranks,
                        ranks == 1 ? "" : "s", host, core::human_bytes(left), advice);
  for (const std::string& text : all_texts(communicator, fault))
    if (!text.empty()) core::fail<core::RefusedError>("{}", text);
}

bool device_memory_is_host() {
  return Kokkos::SpaceAccessibility<Kokkos::HostSpace, Kokkos::DefaultExecutionSpace::memory_space>::accessible;
}

}  // namespace amacrine::parallel
