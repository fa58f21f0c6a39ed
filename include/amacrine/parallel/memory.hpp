// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <string>

namespace amacrine::parallel {

/// Collective. Refuses (core::RefusedError with both figures) where the ranks of some host need more memory than it has left, its
/// control groups' limits included. `bytes`: what this rank will need beside what it has; `what` needs it; `advice`: what to do.
void require_memory(const Communicator& communicator, double bytes, const std::string& what, const std::string& advice);

/// Whether kernels work in the host's memory; false on a GPU with memory of its own.
bool device_memory_is_host();

}  // namespace amacrine::parallel
