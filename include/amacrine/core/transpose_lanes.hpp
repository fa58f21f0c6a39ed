// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/lanes.hpp"
#include "amacrine/core/vector.hpp"

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

/// Squares of W x W values transposed in registers.
namespace amacrine::core {
namespace detail {

/// Integers as wide as S, for the places of a permutation.
template <class S>
using Place = std::conditional_t<sizeof(S) == 1, std::int8_t, std::conditional_t<sizeof(S) == 4, std::int32_t, std::int64_t>>;

/// Lanes of two rows D apart after the step that exchanges blocks of D: the upper (High) or the lower row's.
template <int W, int D, bool High>
constexpr int exchanged(int i) {
  if (i & D) return W + (High ? i : i - D);
  return High ? i + D : i;
}

template <class S, int W, int D, bool High, int... I>
inline Vector<S, W> exchange(const Vector<S, W>& a, const Vector<S, W>& b, std::integer_sequence<int, I...> /*lanes*/) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, exchanged<W, D, High>(I)...);
#else
  return __builtin_shuffle(a, b, Vector<Place<S>, W>{exchanged<W, D, High>(I)...});
#endif
}

template <class S, int W, int D>
inline void exchange_blocks(Vector<S, W> (&rows)[W]) {
  constexpr std::make_integer_sequence<int, W> lanes;
  for (int i = 0; i < W; ++i) {
    if (i & D) continue;
    const auto a = rows[i], b = rows[i + D];
    rows[i] = exchange<S, W, D, false>(a, b, lanes);
    rows[i + D] = exchange<S, W, D, true>(a, b, lanes);
  }
  if constexpr (2 * D < W) exchange_blocks<S, W, 2 * D>(rows);
}

/// Lanes of two rows one by one in turn: of their lower halves, or of their upper ones (High).
template <int W, bool High>
constexpr int interleaved(int i) {
  return (i % 2 == 0 ? 0 : W) + i / 2 + (High ? W / 2 : 0);
}
template <class S, int W, bool High, int... I>
inline Vector<S, W> interleave(const Vector<S, W>& a, const Vector<S, W>& b, std::integer_sequence<int, I...> /*lanes*/) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, interleaved<W, High>(I)...);
#else
  return __builtin_shuffle(a, b, Vector<Place<S>, W>{interleaved<W, High>(I)...});
#endif
}

/// exchange_blocks of all sizes in turn, for rows of 16 bytes, which processors interleave in one instruction: of a value's
/// place, row and lane as one binary number, each step moves the highest digit to the end.
template <class S, int W>
inline void interleave_rows(Vector<S, W> (&rows)[W]) {
  constexpr std::make_integer_sequence<int, W> lanes;
  for (int step = 1; step < W; step *= 2) {
    Vector<S, W> next[W];
    for (int i = 0; i < W / 2; ++i) {
      next[2 * i] = interleave<S, W, false>(rows[i], rows[i + W / 2], lanes);
      next[2 * i + 1] = interleave<S, W, true>(rows[i], rows[i + W / 2], lanes);
    }
    for (int i = 0; i < W; ++i) rows[i] = next[i];
  }
}

/// The transpose of W rows.
template <class S, int W>
inline void transpose_in_registers(Vector<S, W> (&rows)[W]) {
  if constexpr (W * sizeof(S) <= 16) {
    interleave_rows<S, W>(rows);
  } else {
    exchange_blocks<S, W, 1>(rows);
  }
}

}  // namespace detail

/// to[j * to_stride + i] = from[i * from_stride + j] for the `rows` first i and the `columns` first j, both at most W; i beyond
/// `rows` count as zeros. W values of every row are read, and W of `columns` rows written.
template <class S, int W>
inline void transpose_square(const S* from, std::size_t from_stride, int rows, S* to, std::size_t to_stride, int columns) {
  using Row = Vector<S, W>;
  Row square[W];
  for (int i = 0; i < W; ++i) {
    if (i < rows) {
      __builtin_memcpy(&square[i], from + static_cast<std::size_t>(i) * from_stride, sizeof(Row));
    } else {
      square[i] = Row{};
    }
  }
  detail::transpose_in_registers<S, W>(square);
  for (int j = 0; j < W; ++j)
    if (j < columns) __builtin_memcpy(to + static_cast<std::size_t>(j) * to_stride, &square[j], sizeof(Row));
}

/// to[j * W + i] = rows[i][begin + j]: W values of each of W rows that lie anywhere.
template <class S, int W>
inline void transpose_rows(const S* const (&rows)[W], std::size_t begin, S* to) {
  if constexpr (W == 1) {
    *to = rows[0][begin];
  } else {
    using Row = Vector<S, W>;
    Row square[W];
    for (int i = 0; i < W; ++i) __builtin_memcpy(&square[i], rows[i] + begin, sizeof(Row));
    detail::transpose_in_registers<S, W>(square);
    for (int j = 0; j < W; ++j) __builtin_memcpy(to + j * W, &square[j], sizeof(Row));
  }
}

/// transpose_square for W = lane_count, where a GPU's one lane is a copy.
template <class S>
KOKKOS_INLINE_FUNCTION void transpose_lanes(const S* from, std::size_t from_stride, int rows, S* to, std::size_t to_stride,
                                            int columns) {
  if constexpr (lane_count<S> == 1) {
    if (rows > 0 && columns > 0) *to = *from;
  } else {
    transpose_square<S, lane_count<S>>(from, from_stride, rows, to, to_stride, columns);
  }
}

}  // namespace amacrine::core
