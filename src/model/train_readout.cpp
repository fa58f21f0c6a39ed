// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/transpose_lanes.hpp"
#include "amacrine/core/vector.hpp"
#include "amacrine/model/train_kernels.hpp"

namespace amacrine::model {

using core::broadcast;
using core::Exec;
using core::full_width;
using core::load;
using core::pairwise_sum;
using core::store;
using core::Vector;
using core::View1;
using core::View2;
using core::View3;
using core::View4;
using core::View5;

namespace {

constexpr std::size_t chunk_units = 64;  ///< 64 units x 32 windows of float stay in the first-level cache while all cells pass

std::size_t lane_blocks(std::size_t windows) { return (windows + train_lanes - 1) / train_lanes; }

}  // namespace

std::size_t readout_chunks(std::size_t units) { return (units + chunk_units - 1) / chunk_units; }

/// out (cells, lanes) = sum_u weight (cells, u) h (u, lanes) for Cells cells and whole registers of lanes.
template <int Cells, class S>
inline void weigh_units(const S* h, std::size_t windows, const S* weight, std::size_t stride, std::size_t units, S* out,
                        std::size_t out_stride) {
  Vector<S, train_lanes> sum[Cells]{};
  for (std::size_t u = 0; u < units; ++u) {
    const Vector<S, train_lanes> value = load<S, train_lanes>(h + u * windows);
    AMACRINE_UNROLL for (int n = 0; n < Cells; ++n) sum[n] +=
        broadcast<S, train_lanes>(weight[static_cast<std::size_t>(n) * stride + u]) * value;
  }
  for (int n = 0; n < Cells; ++n) store<S, train_lanes>(out + static_cast<std::size_t>(n) * out_stride, sum[n]);
}

/// weigh_units for any number of cells and `count` lanes.
template <class S>
KOKKOS_INLINE_FUNCTION void weigh_some_units(const S* h, std::size_t windows, const S* weight, std::size_t stride,
                                             std::size_t units, std::size_t cells, int count, S* out, std::size_t out_stride) {
  std::size_t n = 0;
  if constexpr (train_lanes > 1)
    if (count == train_lanes)
      for (; n + 4 <= cells; n += 4)
        weigh_units<4>(h, windows, weight + n * stride, stride, units, out + n * out_stride, out_stride);
  for (; n < cells; ++n) {
    S sum[train_lanes] = {};
    for (std::size_t u = 0; u < units; ++u)
      for (int lane = 0; lane < count; ++lane)
        sum[lane] += weight[n * stride + u] * h[u * windows + static_cast<std::size_t>(lane)];
    for (int lane = 0; lane < count; ++lane) out[n * out_stride + static_cast<std::size_t>(lane)] = sum[lane];
  }
}

template <class S>
void readout_forward(const Exec& exec, const View5<S>& h, const View2<S>& weight, const View4<S>& partial,
                     const View5<S>& drive) {
  const std::size_t units = units_of(h), windows = h.extent(4), cells = weight.extent(0), segments = h.extent(0);
  const std::size_t chunks = readout_chunks(units), blocks = lane_blocks(windows);
  core::require(partial.extent(1) == chunks && weight.extent(1) == units,
                "model::readout_forward: the shapes do not fit together");
  const S *const in = h.data(), *const weights = weight.data();
  S* const sums = partial.data();
  Kokkos::parallel_for(
      "model::readout_forward", Kokkos::RangePolicy<Exec>(exec, 0, segments * chunks * blocks),
      KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t first = item % blocks * train_lanes, chunk = item / blocks % chunks, g = item / blocks / chunks;
        const std::size_t left = windows - first;
        const int count = left < static_cast<std::size_t>(train_lanes) ? static_cast<int>(left) : train_lanes;
        const std::size_t unit = chunk * chunk_units, some = units - unit < chunk_units ? units - unit : chunk_units;
        weigh_some_units(in + (g * units + unit) * windows + first, windows, weights + unit, units, some, cells, count,
                         sums + (g * chunks + chunk) * cells * windows + first, windows);
      });
  Kokkos::parallel_for(
      "model::readout_sum", Kokkos::RangePolicy<Exec>(exec, 0, segments * cells * windows),
      KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t b = item % windows, n = item / windows % cells, g = item / windows / cells;
        S sum = 0;
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) sum += partial(g, chunk, n, b);
        drive(g, n, 0, 0, b) = sum;
      });
}

/// out = sum_n weight (n, u) in (n, lanes) for `count` windows; `Whole` where that is a whole register.
template <bool Whole, class S>
KOKKOS_INLINE_FUNCTION void weigh_cells(const S* in, std::size_t windows, const View2<S>& weight, std::size_t u, int count,
                                        S* out) {
  const int lanes = Whole ? train_lanes : count;
  S sum[train_lanes] = {};
  for (std::size_t n = 0; n < weight.extent(0); ++n) {
    const S w = weight(n, u);
    for (int lane = 0; lane < lanes; ++lane) sum[lane] += w * in[n * windows + static_cast<std::size_t>(lane)];
  }
  for (int lane = 0; lane < lanes; ++lane) out[lane] = sum[lane];
}

template <class S>
void readout_input_gradient(const Exec& exec, const View5<S>& d_drive, const View2<S>& weight, const View5<S>& d_h) {
  const std::size_t units = units_of(d_h), windows = d_h.extent(4), cells = weight.extent(0);
  const std::size_t run = train_lanes > 1 ? windows : 1, runs = windows / run;  // windows of a work item
  S* const out = d_h.data();
  const S* const in = d_drive.data();
  Kokkos::parallel_for(
      "model::readout_input_gradient", Kokkos::RangePolicy<Exec>(exec, 0, d_h.extent(0) * units * runs),
      KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t begin = item % runs * run, u = item / runs % units, g = item / runs / units;
        const S* const from = in + g * cells * windows;
        S* const to = out + (g * units + u) * windows;
        for (std::size_t b = begin; b < begin + run; b += train_lanes) {
          if (begin + run - b >= static_cast<std::size_t>(train_lanes)) {
            weigh_cells<true>(from + b, windows, weight, u, train_lanes, to + b);
          } else {
            weigh_cells<false>(from + b, windows, weight, u, static_cast<int>(begin + run - b), to + b);
          }
        }
      });
}

/// out(n) = sum_b with (n, b) h (b) for one unit.
template <class S>
KOKKOS_INLINE_FUNCTION void weigh_windows(const S* h, const S* with, std::size_t windows, std::size_t cells, S* out,
                                          std::size_t units) {
  for (std::size_t n = 0; n < cells; ++n, with += windows, out += units) {
    S sum = 0;
    std::size_t b = 0;
    if constexpr (train_lanes > 1) {
      Vector<S, train_lanes> lanes{};
      for (; b + train_lanes <= windows; b += train_lanes) lanes += load<S, train_lanes>(with + b) * load<S, train_lanes>(h + b);
      sum = pairwise_sum<S, train_lanes>(lanes);
    }
    for (; b < windows; ++b) sum += with[b] * h[b];
    *out = sum;
  }
}

/// weigh_windows for a register of units, which become its lanes; windows are whole registers.
template <class S>
inline void weigh_windows_of_lanes(const S* h, const S* with, std::size_t windows, std::size_t cells, S* out, std::size_t units) {
  constexpr int W = full_width<S>, most = 8;
  for (std::size_t first = 0; first < cells; first += most) {
    const std::size_t some = cells - first < most ? cells - first : most;
    Vector<S, W> sums[most] = {};
    for (std::size_t begin = 0; begin < windows; begin += W) {
      alignas(64) S turned[W * W];
      core::transpose_square<S, W>(h + begin, windows, W, turned, W, W);
      for (int b = 0; b < W; ++b) {
        const Vector<S, W> column = load<S, W>(turned + b * W);
        for (std::size_t n = 0; n < some; ++n)
          sums[n] += broadcast<S, W>(with[(first + n) * windows + begin + static_cast<std::size_t>(b)]) * column;
      }
    }
    for (std::size_t n = 0; n < some; ++n) store<S, W>(out + (first + n) * units, sums[n]);
  }
}

template <class S>
void readout_weight_gradient(const Exec& exec, const View5<S>& h, const View5<S>& d_drive, const View3<S>& d_weight) {
  constexpr std::size_t tile = train_lanes > 1 ? full_width<S> : 1;  // units of a work item
  const std::size_t units = units_of(h), windows = h.extent(4), cells = d_weight.extent(1), tiles = (units + tile - 1) / tile;
  const S *const in = h.data(), *const gradient = d_drive.data();
  S* const out = d_weight.data();
  Kokkos::parallel_for(
      "model::readout_weight_gradient", Kokkos::RangePolicy<Exec>(exec, 0, h.extent(0) * tiles),
      KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t g = item / tiles, begin = item % tiles * tile, end = begin + tile < units ? begin + tile : units;
        const S *const from = in + g * units * windows, *const with = gradient + g * cells * windows;
        S* const to = out + g * cells * units;
        if constexpr (train_lanes > 1) {
          if (windows % tile == 0 && end - begin == tile)
            return weigh_windows_of_lanes(from + begin * windows, with, windows, cells, to + begin, units);
        }
        for (std::size_t u = begin; u < end; ++u) weigh_windows(from + u * windows, with, windows, cells, to + u, units);
      });
}

template <class S>
void output_loss(const Exec& exec, const View5<S>& drive, const View1<S>& gain, const View1<S>& shift, const View5<S>& target,
                 double beta, const LossSettings& settings, std::size_t samples, const View5<S>& rate, const View5<S>& d_x,
                 const View2<double>& loss) {
  const std::size_t cells = drive.extent(1), windows = drive.extent(4);
  const S b = static_cast<S>(beta), epsilon = static_cast<S>(settings.epsilon), l1 = static_cast<S>(settings.l1_output);
  const double share = 1.0 / (static_cast<double>(samples) * static_cast<double>(cells));
  const bool squared = settings.mean_squared;
  Kokkos::parallel_for(
      "model::output_loss", Kokkos::RangePolicy<Exec>(exec, 0, drive.extent(0) * cells), KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t n = item % cells, g = item / cells;
        double sum = 0;
        for (std::size_t w = 0; w < windows; ++w) {
          const S u = b * (gain(n) * drive(g, n, 0, 0, w) + shift(n)), y = target(g, n, 0, 0, w);
          const S small = Kokkos::exp(-Kokkos::abs(u));
          const S r = ((u > S(0) ? u : S(0)) + Kokkos::log1p(small)) / b;
          const S slope = (u > S(0) ? S(1) : small) / (S(1) + small);
          const S misfit = r - y;
          const S value = squared ? misfit * misfit : r - y * Kokkos::log(r + epsilon);
          const S d_rate = squared ? S(2) * misfit : S(1) - y / (r + epsilon);
          rate(g, n, 0, 0, w) = r;
          d_x(g, n, 0, 0, w) = (d_rate + l1) * slope * static_cast<S>(share);
          sum += static_cast<double>(value) + static_cast<double>(l1) * static_cast<double>(r);
        }
        loss(g, n) = sum * share;
      });
}

#define AMACRINE_INSTANTIATE(S)                                                                                         \
  template void readout_forward<S>(const Exec&, const View5<S>&, const View2<S>&, const View4<S>&, const View5<S>&);    \
  template void readout_input_gradient<S>(const Exec&, const View5<S>&, const View2<S>&, const View5<S>&);              \
  template void readout_weight_gradient<S>(const Exec&, const View5<S>&, const View5<S>&, const View3<S>&);             \
  template void output_loss<S>(const Exec&, const View5<S>&, const View1<S>&, const View1<S>&, const View5<S>&, double, \
                               const LossSettings&, std::size_t, const View5<S>&, const View5<S>&, const View2<double>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model
