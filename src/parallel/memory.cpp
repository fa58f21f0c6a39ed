// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/memory.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/memory.hpp"
#include "amacrine/parallel/environment.hpp"
#include "amacrine/parallel/together.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <Kokkos_Core.hpp>

namespace amacrine::parallel {

namespace {

/// By how much the ranks of a host outnumber those of this rank's group on it.
double ranks_beside = 1;

double ranks_here(const Communicator& communicator) {
  const std::string host = host_name();
  const std::vector<std::string> hosts = gather_texts(communicator, host);
  return static_cast<double>(std::count(hosts.begin(), hosts.end(), host));
}

}  // namespace

MemoryShare::MemoryShare(const Communicator& world, const Communicator& group) {
  const double all = ranks_here(world), ours = ranks_here(group);
  ranks_beside = all / ours;
}

MemoryShare::~MemoryShare() { ranks_beside = 1; }

void require_memory(const Communicator& communicator, double bytes, const std::string& what, const std::string& advice) {
  const std::string host = host_name();
  const std::vector<std::string> hosts = gather_texts(communicator, host);
  const std::vector<double> needs = communicator.gather_all<double>(std::span<const double>(&bytes, 1));
  double need = 0;
  int ranks = 0;
  for (std::size_t r = 0; r < hosts.size(); ++r)
    if (hosts[r] == host) need += needs[r], ++ranks;
  need *= ranks_beside;
  ranks = static_cast<int>(std::lround(ranks * ranks_beside));
  const double left = core::available_memory();
  std::string fault;
  if (!(need <= left))
    fault = fmt::format("{} needs {} of memory for {} rank{} on {}, which has {} left; {}", what, core::human_bytes(need), ranks,
                        ranks == 1 ? "" : "s", host, core::human_bytes(left), advice);
  for (const std::string& text : gather_texts(communicator, fault))
    if (!text.empty()) core::fail<core::RefusedError>("{}", text);
}

bool device_memory_is_host() {
  return Kokkos::SpaceAccessibility<Kokkos::HostSpace, Kokkos::DefaultExecutionSpace::memory_space>::accessible;
}

}  // namespace amacrine::parallel
