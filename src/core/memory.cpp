// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/memory.hpp"

#include <cstdint>
#include <sys/mman.h>

namespace amacrine::core {

void prefer_large_pages(void* begin, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr std::size_t page = 4096;
  const std::size_t head = (page - reinterpret_cast<std::uintptr_t>(begin) % page) % page;  // to the first whole page
  if (bytes < head + page) return;
  static_cast<void>(madvise(static_cast<char*>(begin) + head, (bytes - head) / page * page, MADV_HUGEPAGE));
#else
  static_cast<void>(begin), static_cast<void>(bytes);
#endif
}

}  // namespace amacrine::core
