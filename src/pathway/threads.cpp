// SPDX-License-Identifier: Apache-2.0
// The only source of the room that sees Kokkos.
#include "threads.hpp"

#include "amacrine/core/views.hpp"

namespace amacrine::pathway {

void for_each_item(const char* label, std::size_t count, const std::function<void(std::size_t)>& body) {
  const core::HostExec exec;
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<core::HostExec, Kokkos::Schedule<Kokkos::Dynamic>>(exec, 0, count, Kokkos::ChunkSize(1)),
      [&](const std::size_t i) { body(i); });
  exec.fence(label);
}

}  // namespace amacrine::pathway
