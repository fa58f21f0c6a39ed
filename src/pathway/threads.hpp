// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"

namespace amacrine::pathway {

/// body(0), ..., body(count - 1) on the host's threads, one at a time to whichever is free.
template <class Body>
void for_each_item(const char* label, std::size_t count, const Body& body) {
  const core::HostExec exec;
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<core::HostExec, Kokkos::Schedule<Kokkos::Dynamic>>(exec, 0, count, Kokkos::ChunkSize(1)),
      [&](const std::size_t i) { body(i); });
  exec.fence(label);
}

}  // namespace amacrine::pathway
