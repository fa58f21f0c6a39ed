// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/devices.hpp"

#include "amacrine/parallel/environment.hpp"
#include "amacrine/parallel/together.hpp"

#include <map>
#include <set>

#include <Kokkos_Core.hpp>
#include <fmt/format.h>

namespace amacrine::parallel {
namespace {

/// Unique among the GPUs and parts of GPUs of a host, whatever number this process knows it by; empty where kernels run on hosts.
std::string gpu_of_this_process() {
  std::string name;
#ifdef KOKKOS_ENABLE_CUDA
  for (const char byte : Kokkos::Cuda().cuda_device_prop().uuid.bytes)
    name += fmt::format("{:02x}", static_cast<unsigned char>(byte));
#endif
  return name;
}

struct Host {
  int ranks = 0;
  std::set<std::string> gpus;
};

std::map<std::string, Host> by_host(const std::vector<Placement>& ranks) {
  std::map<std::string, Host> hosts;
  for (const Placement& rank : ranks) {
    if (rank.gpu.empty()) continue;
    Host& host = hosts[rank.host];
    ++host.ranks;
    host.gpus.insert(rank.gpu);
  }
  return hosts;
}

std::string count(std::size_t number, const char* what) { return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s"); }

}  // namespace

std::vector<Placement> placements(const Communicator& communicator) {
  const std::vector<std::string> hosts = gather_texts(communicator, host_name()),
                                 gpus = gather_texts(communicator, gpu_of_this_process());
  std::vector<Placement> all;
  for (std::size_t r = 0; r < hosts.size(); ++r) all.push_back({hosts[r], gpus[r]});
  return all;
}

std::string gpu_line(const std::vector<Placement>& ranks) {
  std::string line;
  for (const auto& [name, host] : by_host(ranks))
    line += fmt::format("{}{} on {} of {}", line.empty() ? "" : ", ", count(static_cast<std::size_t>(host.ranks), "rank"),
                        count(host.gpus.size(), "GPU"), name);
  return line;
}

std::string gpu_warning(const std::vector<Placement>& ranks) {
  for (const auto& [name, host] : by_host(ranks))
    if (host.gpus.size() < static_cast<std::size_t>(host.ranks))
      return fmt::format(
          "{} on {} share {}, so that they wait for each other: start one rank for each GPU (--ntasks-per-node={}), or ask for "
          "more (--gpus-per-node={})",
          count(static_cast<std::size_t>(host.ranks), "rank"), name, count(host.gpus.size(), "GPU"), host.gpus.size(),
          host.ranks);
  return {};
}

}  // namespace amacrine::parallel
