// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace amacrine::attribution {

/// The k values of largest size of each row, and the sum of the others: what is kept of a row where the whole would be too much.
struct TopRows {
  std::size_t rows = 0, kept = 0;
  std::vector<std::int32_t> index;  ///< (rows, kept) places in the row: larger size first, of equals the smaller place
  std::vector<float> rest;          ///< (rows) sum of the values that were not kept, in double in the order of their places
};

/// `values`: (rows, K), K >= kept. Values that are not finite come last, so that the rest tells of them.
TopRows select_top(const std::vector<float>& values, std::size_t rows, std::size_t kept);

/// The values (rows, K) at the places kept: (rows, kept).
std::vector<float> take_top(const std::vector<float>& values, const TopRows& top);

}  // namespace amacrine::attribution
