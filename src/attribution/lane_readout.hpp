// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/path_network.hpp"
#include "amacrine/core/lanes.hpp"

#include <cstddef>
#include <vector>

/// Sums over the last layer for several cells at once: a row of units in registers of windows, rows in double.
namespace amacrine::attribution {

/// Where the cells' readout weights begin.
template <class S>
std::vector<const S*> readout_rows(const PathNetwork<S>& network, const std::vector<int>& cells) {
  std::vector<const S*> rows;
  rows.reserve(cells.size());
  for (int cell : cells) rows.push_back(&network.readout(static_cast<std::size_t>(cell), 0));
  return rows;
}

/// sums(n, l) += sum_x w(n, v + x) row(x)(l) for N cells, `stride` apart; row(x): where unit x's registers lie.
/// A function of its own, whose sums have all registers.
template <int N, class S, class Row>
[[gnu::noinline]] void read_out_cells(const S* const* w, std::size_t v, const Row& row, int width, double* sums,
                                      std::size_t stride) {
  using V = core::Lanes<S>;
  constexpr int L = core::lane_count<S>;
  V acc[N];
  core::for_each_index<N>([&](auto n) { acc[n] = V(S(0)); });
  for (int x = 0; x < width; ++x) {
    const V value = core::load_lanes<S>(row(x));
    core::for_each_index<N>([&](auto n) { acc[n] = Kokkos::fma(V(w[n][v + static_cast<std::size_t>(x)]), value, acc[n]); });
  }
  S lane[L];
  for (int n = 0; n < N; ++n) {
    core::store_lanes<S>(acc[n], lane);
    for (int l = 0; l < L; ++l)
      sums[static_cast<std::size_t>(n) * stride + static_cast<std::size_t>(l)] += static_cast<double>(lane[l]);
  }
}

/// read_out_cells for `count` cells, at most N.
template <int N, class S, class Row>
void read_out_some(const S* const* w, std::size_t count, std::size_t v, const Row& row, int width, double* sums,
                   std::size_t stride) {
  if constexpr (N > 1)
    if (count < static_cast<std::size_t>(N)) return read_out_some<N - 1>(w, count, v, row, width, sums, stride);
  read_out_cells<N>(w, v, row, width, sums, stride);
}

/// read_out_cells for all cells, whose weights of the row's first unit are at readout[n] + v. A cell's sum does not depend on its
/// company.
template <class S, class Row>
void read_out_row(const std::vector<const S*>& readout, std::size_t v, const Row& row, int width, double* sums,
                  std::size_t stride) {
  const std::size_t cells = readout.size(), parts = (cells + 7) / 8;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t begin = part * cells / parts, count = (part + 1) * cells / parts - begin;
    read_out_some<8>(readout.data() + begin, count, v, row, width, sums + begin * stride, stride);
  }
}

/// Units side by side: (width, L).
template <class S>
auto units_at(const S* row) {
  return [row](int x) { return row + x * core::lane_count<S>; };
}

}  // namespace amacrine::attribution
