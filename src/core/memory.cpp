// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/memory.hpp"

#include <cstdint>
#include <sys/mman.h>

namespace amacrine::core {

void prefer_large_pages(void* begin, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr std::uintptr_t page = 4096;
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(begin), first = (address + page - 1) / page * page,
                       last = (address + bytes) / page * page;
  if (last > first) static_cast<void>(madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE));
#else
  static_cast<void>(begin), static_cast<void>(bytes);
#endif
}

}  // namespace amacrine::core
