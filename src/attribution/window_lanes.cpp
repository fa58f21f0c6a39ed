// SPDX-License-Identifier: Apache-2.0
#include "window_lanes.hpp"

#include "amacrine/core/numbers.hpp"
#include "lane_readout.hpp"
#include "slopes.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

/// A register's row of a map in plain loops that the compiler turns into registers.
template <class S>
constexpr int lanes_of = core::lane_count<S>;

/// h = max(0, start + alpha step) for a row of first-layer units. A NaN stays one.
template <class S>
void first_row(const S* start, const S* step, S alpha, int width, S* row) {
  constexpr int L = lanes_of<S>;
  for (int x = 0; x < width; ++x)
    for (int l = 0; l < L; ++l) {
      const S value = start[x] + alpha * step[x * L + l];
      row[x * L + l] = value <= S(0) ? S(0) : value;
    }
}

/// acc += slope of the first layer's units across [from, to] times what is pushed back to them.
template <class S>
void gather_panel(const S* crossing, const S* step, S from, S to, S inverse_width, int width, const S* row, S* acc) {
  constexpr int L = lanes_of<S>;
  for (int i = 0; i < width * L; ++i) {
    const S inside = active_part(crossing[i], step[i], from, to, inverse_width);
    acc[i] += inside * row[i];
  }
}

/// gather_panel with the derivative at one node in place of the slope.
template <class S>
void gather_node(const S* start, const S* step, S alpha, int width, const S* row, S* acc) {
  constexpr int L = lanes_of<S>;
  for (int x = 0; x < width; ++x)
    for (int l = 0; l < L; ++l) acc[x * L + l] += start[x] + alpha * step[x * L + l] > S(0) ? row[x * L + l] : S(0);
}

/// (U, L) -> rows of the windows that exist: out(l) is `stride` behind out(l - 1).
template <class S>
void lanes_to_windows(const S* values, std::size_t units, std::size_t windows, S* out, std::size_t stride) {
  constexpr std::size_t L = static_cast<std::size_t>(lanes_of<S>), block = 16;
  for (std::size_t u0 = 0; u0 < units; u0 += block)
    for (std::size_t l = 0; l < windows; ++l)
      for (std::size_t u = u0; u < std::min(units, u0 + block); ++u) out[l * stride + u] = values[u * L + l];
}

/// Operations of a cell's backward pass through a panel: transforms of maps (about 30 per value) and products of spectra.
template <class S>
double backward_operations(const PathNetwork<S>& network) {
  const double area = static_cast<double>(network.first().height) * network.first().width;
  const double C = network.first().channels, D = network.layers[1].channels;
  return (C + D) * 30 * area + 4 * C * D * area;
}

}  // namespace

template <class S>
bool WindowLanes<S>::possible(const PathNetwork<S>& network) {
  if (network.layers.size() != 2 || !network.first().rectified) return false;
  const core::View4<S>& kernel = network.layers[1].kernel;
  return model::LaneConv<S>::pays(network.first().height, network.first().width, static_cast<int>(kernel.extent(2)),
                                  static_cast<int>(kernel.extent(3)), kernel.extent(0));
}

template <class S>
bool WindowLanes<S>::tangents_pay(const PathNetwork<S>& network, std::size_t cells) {
  if (!possible(network)) return false;
  // What a panel's passes have and sums over the last layer besides.
  const double area = static_cast<double>(network.first().height) * network.first().width;
  const double C = network.first().channels, D = network.layers[1].channels, M = static_cast<double>(cells);
  const double read = 2 * C * static_cast<double>(network.layers[1].units());
  return (C + C * D) * 30 * area + 4 * C * D * area + M * read < M * backward_operations(network);
}

template <class S>
std::size_t WindowLanes<S>::most_column_pairs(const PathNetwork<S>& network, std::size_t cells) {
  if (!possible(network)) return 0;
  // Measured in the operations of a backward pass: a tap of the kernel, and a unit of the last layer for a cell, of which some
  // are inactive in all windows.
  constexpr double tap = 1.7, read = 1.2;
  const PathLayer<S>& second = network.layers[1];
  const double M = static_cast<double>(cells), units = static_cast<double>(second.channels) * second.height;
  return static_cast<std::size_t>(M * backward_operations(network) /
                                  (units * (tap * static_cast<double>(second.kernel.extent(2)) + read * M)));
}

template <class S>
WindowLanes<S>::WindowLanes(const core::Exec& exec, const PathNetwork<S>& network)
    : network_(network), convolution_(exec, network.layers[1].kernel, network.first().height, network.first().width) {
  const std::size_t room = convolution_.scratch() + network.first().units() * static_cast<std::size_t>(lanes);
  scratch_ = core::View2<S>(core::uninitialised("attribution::lane_scratch"), static_cast<std::size_t>(exec.concurrency()), room);
}

template <class S>
void WindowLanes<S>::set_paths(const Paths<S>& paths, const DeviceRule<S>& rule) {
  const std::size_t units = network_.first().units(), L = static_cast<std::size_t>(lanes);
  const std::size_t nodes = static_cast<std::size_t>(rule.nodes());
  windows_ = paths.windows();
  groups_ = (windows_ + L - 1) / L;
  if (start_.extent(0) == 0) start_ = core::View1<S>(core::uninitialised("attribution::lane_start"), units);
  if (step_.extent(0) < groups_) {
    step_ = core::View3<S>(core::uninitialised("attribution::lane_step"), groups_, units, L);
    crossing_ = core::View3<S>(core::uninitialised("attribution::lane_crossing"), groups_, units, L);
  }
  if (second_.extent(0) < groups_ || second_.extent(1) < nodes) {
    second_ = core::View4<S>();
    second_ = core::View4<S>(core::uninitialised("attribution::lane_second"), groups_, nodes, network_.layers[1].units(), L);
  }
  const PathLayer<S>& layer = network_.first();
  for_items("attribution::lane_paths", groups_, scratch_, [&](std::size_t g, S*) {
    for (std::size_t u = 0; u < units; ++u) {
      const S x0 = layer.gain(u) * paths.baseline(u) + layer.offset(u);
      if (g == 0) start_(u) = x0;
      for (std::size_t l = 0; l < L; ++l) {
        const std::size_t w = g * L + l;
        const S dx = w < windows_ ? layer.gain(u) * paths.difference(w, u) : S(0);
        step_(g, u, l) = dx;
        // A unit that does not move is active everywhere or nowhere: it counts as falling, far beyond or far before the path.
        crossing_(g, u, l) = dx != S(0) ? -x0 / dx : (x0 > S(0) ? S(1e30) : S(-1e30));
      }
    }
  });
}

template <class S>
void WindowLanes<S>::run_nodes(const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View3<double>& drive) {
  const std::size_t nodes = static_cast<std::size_t>(rule.nodes()), L = static_cast<std::size_t>(lanes);
  const PathLayer<S>&first = network_.first(), &second = network_.layers[1];
  const std::vector<const S*> readout = readout_rows(network_, cells);
  for_items("attribution::lane_forward", groups_ * nodes, scratch_, [&](std::size_t item, S* scratch) {
    const std::size_t g = item / nodes, k = item % nodes;
    std::vector<double> sums(cells.size() * L, 0.0);
    std::vector<S> h(static_cast<std::size_t>(second.width) * L);
    const auto fill = [&](int c, int y, S* row) {
      const auto u = core::as_size((c * first.height + y) * first.width);
      first_row(&start_(u), &step_(g, u, 0), rule.alpha(k), first.width, row);
    };
    const auto take = [&](int c, int y, const S* row) {
      const auto v = core::as_size((c * second.height + y) * second.width);
      S* const x = &second_(g, k, v, 0);
      for (std::size_t i = 0; i < static_cast<std::size_t>(second.width); ++i) {
        const S gain = second.gain(v + i), offset = second.offset(v + i);
        for (std::size_t l = 0; l < L; ++l) {
          const S value = gain * row[i * L + l] + offset;
          x[i * L + l] = value;
          h[i * L + l] = value <= S(0) ? S(0) : value;
        }
      }
      read_out_row(readout, v, units_at<S>(h.data()), second.width, sums.data(), L);
    };
    convolution_.forward(fill, take, scratch);
    for (std::size_t i = 0; i < cells.size(); ++i)
      for (std::size_t l = 0; l < L && g * L + l < windows_; ++l)
        drive(i, g * L + l, k) = sums[i * L + l] + static_cast<double>(network_.constant(static_cast<std::size_t>(cells[i])));
  });
}

/// Turns the pre-activations at the nodes into the slopes in the intervals, in place.
template <class S>
void WindowLanes<S>::take_slopes(const DeviceRule<S>& rule) {
  const std::size_t panels = static_cast<std::size_t>(rule.intervals()), L = static_cast<std::size_t>(lanes);
  const std::size_t values = network_.layers[1].units() * L, shift = static_cast<std::size_t>(rule.shift), block = 1024;
  const std::size_t blocks = (values + block - 1) / block;
  for_items("attribution::lane_slopes", groups_ * blocks, scratch_, [&](std::size_t item, S*) {
    const std::size_t g = item / blocks, begin = item % blocks * block, end = std::min(values, begin + block);
    for (std::size_t p = 0; p < panels; ++p) {
      S* const to = &second_(g, p, 0, 0);
      const S* const next = &second_(g, p + (rule.secant ? 1 : shift), 0, 0);
      if (rule.secant) {
        for (std::size_t i = begin; i < end; ++i) to[i] = relu_slope(to[i], next[i]);
      } else {
        for (std::size_t i = begin; i < end; ++i) to[i] = relu_derivative(next[i]);
      }
    }
  });
}

template <class S>
void WindowLanes<S>::forward(const Paths<S>& paths, const DeviceRule<S>& rule, const std::vector<int>& cells,
                             const core::View3<double>& drive) {
  set_paths(paths, rule);
  run_nodes(rule, cells, drive);
}

template <class S>
void WindowLanes<S>::backward(const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View3<S>& q,
                              const core::View3<S>& push) {
  const std::size_t M = cells.size(), L = static_cast<std::size_t>(lanes), units = network_.first().units();
  const PathLayer<S>&first = network_.first(), &second = network_.layers[1];
  take_slopes(rule);
  for_items("attribution::lane_backward", groups_ * M, scratch_, [&](std::size_t item, S* scratch) {
    const std::size_t g = item / M, i = item % M, n = static_cast<std::size_t>(cells[i]);
    const std::size_t here = std::min(L, windows_ - g * L);
    S* const acc = scratch + convolution_.scratch();
    std::fill_n(acc, units * L, S(0));
    S scale[lanes] = {};
    for (std::size_t p = 0; p < static_cast<std::size_t>(rule.intervals()); ++p) {
      for (std::size_t l = 0; l < here; ++l) scale[l] = q(i, g * L + l, p);
      const auto fill = [&](int c, int y, S* row) {
        const auto v = core::as_size((c * second.height + y) * second.width);
        const S* const m = &second_(g, p, v, 0);
        for (std::size_t x = 0; x < static_cast<std::size_t>(second.width); ++x) {
          const S w = network_.readout(n, v + x) * second.gain(v + x);
          for (std::size_t l = 0; l < L; ++l) row[x * L + l] = w * scale[l] * m[x * L + l];
        }
      };
      const auto take = [&](int d, int y, const S* row) {
        const auto u = core::as_size((d * first.height + y) * first.width);
        if (rule.secant) {
          gather_panel(&crossing_(g, u, 0), &step_(g, u, 0), rule.alpha(p), rule.alpha(p + 1), rule.inverse_width(p), first.width,
                       row, acc + u * L);
        } else {
          gather_node(&start_(u), &step_(g, u, 0), rule.alpha(p + static_cast<std::size_t>(rule.shift)), first.width, row,
                      acc + u * L);
        }
      };
      convolution_.backward(fill, take, scratch);
    }
    lanes_to_windows(acc, units, here, &push(i, g * L, 0), units);
  });
}

// Member by member: tangents() and second_layer() are instantiated where they are defined.
#define AMACRINE_INSTANTIATE(S)                                                                                \
  template bool WindowLanes<S>::possible(const PathNetwork<S>&);                                               \
  template bool WindowLanes<S>::tangents_pay(const PathNetwork<S>&, std::size_t);                              \
  template std::size_t WindowLanes<S>::most_column_pairs(const PathNetwork<S>&, std::size_t);                  \
  template WindowLanes<S>::WindowLanes(const core::Exec&, const PathNetwork<S>&);                              \
  template void WindowLanes<S>::forward(const Paths<S>&, const DeviceRule<S>&, const std::vector<int>&,        \
                                        const core::View3<double>&);                                           \
  template void WindowLanes<S>::take_slopes(const DeviceRule<S>&);                                             \
  template void WindowLanes<S>::backward(const DeviceRule<S>&, const std::vector<int>&, const core::View3<S>&, \
                                         const core::View3<S>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
