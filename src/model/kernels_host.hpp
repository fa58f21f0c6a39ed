// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/numbers.hpp"
#include "amacrine/core/views.hpp"
#include "tap_sum.hpp"

/// Direct kernels for host spaces: tiles of 8 channels x 32 lanes (windows or lags) in registers, one task per output position.
namespace amacrine::model::host {

using core::full_width;
using core::lane_sum;
using core::load;
using core::load_part;
using core::store;
using core::Vector;
using core::View1;
using core::View4;
using core::View5;
using HostTasks = Kokkos::RangePolicy<core::HostExec, Kokkos::Schedule<Kokkos::Dynamic>>;

template <class I>
Step step(I extent) {
  return static_cast<Step>(extent);
}

/// Kernel (C, D, KY, KX) reordered so that the channels of a block lie side by side for each tap, taps in the order of
/// `tap_axes`; blocks follow one another.
template <class S>
View1<S> pack_taps(const core::HostExec& exec, const View4<S>& kernel, int out_axis, const int (&tap_axes)[3]) {
  const std::size_t channels = kernel.extent(out_axis);
  const std::size_t n0 = kernel.extent(tap_axes[0]), n1 = kernel.extent(tap_axes[1]), n2 = kernel.extent(tap_axes[2]);
  const std::size_t stride[4] = {kernel.extent(1) * kernel.extent(2) * kernel.extent(3), kernel.extent(2) * kernel.extent(3),
                                 kernel.extent(3), 1};
  const std::size_t sc = stride[out_axis], s0 = stride[tap_axes[0]], s1 = stride[tap_axes[1]], s2 = stride[tap_axes[2]];
  View1<S> packed(core::uninitialised("model::packed_kernel"), kernel.size());
  const ChannelBlocks blocks(channels);
  const S* from = kernel.data();
  S* to = packed.data();
  Kokkos::parallel_for("model::pack_taps", HostTasks(exec, 0, blocks.blocks * n0), [=](std::size_t n) {
    const std::size_t block = n / n0, p = n % n0, size = blocks.size(block);
    S* out = to + (blocks.begin(block) * n0 + p * size) * n1 * n2;
    const S* in = from + blocks.begin(block) * sc + p * s0;
    // The axis along which the kernel is contiguous runs innermost.
    for (std::size_t c = 0; c < size; ++c) {
      if (s1 < s2) {
        for (std::size_t r = 0; r < n2; ++r)
          for (std::size_t q = 0; q < n1; ++q) out[(q * n2 + r) * size + c] = in[c * sc + q * s1 + r * s2];
      } else {
        for (std::size_t q = 0; q < n1; ++q)
          for (std::size_t r = 0; r < n2; ++r) out[(q * n2 + r) * size + c] = in[c * sc + q * s1 + r * s2];
      }
    }
  });
  return packed;
}

/// The tile's lanes that are new, to memory.
template <class S, int W>
void store_tile(const S* tile, int channels, const LaneRun<W>& run, S* out, Step channel_step) {
  for (int c = 0; c < channels; ++c) {
    for (int v = 0; v < run.vectors; ++v) {
      const int first = run.first(v);
      const S* from = tile + (c * run.vectors + v) * W + first;
      std::copy(from, from + (W - first), out + c * channel_step + run.start[v] + first);
    }
  }
}

/// Shape of a convolution over lanes: out(g, c, y, x, lane) = sum over taps; `origin` finds the taps of one output position.
template <class S, int W, class Origin>
void convolve(const core::HostExec& exec, const char* label, const View5<S>& out, const View1<S>& packed, const Origin& origin) {
  const std::size_t G = out.extent(0), C = out.extent(1), OY = out.extent(2), OX = out.extent(3), B = out.extent(4);
  const ChannelBlocks blocks(C);
  constexpr std::size_t chunk = core::as_size(W * run_vectors(W, 2));
  const std::size_t chunks = (B + chunk - 1) / chunk, taps_per_channel = packed.size() / C;
  const S* weights = packed.data();
  S* to = out.data();
  Kokkos::parallel_for(label, HostTasks(exec, 0, G * chunks * blocks.blocks * OY * OX), [=](std::size_t n) {
    const std::size_t x = n % OX, y = n / OX % OY, block = n / OX / OY % blocks.blocks, k = n / OX / OY / blocks.blocks % chunks;
    const std::size_t g = n / OX / OY / blocks.blocks / chunks, c = blocks.begin(block);
    const int size = static_cast<int>(blocks.size(block));
    const LaneRun<W> run(k * chunk, std::min(B, (k + 1) * chunk), B);
    Taps taps;
    const S *input, *weight = weights + c * taps_per_channel;
    origin(g, y, x, size, taps, input, weight);
    alignas(64) S tile[max_channels * max_vectors * W];
    tap_sum_any<S, W>(size, run.vectors, taps, input, run.start, weight, tile);
    store_tile<S, W>(tile, size, run, to + ((g * C + c) * OY * OX + y * OX + x) * B, step(OY * OX * B));
  });
}

template <class S, class Origin>
void convolve_any(const core::HostExec& exec, const char* label, const View5<S>& out, const View1<S>& packed,
                  const Origin& origin) {
  switch (width_for<S>(out.extent(4))) {
    case full_width<S>:
      return convolve<S, full_width<S>>(exec, label, out, packed, origin);
    case 4:
      return convolve<S, 4>(exec, label, out, packed, origin);
    default:
      return convolve<S, 1>(exec, label, out, packed, origin);
  }
}

/// A first-layer kernel (C, T, KY, KX) as one of spacing times as many columns and the lags of a phase, (C, L, KY, KX * spacing):
/// frames by phase lie as if their phases were columns of pixels.
template <class S>
View4<S> phases_as_columns(const core::HostExec& exec, const View4<S>& kernel, std::size_t spacing) {
  const std::size_t C = kernel.extent(0), T = kernel.extent(1), KY = kernel.extent(2), KX = kernel.extent(3);
  const std::size_t lags = (T + spacing - 1) / spacing;
  View4<S> wide(core::uninitialised("model::kernel_by_phase"), C, lags, KY, KX * spacing);
  Kokkos::parallel_for("model::phases_as_columns", HostTasks(exec, 0, C * lags * KY), [=](std::size_t n) {
    const std::size_t j = n % KY, m = n / KY % lags, c = n / KY / lags;
    for (std::size_t i = 0; i < KX; ++i)
      for (std::size_t p = 0; p < spacing; ++p)
        wide(c, m, j, i * spacing + p) = m * spacing + p < T ? kernel(c, m * spacing + p, j, i) : S(0);
  });
  return wide;
}

template <class S>
void temporal_conv_forward(const core::HostExec& exec, const View4<S>& frames, const View4<S>& kernel, const View5<S>& out,
                           std::size_t spacing) {
  const View4<S> wide = spacing == 1 ? kernel : phases_as_columns(exec, kernel, spacing);
  const View1<S> packed = pack_taps(exec, wide, 0, {2, 3, 1});
  const std::size_t T = wide.extent(1), KY = wide.extent(2), KX = wide.extent(3);
  const std::size_t Y = frames.extent(1), X = frames.extent(2), F = frames.extent(3), phase = F / spacing;
  const S* from = frames.data();
  convolve_any(exec, "model::temporal_conv_forward", out, packed,
               [=](std::size_t g, std::size_t y, std::size_t x, int size, Taps& taps, const S*& input, const S*&) {
                 taps = {{KY, KX, T}, {step(X * F), step(phase), 1}, {size * step(KX * T), size * step(T), size}, 1};
                 input = from + ((g * Y + y) * X + x) * F;
               });
}

/// Lanes run over (x, b) together: for one tap, a row of outputs is a contiguous piece of a row of inputs.
template <class S>
void conv_forward(const core::HostExec& exec, const View5<S>& in, const View4<S>& kernel, const View5<S>& out) {
  const View1<S> packed = pack_taps(exec, kernel, 0, {1, 2, 3});
  const std::size_t D = kernel.extent(1), KY = kernel.extent(2), KX = kernel.extent(3);
  const std::size_t Y = in.extent(2), X = in.extent(3), B = in.extent(4);
  const S* from = in.data();
  const View5<S> rows(out.data(), out.extent(0), out.extent(1), out.extent(2), 1, out.extent(3) * B);
  convolve_any(exec, "model::conv_forward", rows, packed,
               [=](std::size_t g, std::size_t y, std::size_t, int size, Taps& taps, const S*& input, const S*&) {
                 taps = {{D, KY, KX}, {step(Y * X * B), step(X * B), step(B)}, {size * step(KY * KX), size * step(KX), size}, 1};
                 input = from + (g * D * Y + y) * X * B;
               });
}

template <class S>
void conv_transpose(const core::HostExec& exec, const char* label, const View5<S>& d_out, const View4<S>& kernel,
                    const View5<S>& d_in) {
  const View1<S> packed = pack_taps(exec, kernel, 1, {0, 2, 3});
  const std::size_t C = kernel.extent(0), KY = kernel.extent(2), KX = kernel.extent(3);
  const std::size_t OY = d_out.extent(2), OX = d_out.extent(3), B = d_out.extent(4);
  const S* from = d_out.data();
  convolve_any(exec, label, d_in, packed,
               [=](std::size_t g, std::size_t y, std::size_t x, int size, Taps& taps, const S*& input, const S*& weight) {
                 const std::size_t j0 = y >= OY ? y - OY + 1 : 0, j1 = std::min(KY, y + 1), i0 = x >= OX ? x - OX + 1 : 0,
                                   i1 = std::min(KX, x + 1);
                 taps = {{C, j1 - j0, i1 - i0},
                         {step(OY * OX * B), -step(OX * B), -step(B)},
                         {size * step(KY * KX), size * step(KX), size},
                         1};
                 input = from + ((g * C * OY + y - j0) * OX + x - i0) * B;
                 weight += size * step(j0 * KX + i0);
               });
}

/// One task per (gradient, channel block, j, i, phase): lanes run over the phase's lags, taps over (y, x, b), summed over the
/// gradient's segments.
template <class S, int W>
void temporal_kernel_gradient(const core::HostExec& exec, const View4<S>& frames, const View5<S>& d_out, const View5<S>& d_kernel,
                              std::size_t spacing) {
  const std::size_t G = d_kernel.extent(0), C = d_kernel.extent(1), T = d_kernel.extent(2), KY = d_kernel.extent(3),
                    KX = d_kernel.extent(4);
  const std::size_t OY = d_out.extent(2), OX = d_out.extent(3), B = d_out.extent(4);
  const std::size_t Y = frames.extent(1), X = frames.extent(2), F = frames.extent(3);
  const ChannelBlocks blocks(C);
  const std::size_t together = d_out.extent(0) / G;
  constexpr std::size_t chunk = core::as_size(W * run_vectors(W, max_vectors));
  const Taps taps{{OY, OX, B}, {step(X * F), step(F), 1}, {step(OX * B), step(B), 1}, step(OY * OX * B)};
  const S *in = frames.data(), *delta = d_out.data();
  S* to = d_kernel.data();
  Kokkos::parallel_for(
      "model::temporal_conv_kernel_gradient", HostTasks(exec, 0, G * blocks.blocks * KY * KX * spacing), [=](std::size_t n) {
        const std::size_t p0 = n % spacing, i = n / spacing % KX, j = n / spacing / KX % KY,
                          block = n / spacing / KX / KY % blocks.blocks, k = n / spacing / KX / KY / blocks.blocks,
                          c = blocks.begin(block), size = blocks.size(block), lags_here = (T - p0 + spacing - 1) / spacing;
        alignas(64) S tile[max_channels * max_vectors * W], lags[max_channels * max_vectors * W],
            sums[max_channels * max_vectors * W];
        for (std::size_t l = 0; l < lags_here; l += chunk) {
          const std::size_t end = std::min(lags_here, l + chunk);
          const LaneRun<W> run(l, end, lags_here);
          std::fill_n(sums, size * chunk, S(0));
          for (std::size_t g = k * together; g < (k + 1) * together; ++g) {
            tap_sum_any<S, W>(static_cast<int>(size), run.vectors, taps, in + ((g * Y + j) * X + i) * F + p0 * (F / spacing),
                              run.start, delta + (g * C + c) * OY * OX * B, tile);
            store_tile<S, W>(tile, static_cast<int>(size), run, lags - step(l), step(chunk));
            for (std::size_t p = 0; p < size; ++p)
              for (std::size_t m = 0; m < end - l; ++m) sums[p * chunk + m] += lags[p * chunk + m];
          }
          for (std::size_t p = 0; p < size; ++p)
            for (std::size_t m = l; m < end; ++m)
              to[(((k * C + c + p) * T + m * spacing + p0) * KY + j) * KX + i] = sums[p * chunk + m - l];
        }
      });
}

template <class S>
void temporal_conv_kernel_gradient(const core::HostExec& exec, const View4<S>& frames, const View5<S>& d_out,
                                   const View5<S>& d_kernel, std::size_t spacing) {
  switch (width_for<S>(std::max<std::size_t>(1, d_kernel.extent(2) / spacing))) {  // the least lags of a phase
    case full_width<S>:
      return temporal_kernel_gradient<S, full_width<S>>(exec, frames, d_out, d_kernel, spacing);
    case 4:
      return temporal_kernel_gradient<S, 4>(exec, frames, d_out, d_kernel, spacing);
    default:
      return temporal_kernel_gradient<S, 1>(exec, frames, d_out, d_kernel, spacing);
  }
}

/// sum[c * DB + d] += lanes of d_out(c, row) * in(d, row), over `count` contiguous (x, b).
template <class S, int CB, int DB>
void row_products(const S* d_out, Step channel, const S* in, Step input, std::size_t count, S* sum) {
  constexpr int W = full_width<S>;
  using V = Vector<S, W>;
  V total[CB][DB];
  AMACRINE_UNROLL
  for (int c = 0; c < CB; ++c) {
    AMACRINE_UNROLL
    for (int d = 0; d < DB; ++d) total[c][d] = load<S, W>(sum + (c * DB + d) * W);
  }
  std::size_t e = 0;
  for (; e + W <= count; e += W) {
    V x[DB];
    AMACRINE_UNROLL
    for (int d = 0; d < DB; ++d) x[d] = load<S, W>(in + d * input + e);
    AMACRINE_UNROLL
    for (int c = 0; c < CB; ++c) {
      const V k = load<S, W>(d_out + c * channel + e);
      AMACRINE_UNROLL
      for (int d = 0; d < DB; ++d) total[c][d] += k * x[d];
    }
  }
  for (int c = 0; c < CB; ++c) {
    for (int d = 0; d < DB; ++d) {
      if (e < count)
        total[c][d] += load_part<S, W>(d_out + c * channel + e, count - e) * load_part<S, W>(in + d * input + e, count - e);
      store<S, W>(sum + (c * DB + d) * W, total[c][d]);
    }
  }
}

constexpr int gradient_channels = 4;         ///< tile of 4 output x 4 input channels
constexpr std::size_t gradient_columns = 8;  ///< kernel columns summed while a row is in cache

template <class S, int CB>
void row_products_inputs(int inputs, const S* d_out, Step channel, const S* in, Step input, std::size_t count, S* sum) {
  switch (inputs) {
    case 1:
      return row_products<S, CB, 1>(d_out, channel, in, input, count, sum);
    case 2:
      return row_products<S, CB, 2>(d_out, channel, in, input, count, sum);
    case 3:
      return row_products<S, CB, 3>(d_out, channel, in, input, count, sum);
    default:
      return row_products<S, CB, 4>(d_out, channel, in, input, count, sum);
  }
}

template <class S>
void row_products_any(int channels, int inputs, const S* d_out, Step channel, const S* in, Step input, std::size_t count,
                      S* sum) {
  switch (channels) {
    case 1:
      return row_products_inputs<S, 1>(inputs, d_out, channel, in, input, count, sum);
    case 2:
      return row_products_inputs<S, 2>(inputs, d_out, channel, in, input, count, sum);
    case 3:
      return row_products_inputs<S, 3>(inputs, d_out, channel, in, input, count, sum);
    default:
      return row_products_inputs<S, 4>(inputs, d_out, channel, in, input, count, sum);
  }
}

/// One task per (g, j, block of c, block of d, block of i): lanes run over (x, b) and are added up at the end.
template <class S>
void conv_kernel_gradient(const core::HostExec& exec, const View5<S>& in, const View5<S>& d_out, const View5<S>& d_kernel) {
  constexpr std::size_t block = gradient_channels, columns = gradient_columns;
  constexpr int W = full_width<S>;
  const std::size_t G = d_kernel.extent(0), C = d_kernel.extent(1), D = d_kernel.extent(2), KY = d_kernel.extent(3),
                    KX = d_kernel.extent(4);
  const std::size_t OY = d_out.extent(2), OX = d_out.extent(3), B = d_out.extent(4), Y = in.extent(2), X = in.extent(3);
  const std::size_t c_blocks = (C + block - 1) / block, d_blocks = (D + block - 1) / block,
                    i_blocks = (KX + columns - 1) / columns;
  const S *from = in.data(), *delta = d_out.data();
  S* to = d_kernel.data();
  Kokkos::parallel_for(
      "model::conv_kernel_gradient", HostTasks(exec, 0, G * KY * i_blocks * c_blocks * d_blocks), [=](std::size_t n) {
        const std::size_t d = n % d_blocks * block, c = n / d_blocks % c_blocks * block,
                          i0 = n / d_blocks / c_blocks % i_blocks * columns;
        const std::size_t j = n / d_blocks / c_blocks / i_blocks % KY, g = n / d_blocks / c_blocks / i_blocks / KY;
        const std::size_t cs = std::min(block, C - c), ds = std::min(block, D - d), is = std::min(columns, KX - i0);
        alignas(64) S sums[columns][block * block * W] = {};
        for (std::size_t y = 0; y < OY; ++y) {
          for (std::size_t i = 0; i < is; ++i) {
            row_products_any(static_cast<int>(cs), static_cast<int>(ds), delta + ((g * C + c) * OY + y) * OX * B,
                             step(OY * OX * B), from + (((g * D + d) * Y + y + j) * X + i0 + i) * B, step(Y * X * B), OX * B,
                             sums[i]);
          }
        }
        for (std::size_t p = 0; p < cs; ++p)
          for (std::size_t q = 0; q < ds; ++q)
            for (std::size_t i = 0; i < is; ++i) {
              to[(((g * C + c + p) * D + d + q) * KY + j) * KX + i0 + i] = lane_sum<S, W>(load<S, W>(sums[i] + (p * ds + q) * W));
            }
      });
}

}  // namespace amacrine::model::host
