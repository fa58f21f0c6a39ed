// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/numbers.hpp"
#include "lane_readout.hpp"
#include "slopes.hpp"
#include "window_lanes.hpp"

#include <algorithm>
#include <array>

namespace amacrine::attribution {
namespace {

/// Output rows whose sums stay in registers, for two channels at once.
template <class S>
constexpr int rows_at_once = core::lane_count<S> * sizeof(S) == 64 ? 9 : 4;

/// A column of one first-layer channel's change, (input rows, L), on its way to a column of the second layer:
/// out(d, y) = slope(d, y) sum_j tap(d, j) in(y + j).
template <class S>
struct ColumnTaps {
  const S *taps, *slopes;    ///< of the first output channel
  std::size_t channel_step;  ///< from channel to channel of the taps
  std::size_t step;          ///< from row to row of the kernel
  int kernel_y, rows;        ///< rows of the output
  std::size_t slope_step;    ///< from row to row of the slopes
};

/// Output rows [first, first + R) of D channels, `rows` registers apart. A function of its own, whose sums have all registers.
template <int D, int R, class S>
[[gnu::noinline]] void column_block(const ColumnTaps<S>& column, const S* in, int first, S* out) {
  using V = core::Lanes<S>;
  constexpr int L = core::lane_count<S>;
  V sum[D * R], tap[D];
  core::for_each_index<D * R>([&](auto i) { sum[i] = V(S(0)); });
  for (int j = 0; j < column.kernel_y; ++j) {
    const S* const taps = column.taps + core::as_size(j) * column.step;
    core::for_each_index<D>([&](auto d) { tap[d] = V(taps[core::as_size(d) * column.channel_step]); });
    core::for_each_index<R>([&](auto r) {
      const V value = core::load_lanes(in + (first + j + r) * L);
      core::for_each_index<D>([&](auto d) { sum[d * R + r] = Kokkos::fma(tap[d], value, sum[d * R + r]); });
    });
  }
  core::for_each_index<D * R>([&](auto i) {
    const int row = i / R * column.rows + first + i % R;
    core::store_lanes<S>(sum[i] * core::load_lanes(column.slopes + core::as_size(row) * column.slope_step), out + row * L);
  });
}

/// All output rows; the last block overlaps the one before it.
template <int D, class S>
void column_rows(const ColumnTaps<S>& column, const S* in, S* out) {
  constexpr int R = rows_at_once<S>;
  if (column.rows < R) {
    for (int y = 0; y < column.rows; ++y) column_block<D, 1>(column, in, y, out);
    return;
  }
  for (int y = 0; y < column.rows; y += R) column_block<D, R>(column, in, std::min(y, column.rows - R), out);
}

template <class S>
void column_channels(ColumnTaps<S> column, int channels, const S* in, S* out) {
  constexpr int L = core::lane_count<S>;
  int d = 0;
  for (; d + 2 <= channels; d += 2) {
    column_rows<2>(column, in, out + d * column.rows * L);
    column.taps += 2 * column.channel_step;
    column.slopes += core::as_size(2 * column.rows) * column.slope_step;
  }
  if (d < channels) column_rows<1>(column, in, out + d * column.rows * L);
}

/// Of every column of the second layer the units that are active on a panel in any window.
template <class S>
struct ActiveUnits {
  std::vector<std::size_t> begin;  ///< (OX + 1) where a column's begin
  std::vector<int> place;          ///< among the column's units (D, OY)
  std::vector<S> weights;          ///< (M, active units) readout times gain
  std::vector<const S*> readout;   ///< where the cells' weights begin
};

template <class S>
bool any_lane(const S* values) {
  bool any = false;
  for (int l = 0; l < core::lane_count<S>; ++l) any |= values[l] != S(0);
  return any;
}

/// slopes (V, L) of the panel.
template <class S>
ActiveUnits<S> active_units(const PathNetwork<S>& network, const std::vector<int>& cells, const S* slopes) {
  const PathLayer<S>& layer = network.layers[1];
  const std::size_t width = core::as_size(layer.width), size = layer.units() / width;
  ActiveUnits<S> out;
  std::vector<std::size_t> units;
  for (std::size_t x = 0; x < width; ++x) {
    out.begin.push_back(units.size());
    for (std::size_t k = 0; k < size; ++k) {
      const std::size_t v = k * width + x;
      if (!any_lane(slopes + v * core::as_size(core::lane_count<S>))) continue;
      out.place.push_back(static_cast<int>(k));
      units.push_back(v);
    }
  }
  out.begin.push_back(units.size());
  for (int cell : cells)
    for (std::size_t v : units) out.weights.push_back(network.readout(core::as_size(cell), v) * layer.gain(v));
  for (std::size_t i = 0; i < cells.size(); ++i) out.readout.push_back(out.weights.data() + i * units.size());
  return out;
}

/// Which windows' part of a column changes at all.
template <class S>
std::array<bool, core::lane_count<S>> moving(const S* column, int rows) {
  constexpr int L = core::lane_count<S>;
  std::array<bool, L> moves{};
  for (int y = 0; y < rows; ++y)
    for (int l = 0; l < L; ++l) moves[core::as_size(l)] |= column[y * L + l] != S(0);
  return moves;
}

}  // namespace

template <class S>
void WindowLanes<S>::change_column(const DeviceRule<S>& rule, std::size_t g, std::size_t p, int c, int x, S* column) const {
  const PathLayer<S>& first = network_.first();
  for (int y = 0; y < first.height; ++y) {
    const auto u = core::as_size((c * first.height + y) * first.width + x);
    panel_change(&crossing_(g, u, 0), &step_(g, u, 0), rule.alpha(p), rule.alpha(p + 1), rule.inverse_width(p), lanes,
                 column + y * lanes);
  }
}

/// A column reaches as many columns of the second layer as the kernel is wide. Only windows whose part of it changes are given
/// what came out, so that no window's result depends on whether the column was skipped for all.
template <class S>
void WindowLanes<S>::column_tangents(const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View4<double>& sums) {
  const std::size_t panels = core::as_size(rule.intervals()), L = core::as_size(lanes), M = cells.size();
  const PathLayer<S>&first = network_.first(), &second = network_.layers[1];
  const core::View4<S>& kernel = second.kernel;
  const int kernel_x = static_cast<int>(kernel.extent(3));
  take_slopes(rule);
  for_items("attribution::lane_columns", groups_ * panels, scratch_, [&](std::size_t item, S* scratch) {
    const std::size_t g = item / panels, p = item % panels;
    S *const column = scratch, *const values = column + core::as_size(first.height) * L;
    const ActiveUnits<S> units = active_units<S>(network_, cells, &second_(g, p, 0, 0));
    std::vector<double> found(M * L);
    for (int k = 0; k < first.channels * first.width; ++k) {
      const int c = k / first.width, x = k % first.width;
      change_column(rule, g, p, c, x, column);
      const auto moves = moving(column, first.height);
      const bool any = std::find(moves.begin(), moves.end(), true) != moves.end();
      std::fill(found.begin(), found.end(), 0.0);
      for (int i = std::max(0, x - second.width + 1); any && i < std::min(kernel_x, x + 1); ++i) {
        const std::size_t to = core::as_size(x - i), begin = units.begin[to], active = units.begin[to + 1] - begin;
        const ColumnTaps<S> taps{&kernel(0, core::as_size(c), 0, core::as_size(i)),
                                 &second_(g, p, to, 0),
                                 kernel.stride(0),
                                 kernel.stride(2),
                                 static_cast<int>(kernel.extent(2)),
                                 second.height,
                                 core::as_size(second.width) * L};
        column_channels(taps, second.channels, column, values);
        const int* const place = units.place.data() + begin;
        read_out_row<S>(
            units.readout, begin, [&](int s) { return values + place[s] * lanes; }, static_cast<int>(active), found.data(), L);
      }
      for (std::size_t i = 0; i < M; ++i)
        for (std::size_t l = 0; l < L && g * L + l < windows_; ++l)
          sums(i, g * L + l, p, core::as_size(k)) = moves[l] ? found[i * L + l] : 0.0;
    }
  });
}

template void WindowLanes<float>::column_tangents(const DeviceRule<float>&, const std::vector<int>&, const core::View4<double>&);
template void WindowLanes<double>::column_tangents(const DeviceRule<double>&, const std::vector<int>&,
                                                   const core::View4<double>&);

}  // namespace amacrine::attribution
