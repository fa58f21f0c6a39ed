// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>

namespace amacrine::parallel::detail {

/// MPI counts are ints: what is larger travels in pieces. Kept in one place so that tests can make the pieces small.
struct Pieces {
  std::size_t broadcast_bytes = std::size_t{1} << 30;
  std::size_t sum_values = std::size_t{1} << 27;  ///< of all shards together, in one exchange of an ordered sum
  std::size_t gather_values = static_cast<std::size_t>(std::numeric_limits<int>::max());  ///< more of them are sent rank by rank
};
Pieces& pieces();

}  // namespace amacrine::parallel::detail
