// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <string>
#include <vector>

namespace amacrine::parallel {

/// Where a rank computes: its host, and a name of its GPU that no other on the host has; empty without one.
struct Placement {
  std::string host, gpu;
};

/// Collective. Every rank's, in rank order. Ranks of a host take its GPUs in turn, by their number on the host, where the batch
/// system has not given each its own (Kokkos reads that number from Open MPI, SLURM and others).
std::vector<Placement> placements(const Communicator& communicator);

/// One line for the log: how many ranks are on how many GPUs of each host. Empty without GPUs.
std::string gpu_line(const std::vector<Placement>& ranks);

/// A warning where ranks share a GPU: on which host, and what to start instead. Empty where none do.
std::string gpu_warning(const std::vector<Placement>& ranks);

}  // namespace amacrine::parallel
