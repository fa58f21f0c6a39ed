// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <string>

namespace amacrine::parallel {

/// Collective. Refuses (core::RefusedError with both figures) where the ranks of some host need more memory than it has left, its
/// control groups' limits included. `bytes`: what this rank will need beside what it has; `what` needs it; `advice`: what to do.
void require_memory(const Communicator& communicator, double bytes, const std::string& what, const std::string& advice);

/// For its life require_memory() on `group` counts with the other ranks of `world` on the same host as if they needed as much:
/// groups of ranks work side by side, each for itself. Collective over `world`. One at a time.
class MemoryShare {
 public:
  MemoryShare(const Communicator& world, const Communicator& group);
  ~MemoryShare();
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;
};

/// Whether kernels work in the host's memory; false on a GPU with memory of its own.
bool device_memory_is_host();

}  // namespace amacrine::parallel
