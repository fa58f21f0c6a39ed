// SPDX-License-Identifier: Apache-2.0
#include "sums.hpp"

#include "amacrine/core/lanes.hpp"

namespace amacrine::attribution {
namespace {

using core::View1;
using core::View2;
using core::View3;
using core::View4;

/// h(s) - h(s0) of a first-layer unit.
template <class S>
KOKKOS_INLINE_FUNCTION S response_change(S gain, S offset, S baseline, S difference, bool rectified) {
  const S before = gain * baseline + offset, after = before + gain * difference;
  if (!rectified) return gain * difference;
  return (after > S(0) ? after : S(0)) - (before > S(0) ? before : S(0));
}

/// sums(0, ...) A, (1, ...) G, (2, ...) m D; each (M, W, C X).
template <class S>
void sum_cells(const core::Exec& exec, const PathLayer<S>& layer, const View2<S>& difference, const View3<S>& push,
               const View4<double>& sums) {
  const auto height = static_cast<std::size_t>(layer.height), width = static_cast<std::size_t>(layer.width);
  const std::size_t cells = push.extent(0), windows = push.extent(1), columns = sums.extent(3);
  const View1<S> gain = layer.gain;
  Kokkos::parallel_for(
      "attribution::sum_cells", Kokkos::RangePolicy<core::Exec>(exec, 0, cells * windows * columns),
      KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t k = i % columns, w = i / columns % windows, n = i / columns / windows;
        const std::size_t c = k / width, x = k % width;
        double attribution = 0, weight = 0, pushed = 0;
        for (std::size_t y = 0; y < height; ++y) {
          const std::size_t u = (c * height + y) * width + x;
          const double p = static_cast<double>(push(n, w, u)), g = static_cast<double>(gain(u)) * p;
          attribution += g * static_cast<double>(difference(w, u));
          weight += g;
          pushed += p;
        }
        sums(0, n, w, k) = attribution;
        sums(1, n, w, k) = weight;
        sums(2, n, w, k) = pushed;
      });
}

/// sums(0, ...) W*(s - s0), (1, ...) m, (2, ...) change of h; each (W, C X).
template <class S>
void sum_windows(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, const View2<S>& share,
                 const View3<double>& sums) {
  const auto height = static_cast<std::size_t>(layer.height), width = static_cast<std::size_t>(layer.width);
  const std::size_t windows = share.extent(0), columns = sums.extent(2);
  const View1<S> gain = layer.gain, offset = layer.offset, baseline = paths.baseline;
  const View2<S> difference = paths.difference;
  const bool rectified = layer.rectified;
  Kokkos::parallel_for(
      "attribution::sum_windows", Kokkos::RangePolicy<core::Exec>(exec, 0, windows * columns),
      KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t k = i % columns, w = i / columns, c = k / width, x = k % width;
        double drive = 0, active = 0, change = 0;
        for (std::size_t y = 0; y < height; ++y) {
          const std::size_t u = (c * height + y) * width + x;
          drive += static_cast<double>(difference(w, u));
          active += static_cast<double>(share(w, u));
          change += static_cast<double>(response_change(gain(u), offset(u), baseline(u), difference(w, u), rectified));
        }
        sums(0, w, k) = drive;
        sums(1, w, k) = active;
        sums(2, w, k) = change;
      });
}

/// attribution and weight (W, M, U), drive and change (W, U), as float.
template <class S>
void unit_figures(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, const View3<S>& push,
                  const View3<float>& attribution, const View3<float>& weight, const View2<float>& drive,
                  const View2<float>& change) {
  const std::size_t cells = push.extent(0), windows = push.extent(1), units = push.extent(2);
  const bool weights = weight.extent(0) > 0;
  const View1<S> gain = layer.gain, offset = layer.offset, baseline = paths.baseline;
  const View2<S> difference = paths.difference;
  const bool rectified = layer.rectified;
  Kokkos::parallel_for(
      "attribution::unit_figures", Kokkos::RangePolicy<core::Exec>(exec, 0, windows * units), KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t w = i / units, u = i % units;
        drive(w, u) = static_cast<float>(difference(w, u));
        change(w, u) = static_cast<float>(response_change(gain(u), offset(u), baseline(u), difference(w, u), rectified));
        for (std::size_t n = 0; n < cells; ++n) {
          const S g = gain(u) * push(n, w, u);
          if (weights) weight(w, n, u) = static_cast<float>(g);
          attribution(w, n, u) = static_cast<float>(g * difference(w, u));
        }
      });
}

}  // namespace

template <class S>
void sum_columns(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, const PathIntegrals<S>& integrals,
                 Block& block) {
  const std::size_t M = block.cells, W = block.windows, C = block.channels, X = block.width, columns = C * X;
  const View4<double> cells(core::uninitialised("attribution::cell_sums"), 3, M, W, columns);
  const View3<double> windows(core::uninitialised("attribution::window_sums"), 3, W, columns);
  sum_cells(exec, layer, paths.difference, integrals.push, cells);
  sum_windows(exec, layer, paths, integrals.share, windows);
  exec.fence("attribution::sum_columns");
  const std::vector<double> by_cell = core::to_host(cells), by_window = core::to_host(windows);
  core::Array<double, 4>* const out[] = {&block.attribution, &block.weight, &block.push};
  core::Array<double, 3>* const shared[] = {&block.drive, &block.share, &block.change};
  for (std::size_t f = 0; f < 3; ++f) {
    *out[f] = core::Array<double, 4>({W, M, C, X});
    for (std::size_t n = 0; n < M; ++n)
      for (std::size_t w = 0; w < W; ++w)
        for (std::size_t k = 0; k < columns; ++k)
          out[f]->values()[(w * M + n) * columns + k] = by_cell[((f * M + n) * W + w) * columns + k];
    const auto first = by_window.begin() + static_cast<std::ptrdiff_t>(f * W * columns);
    *shared[f] = core::Array<double, 3>({W, C, X}, std::vector<double>(first, first + static_cast<std::ptrdiff_t>(W * columns)));
  }
}

template <class S>
void sum_responses(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, double scale, Block& block) {
  const std::size_t W = block.windows, C = block.channels, X = block.width, columns = C * X, height = block.height;
  const View3<double> sums(core::uninitialised("attribution::response_sums"), 2, W, columns);
  const View1<S> gain = layer.gain, offset = layer.offset, baseline = paths.baseline;
  const View2<S> difference = paths.difference;
  const bool rectified = layer.rectified;
  const auto part = static_cast<S>(scale);
  Kokkos::parallel_for(
      "attribution::sum_responses", Kokkos::RangePolicy<core::Exec>(exec, 0, W * columns), KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t k = i % columns, w = i / columns, c = k / X, x = k % X;
        double drive = 0, change = 0;
        for (std::size_t y = 0; y < height; ++y) {
          const std::size_t u = (c * height + y) * X + x;
          const S dz = part * difference(w, u);
          drive += static_cast<double>(dz);
          change += static_cast<double>(response_change(gain(u), offset(u), baseline(u), dz, rectified));
        }
        sums(0, w, k) = drive;
        sums(1, w, k) = change;
      });
  exec.fence("attribution::sum_responses");
  const std::vector<double> found = core::to_host(sums);
  const auto middle = found.begin() + static_cast<std::ptrdiff_t>(W * columns);
  block.drive = core::Array<double, 3>({W, C, X}, std::vector<double>(found.begin(), middle));
  block.change = core::Array<double, 3>({W, C, X}, std::vector<double>(middle, found.end()));
}

template <class S>
std::size_t column_pairs(const PathNetwork<S>& network) {
  const PathLayer<S>& second = network.layers[1];
  return static_cast<std::size_t>(network.first().channels) * static_cast<std::size_t>(second.width) * second.kernel.extent(3);
}

template <class S>
std::vector<std::size_t> driven_pairs(const core::Exec& exec, const PathNetwork<S>& network, const View2<S>& difference) {
  const auto channels = static_cast<std::size_t>(network.first().channels),
             height = static_cast<std::size_t>(network.first().height), width = static_cast<std::size_t>(network.first().width),
             reached = static_cast<std::size_t>(network.layers[1].width), taps = network.layers[1].kernel.extent(3);
  const View1<std::size_t> pairs(core::uninitialised("attribution::driven_pairs"), difference.extent(0));
  Kokkos::parallel_for(
      "attribution::driven_pairs", Kokkos::RangePolicy<core::Exec>(exec, 0, pairs.extent(0)), KOKKOS_LAMBDA(const std::size_t w) {
        std::size_t sum = 0;
        for (std::size_t k = 0; k < channels * width; ++k) {
          const std::size_t c = k / width, x = k % width;
          const std::size_t first = x + 1 > taps ? x + 1 - taps : 0, last = x + 1 < reached ? x + 1 : reached;
          bool driven = false;
          for (std::size_t y = 0; y < height; ++y) driven = driven || difference(w, (c * height + y) * width + x) != S(0);
          if (driven) sum += last - first;
        }
        pairs(w) = sum;
      });
  exec.fence("attribution::driven_pairs");
  return core::to_host(pairs);
}

/// Memory a kernel may fill for a host vector: its own where the kernel runs on the host, else the device's.
template <class V, class... Extents>
V room_for_host(std::vector<float>& values, Extents... extents) {
  values.resize((extents * ...));
  if constexpr (core::detail::exec_is_host) return V(values.data(), extents...);
  return V(core::uninitialised("attribution::unit_figures"), extents...);
}
template <class V>
void copy_to_host(const V& view, std::vector<float>& values) {
  if constexpr (!core::detail::exec_is_host) values = core::to_host(view);
}

template <class S>
void store_units(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, const PathIntegrals<S>& integrals,
                 bool weights, Block& block) {
  const std::size_t W = block.windows, M = block.cells, U = layer.units();
  const auto attribution = room_for_host<View3<float>>(block.unit_attribution, W, M, U);
  const auto weight = room_for_host<View3<float>>(block.unit_weight, weights ? W : 0, M, U);
  const auto drive = room_for_host<View2<float>>(block.unit_drive, W, U);
  const auto change = room_for_host<View2<float>>(block.unit_change, W, U);
  unit_figures(exec, layer, paths, integrals.push, attribution, weight, drive, change);
  exec.fence("attribution::store_units");
  copy_to_host(attribution, block.unit_attribution);
  copy_to_host(weight, block.unit_weight);
  copy_to_host(drive, block.unit_drive);
  copy_to_host(change, block.unit_change);
}

template <class S>
View2<S> take_windows(const core::Exec& exec, const View2<S>& difference, const std::vector<std::size_t>& windows, S scale) {
  const View1<std::size_t> index = core::to_device("attribution::windows", windows);
  View2<S> out(core::uninitialised("attribution::difference"), windows.size(), difference.extent(1));
  Kokkos::parallel_for(
      "attribution::take_windows",
      Kokkos::MDRangePolicy<core::Exec, Kokkos::Rank<2>>(exec, {0, 0}, {out.extent(0), out.extent(1)}),
      KOKKOS_LAMBDA(const std::size_t w, const std::size_t u) { out(w, u) = scale * difference(index(w), u); });
  exec.fence("attribution::take_windows");
  return out;
}

#define AMACRINE_INSTANTIATE(S)                                                                                              \
  template void sum_columns(const core::Exec&, const PathLayer<S>&, const Paths<S>&, const PathIntegrals<S>&, Block&);       \
  template void sum_responses(const core::Exec&, const PathLayer<S>&, const Paths<S>&, double, Block&);                      \
  template std::size_t column_pairs(const PathNetwork<S>&);                                                                  \
  template std::vector<std::size_t> driven_pairs(const core::Exec&, const PathNetwork<S>&, const View2<S>&);                 \
  template void store_units(const core::Exec&, const PathLayer<S>&, const Paths<S>&, const PathIntegrals<S>&, bool, Block&); \
  template View2<S> take_windows(const core::Exec&, const View2<S>&, const std::vector<std::size_t>&, S);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
