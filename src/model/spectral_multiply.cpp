// SPDX-License-Identifier: Apache-2.0
#include "spectral_multiply.hpp"

#include "amacrine/core/lanes.hpp"
#include "spectral_fft.hpp"

namespace amacrine::model::spectral {

using core::lane_count;
using core::Lanes;
using core::load_lanes;
using core::store_lanes;

/// a += conj(w) * s for a scalar w and lanes s.
template <class V, class S>
KOKKOS_INLINE_FUNCTION void add_conjugate(Complex<V>& a, S wr, S wi, const V& sr, const V& si) {
  const V vr(wr), vi(wi), vn(-wi);
  a.re = Kokkos::fma(vi, si, Kokkos::fma(vr, sr, a.re));
  a.im = Kokkos::fma(vn, sr, Kokkos::fma(vr, si, a.im));
}

/// CB channels times NB registers of windows at one frequency: the accumulators stay in registers over all lags.
template <int CB, int NB, class S>
KOKKOS_INLINE_FUNCTION void time_tile(const S* frames, int frame_lanes, const S* kernel, std::size_t kernel_stride,
                                      int kernel_lanes, int history, S* out, std::size_t out_stride, int out_lanes) {
  using V = Lanes<S>;
  constexpr int W = lane_count<S>;
  Complex<V> sum[CB][NB];
  for (int c = 0; c < CB; ++c)
    for (int n = 0; n < NB; ++n) sum[c][n] = {V(S(0)), V(S(0))};
  for (int l = 0; l < history; ++l) {
    V re[NB], im[NB];
    for (int n = 0; n < NB; ++n) {
      re[n] = load_lanes(frames + l + n * W);
      im[n] = load_lanes(frames + frame_lanes + l + n * W);
    }
    for (int c = 0; c < CB; ++c) {
      const S wr = kernel[c * kernel_stride + l], wi = kernel[c * kernel_stride + kernel_lanes + l];
      for (int n = 0; n < NB; ++n) add_conjugate(sum[c][n], wr, wi, re[n], im[n]);
    }
  }
  for (int c = 0; c < CB; ++c)
    for (int n = 0; n < NB; ++n) {
      store_lanes<S>(sum[c][n].re, out + c * out_stride + n * W);
      store_lanes<S>(sum[c][n].im, out + c * out_stride + out_lanes + n * W);
    }
}

template <int NB, class S>
KOKKOS_INLINE_FUNCTION void time_channels(int channels, const S* frames, int frame_lanes, const S* kernel,
                                          std::size_t kernel_stride, int kernel_lanes, int history, S* out,
                                          std::size_t out_stride, int out_lanes) {
  int c = 0;
  for (; c + 4 <= channels; c += 4)
    time_tile<4, NB>(frames, frame_lanes, kernel + c * kernel_stride, kernel_stride, kernel_lanes, history, out + c * out_stride,
                     out_stride, out_lanes);
  for (; c < channels; ++c)
    time_tile<1, NB>(frames, frame_lanes, kernel + c * kernel_stride, kernel_stride, kernel_lanes, history, out + c * out_stride,
                     out_stride, out_lanes);
}

template <class S>
void correlate_in_time(const core::Exec& exec, std::size_t f, int segments, int channels, int history, int windows,
                       const S* frames, int frame_lanes, const S* kernel, int kernel_lanes, S* out, int out_lanes) {
  constexpr int W = lane_count<S>;
  const int tiles = (windows + 2 * W - 1) / (2 * W);
  const std::size_t kernel_stride = f * 2 * kernel_lanes, out_stride = f * 2 * out_lanes;
  Kokkos::parallel_for(
      "model::spectral_correlate_in_time", Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(segments) * f * tiles),
      KOKKOS_LAMBDA(long i) {
        const int first = static_cast<int>(i % tiles) * 2 * W;
        const std::size_t k = (i / tiles) % f, g = i / (static_cast<long>(tiles) * f);
        const S* s = frames + (g * f + k) * 2 * frame_lanes + first;
        const S* w = kernel + k * 2 * kernel_lanes;
        S* to = out + g * channels * out_stride + k * 2 * out_lanes + first;
        if (windows - first > W) {
          time_channels<2>(channels, s, frame_lanes, w, kernel_stride, kernel_lanes, history, to, out_stride, out_lanes);
        } else {
          time_channels<1>(channels, s, frame_lanes, w, kernel_stride, kernel_lanes, history, to, out_stride, out_lanes);
        }
      });
}

/// The tile of correlate_in_time, with lags in the lanes and windows summed over.
template <class S>
void correlate_windows(const core::Exec& exec, std::size_t f, int segments, int channels, int history, int windows,
                       const S* frames, int frame_lanes, const S* d_out, int d_lanes, S* out, int out_lanes) {
  constexpr int W = lane_count<S>;
  const int tiles = (history + 3 * W - 1) / (3 * W);
  const std::size_t d_stride = f * 2 * d_lanes, out_stride = f * 2 * out_lanes;
  Kokkos::parallel_for(
      "model::spectral_correlate_windows", Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(segments) * f * tiles),
      KOKKOS_LAMBDA(long i) {
        const int first = static_cast<int>(i % tiles) * 3 * W;
        const std::size_t k = (i / tiles) % f, g = i / (static_cast<long>(tiles) * f);
        const S* s = frames + (g * f + k) * 2 * frame_lanes + first;
        const S* d = d_out + g * channels * d_stride + k * 2 * d_lanes;
        S* to = out + g * channels * out_stride + k * 2 * out_lanes + first;
        const int registers = (history - first + W - 1) / W;
        for (int c = 0; c < channels;) {
          const bool four = channels - c >= 4;
          const S* from = d + c * d_stride;
          S* into = to + c * out_stride;
          if (registers >= 3) {
            four ? time_tile<4, 3>(s, frame_lanes, from, d_stride, d_lanes, windows, into, out_stride, out_lanes)
                 : time_tile<1, 3>(s, frame_lanes, from, d_stride, d_lanes, windows, into, out_stride, out_lanes);
          } else if (registers == 2) {
            four ? time_tile<4, 2>(s, frame_lanes, from, d_stride, d_lanes, windows, into, out_stride, out_lanes)
                 : time_tile<1, 2>(s, frame_lanes, from, d_stride, d_lanes, windows, into, out_stride, out_lanes);
          } else {
            four ? time_tile<4, 1>(s, frame_lanes, from, d_stride, d_lanes, windows, into, out_stride, out_lanes)
                 : time_tile<1, 1>(s, frame_lanes, from, d_stride, d_lanes, windows, into, out_stride, out_lanes);
          }
          c += four ? 4 : 1;
        }
      });
}

/// out(c) = sum_d w(c, d) in(d) for RB rows c at one frequency and register; Conjugate: conj w.
template <int RB, bool Conjugate, class S>
KOKKOS_INLINE_FUNCTION void mix_rows(const S* in, std::size_t in_stride, int columns, int lanes, const S* kernel,
                                     int kernel_lanes, int row_step, int column_step, S* out, std::size_t out_stride) {
  using V = Lanes<S>;
  Complex<V> sum[RB];
  for (int r = 0; r < RB; ++r) sum[r] = {V(S(0)), V(S(0))};
  for (int d = 0; d < columns; ++d) {
    const V re = load_lanes(in + d * in_stride), im = load_lanes(in + d * in_stride + lanes);
    for (int r = 0; r < RB; ++r) {
      const int at = r * row_step + d * column_step;
      const S wr = kernel[at], wi = kernel[kernel_lanes + at];
      add_conjugate(sum[r], wr, Conjugate ? wi : -wi, re, im);
    }
  }
  for (int r = 0; r < RB; ++r) {
    store_lanes<S>(sum[r].re, out + r * out_stride);
    store_lanes<S>(sum[r].im, out + r * out_stride + lanes);
  }
}

/// rows x columns matrix per frequency: rows come out, columns go in.
template <bool Conjugate, class S>
void mix(const core::Exec& exec, const char* label, std::size_t f, int segments, int rows, int columns, int lanes, const S* in,
         const S* kernel, int kernel_lanes, int row_step, int column_step, S* out) {
  constexpr int W = lane_count<S>;
  const int blocks = lanes / W;
  const std::size_t stride = f * 2 * lanes;
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(segments) * f * blocks), KOKKOS_LAMBDA(long i) {
        const int first = static_cast<int>(i % blocks) * W;
        const std::size_t k = (i / blocks) % f, g = i / (static_cast<long>(blocks) * f);
        const S* from = in + g * columns * stride + k * 2 * lanes + first;
        const S* w = kernel + k * 2 * kernel_lanes;
        S* to = out + g * rows * stride + k * 2 * lanes + first;
        int r = 0;
        for (; r + 8 <= rows; r += 8)
          mix_rows<8, Conjugate>(from, stride, columns, lanes, w + r * row_step, kernel_lanes, row_step, column_step,
                                 to + r * stride, stride);
        for (; r < rows; ++r)
          mix_rows<1, Conjugate>(from, stride, columns, lanes, w + r * row_step, kernel_lanes, row_step, column_step,
                                 to + r * stride, stride);
      });
}

template <class S>
void mix_channels(const core::Exec& exec, std::size_t f, int segments, int in_channels, int out_channels, int lanes, const S* in,
                  const S* kernel, int kernel_lanes, S* out) {
  mix<true>(exec, "model::spectral_mix_channels", f, segments, out_channels, in_channels, lanes, in, kernel, kernel_lanes,
            in_channels, 1, out);
}

template <class S>
void mix_channels_back(const core::Exec& exec, std::size_t f, int segments, int in_channels, int out_channels, int lanes,
                       const S* d_out, const S* kernel, int kernel_lanes, S* d_in) {
  mix<false>(exec, "model::spectral_mix_channels_back", f, segments, in_channels, out_channels, lanes, d_out, kernel,
             kernel_lanes, 1, in_channels, d_in);
}

/// Channel pairs of CB outputs and half a register of inputs at one frequency, added to re and im. `turned` (windows, W) holds
/// the inputs with windows as rows, real parts before imaginary ones, so that a window's factor is a scalar and no sum runs
/// across lanes.
template <int CB, class S>
KOKKOS_INLINE_FUNCTION void pair_tile(const S* turned, const S* d, std::size_t stride, int lanes, int windows, int inputs,
                                      int in_channels, S* re, S* im) {
  using V = Lanes<S>;
  constexpr int W = lane_count<S>, H = W / 2;
  V by_re[CB], by_im[CB];
  for (int c = 0; c < CB; ++c) by_re[c] = by_im[c] = V(S(0));
  for (int b = 0; b < windows; ++b) {
    const V h = load_lanes(turned + b * W);
    for (int c = 0; c < CB; ++c) {
      by_re[c] = Kokkos::fma(V(d[c * stride + b]), h, by_re[c]);
      by_im[c] = Kokkos::fma(V(d[c * stride + lanes + b]), h, by_im[c]);
    }
  }
  for (int c = 0; c < CB; ++c) {
    S p[W], q[W];
    store_lanes<S>(by_re[c], p);
    store_lanes<S>(by_im[c], q);
    for (int j = 0; j < inputs; ++j) {
      re[c * in_channels + j] += p[j] + q[H + j];
      im[c * in_channels + j] += p[H + j] - q[j];
    }
  }
}

/// All channel pairs at one frequency on a host: re and im (C, D).
template <class S>
KOKKOS_INLINE_FUNCTION void pair_by_rows(const S* in, const S* d, std::size_t stride, int lanes, int in_channels,
                                         int out_channels, int windows, S* re, S* im) {
  constexpr int W = lane_count<S>, H = W / 2, rows = 64;
  S turned[rows * W];
  for (int pair = 0; pair < in_channels * out_channels; ++pair) re[pair] = im[pair] = S(0);
  for (int first = 0; first < windows; first += rows) {
    const int count = windows - first < rows ? windows - first : rows;
    for (int j = 0; j < in_channels; j += H) {
      const int inputs = in_channels - j < H ? in_channels - j : H;
      for (int n = 0; n < inputs; ++n)
        for (int b = 0; b < count; ++b) {
          turned[b * W + n] = in[(j + n) * stride + first + b];
          turned[b * W + H + n] = in[(j + n) * stride + lanes + first + b];
        }
      int c = 0;
      for (; c + 8 <= out_channels; c += 8)
        pair_tile<8>(turned, d + c * stride + first, stride, lanes, count, inputs, in_channels, re + c * in_channels + j,
                     im + c * in_channels + j);
      for (; c < out_channels; ++c)
        pair_tile<1>(turned, d + c * stride + first, stride, lanes, count, inputs, in_channels, re + c * in_channels + j,
                     im + c * in_channels + j);
    }
  }
}

/// One output channel's pairs at one frequency, one window after another: re and im (D).
template <class S>
KOKKOS_INLINE_FUNCTION void pair_by_windows(const S* in, const S* d, std::size_t stride, int lanes, int in_channels, int windows,
                                            S* re, S* im) {
  for (int j = 0; j < in_channels; ++j) {
    const S* h = in + j * stride;
    S sum_re(0), sum_im(0);
    for (int b = 0; b < windows; ++b) {
      sum_re += d[b] * h[b] + d[lanes + b] * h[lanes + b];
      sum_im += d[b] * h[lanes + b] - d[lanes + b] * h[b];
    }
    re[j] = sum_re;
    im[j] = sum_im;
  }
}

/// A host's work item has all pairs of a frequency, a GPU's those of one output channel.
template <class S>
KOKKOS_INLINE_FUNCTION void pair_some(const S* in, const S* d, std::size_t stride, int lanes, int in_channels, int outputs,
                                      int windows, S* re, S* im) {
  if constexpr (lane_count < S >> 1) {
    pair_by_rows(in, d, stride, lanes, in_channels, outputs, windows, re, im);
  } else {
    for (int c = 0; c < outputs; ++c)
      pair_by_windows(in, d + c * stride, stride, lanes, in_channels, windows, re + c * in_channels, im + c * in_channels);
  }
}

template <class S>
void pair_channels(const core::Exec& exec, std::size_t f, int segments, int in_channels, int out_channels, int windows, int lanes,
                   const S* in, const S* d_out, S* out, int out_lanes) {
  const std::size_t stride = f * 2 * lanes;
  const int parts = lane_count<S> > 1 ? 1 : out_channels, outputs = out_channels / parts;
  Kokkos::parallel_for(
      "model::spectral_pair_channels", Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(segments) * f * parts),
      KOKKOS_LAMBDA(long i) {
        const std::size_t c = i % parts * outputs, k = (i / parts) % f, g = i / (static_cast<long>(parts) * f);
        S* to = out + (g * f + k) * 2 * out_lanes + c * in_channels;
        pair_some(in + g * in_channels * stride + k * 2 * lanes, d_out + (g * out_channels + c) * stride + k * 2 * lanes, stride,
                  lanes, in_channels, outputs, windows, to, to + out_lanes);
      });
}

template void correlate_in_time<float>(const core::Exec&, std::size_t, int, int, int, int, const float*, int, const float*, int,
                                       float*, int);
template void correlate_in_time<double>(const core::Exec&, std::size_t, int, int, int, int, const double*, int, const double*,
                                        int, double*, int);
template void correlate_windows<float>(const core::Exec&, std::size_t, int, int, int, int, const float*, int, const float*, int,
                                       float*, int);
template void correlate_windows<double>(const core::Exec&, std::size_t, int, int, int, int, const double*, int, const double*,
                                        int, double*, int);
template void mix_channels<float>(const core::Exec&, std::size_t, int, int, int, int, const float*, const float*, int, float*);
template void mix_channels<double>(const core::Exec&, std::size_t, int, int, int, int, const double*, const double*, int,
                                   double*);
template void mix_channels_back<float>(const core::Exec&, std::size_t, int, int, int, int, const float*, const float*, int,
                                       float*);
template void mix_channels_back<double>(const core::Exec&, std::size_t, int, int, int, int, const double*, const double*, int,
                                        double*);
template void pair_channels<float>(const core::Exec&, std::size_t, int, int, int, int, int, const float*, const float*, float*,
                                   int);
template void pair_channels<double>(const core::Exec&, std::size_t, int, int, int, int, int, const double*, const double*,
                                    double*, int);

}  // namespace amacrine::model::spectral
