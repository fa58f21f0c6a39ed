// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace amacrine::core::detail {

/// N values side by side, the compiler's own vector of them.
template <class S, int N>
struct Vector {
  typedef S type __attribute__((vector_size(static_cast<std::size_t>(N) * sizeof(S))));  // NOLINT(modernize-use-using)
};

}  // namespace amacrine::core::detail
