// SPDX-License-Identifier: Apache-2.0
#include "spectral_time.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/transpose_lanes.hpp"
#include "amacrine/model/lanes.hpp"
#include "spectral_fft.hpp"
#include "spectral_transform.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::model::spectral {

using core::lane_count;
using core::Lanes;
using core::load_lanes;
using core::padded_to_lanes;
using core::store_lanes;

namespace {

/// Lengths there is code for.
constexpr int time_lengths[] = {24, 36, 48, 60, 72, 80};

template <class Body>
void with_time_length(int n, const Body& body) {
  switch (n) {
#define AMACRINE_LENGTH(N) \
  case N:                  \
    return body(std::integral_constant<int, N>());
    AMACRINE_LENGTH(24)
    AMACRINE_LENGTH(36)
    AMACRINE_LENGTH(48)
    AMACRINE_LENGTH(60)
    AMACRINE_LENGTH(72)
    AMACRINE_LENGTH(80)
#undef AMACRINE_LENGTH
    default:
      core::fail("there is no transform over time of length {}", n);
  }
}

/// Instructions of a channel's transform and product of that length, a register of frequencies.
double transform_cost(int n) { return n * (2.5 * std::log2(n) + 4.0); }

}  // namespace

TimeBlocks::TimeBlocks(int history_, int windows_) : history(history_), windows(windows_) {
  double best = 4.0 * history * windows;
  for (const int n : time_lengths) {
    const int each = std::min(n - history + 1, windows);
    if (each < 1) continue;
    const int count = (windows + each - 1) / each;
    const double cost = count * transform_cost(n);
    if (cost >= best) continue;
    best = cost, length = n, block = each, blocks = count;
  }
}

int TimeBlocks::frames_touched(int lanes) const { return (blocks - 1) * block + padded_to_lanes(length, lanes); }
int TimeBlocks::windows_touched(int lanes) const { return (blocks - 1) * block + padded_to_lanes(block, lanes); }

template <class S>
std::size_t time_spectrum(const TimeBlocks& time, std::size_t f, int blocks) {
  constexpr std::size_t W = lane_count<S>;
  return static_cast<std::size_t>(blocks) * ((f + W - 1) / W) * static_cast<std::size_t>(time.length) * 2 * W;
}

/// One register of frequencies of one plane: a row of `from` is a frequency, (re|im, lanes) with time in the lanes.
template <class S>
struct FrequencyRows {
  S* data;
  int lanes, rows;
  KOKKOS_INLINE_FUNCTION std::size_t stride() const { return 2 * static_cast<std::size_t>(lanes); }
};

template <class S>
KOKKOS_INLINE_FUNCTION FrequencyRows<S> frequency_rows(S* spectra, std::size_t f, int lanes, std::size_t plane, std::size_t q) {
  constexpr std::size_t W = lane_count<std::remove_const_t<S>>;
  const std::size_t left = f - q * W;
  return {spectra + (plane * f + q * W) * 2 * lanes, lanes, static_cast<int>(left < W ? left : W)};
}

/// Asks for the lines of `steps` values from lane `first` on, that the next transform but one will touch: a host's caches do not
/// foresee them.
template <bool Write, class S>
KOKKOS_INLINE_FUNCTION void prefetch_steps(const FrequencyRows<S>& at, int first, int steps) {
  if constexpr (core::detail::exec_is_host) {
    constexpr int W = lane_count<std::remove_const_t<S>>;
    for (int r = 0; r < at.rows; ++r)
      for (int t = 0; t < steps; t += W) {
        prefetch<Write>(at.data + r * at.stride() + first + t);
        prefetch<Write>(at.data + r * at.stride() + at.lanes + first + t);
      }
  }
}

/// Values over time with frequencies in the lanes, re and im apart.
template <int N, class S>
struct TimeColumn {
  static constexpr int W = lane_count<S>, padded = (N + W - 1) / W * W;
  S re[padded * W], im[padded * W];
  KOKKOS_INLINE_FUNCTION Complex<Lanes<S>> at(int t) const { return {load_lanes(re + t * W), load_lanes(im + t * W)}; }
  KOKKOS_INLINE_FUNCTION void put(int t, const Complex<Lanes<S>>& value) {
    store_lanes<S>(value.re, re + t * W);
    store_lanes<S>(value.im, im + t * W);
  }
};

/// `steps` values over time from lane `first` on.
template <int N, class S>
KOKKOS_INLINE_FUNCTION void read_column(const FrequencyRows<const S>& from, int first, int steps, TimeColumn<N, S>& column) {
  constexpr int W = lane_count<S>;
  for (int t = 0; t < steps; t += W) {
    core::transpose_lanes<S>(from.data + first + t, from.stride(), from.rows, column.re + t * W, W, W);
    core::transpose_lanes<S>(from.data + from.lanes + first + t, from.stride(), from.rows, column.im + t * W, W, W);
  }
}

template <int N, class S>
KOKKOS_INLINE_FUNCTION void write_column(const TimeColumn<N, S>& column, int first, int steps, const FrequencyRows<S>& to) {
  constexpr int W = lane_count<S>;
  for (int t = 0; t < steps; t += W) {
    core::transpose_lanes<S>(column.re + t * W, W, W, to.data + first + t, to.stride(), to.rows);
    core::transpose_lanes<S>(column.im + t * W, W, W, to.data + to.lanes + first + t, to.stride(), to.rows);
  }
}

/// A spectrum over time of one register of frequencies: (N, re|im, W).
template <class S>
KOKKOS_INLINE_FUNCTION Complex<Lanes<S>> load_pair(const S* spectrum, int k) {
  constexpr int W = lane_count<S>;
  return {load_lanes(spectrum + 2 * k * W), load_lanes(spectrum + (2 * k + 1) * W)};
}

/// conj(w) * s
template <class V>
KOKKOS_INLINE_FUNCTION Complex<V> conjugate_product(const Complex<V>& w, const Complex<V>& s) {
  return {Kokkos::fma(w.im, s.im, w.re * s.re), Kokkos::fma(-w.im, s.re, w.re * s.im)};
}

template <int N, class S>
KOKKOS_INLINE_FUNCTION void forward_in_time(const FrequencyRows<const S>& from, int first, int steps, S scale, const S* twiddle,
                                            S* to) {
  using V = Lanes<S>;
  constexpr int W = lane_count<S>;
  TimeColumn<N, S> column;
  Complex<V> scratch[N];
  read_column(from, first, steps, column);
  const auto load = [&](int t) { return t < steps ? column.at(t) : Complex<V>{V(S(0)), V(S(0))}; };
  const V by(scale);
  const auto store = [&](int k, const Complex<V>& value) {
    store_lanes<S>(by * value.re, to + 2 * k * W);
    store_lanes<S>(by * value.im, to + (2 * k + 1) * W);
  };
  transform<N, -1>(load, scratch, store, twiddle);
}

/// Spectra over time of `planes` planes, `steps` values of each of `blocks` blocks that begin `advance` apart.
template <class S>
struct PlanesInTime {
  int planes, blocks, advance, steps;
  S scale;
  const S* from;
  int lanes;
};

template <int N, class S>
void transform_planes(const core::Exec& exec, const char* label, std::size_t f, const PlanesInTime<S>& in, S* out) {
  constexpr std::size_t W = lane_count<S>;
  const std::size_t registers = (f + W - 1) / W;
  const core::View1<S> table = twiddles<S>(N);
  const S* const twiddle = table.data();
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(in.planes) * in.blocks * registers),
      KOKKOS_LAMBDA(long i) {
        const std::size_t q = i % registers, b = i / registers % in.blocks, p = i / registers / in.blocks;
        forward_in_time<N>(frequency_rows(in.from, f, in.lanes, p, q), static_cast<int>(b) * in.advance, in.steps, in.scale,
                           twiddle, out + i * static_cast<std::size_t>(N) * 2 * W);
      });
}

template <class S>
void transform_frames(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int planes, const S* frames, int lanes,
                      S* out) {
  const PlanesInTime<S> in{planes, time.blocks, time.block, time.length, S(1) / S(time.length), frames, lanes};
  with_time_length(time.length, [&](auto length) {
    transform_planes<decltype(length)::value>(exec, "model::spectral_frames_in_time", f, in, out);
  });
}

template <class S>
void transform_lags(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int channels, const S* kernel, int lanes,
                    S* out) {
  const PlanesInTime<S> in{channels, 1, 0, time.history, S(1), kernel, lanes};
  with_time_length(time.length, [&](auto length) {
    transform_planes<decltype(length)::value>(exec, "model::spectral_lags_in_time", f, in, out);
  });
}

/// Segments and channels of a work item: on a host a few segments that share a kernel's spectra in the cache and all channels, on
/// a GPU one of each.
struct Share {
  int segments, channels;
};
constexpr Share share_of(int segments, int channels, int together) {
  return core::detail::exec_is_host ? Share{std::min(segments, together), channels} : Share{1, 1};
}

/// One register of frequencies, one block of windows and channel: the inverse of the product with the kernel's spectrum.
template <int N, class S>
KOKKOS_INLINE_FUNCTION void correlate_block(const S* frames, const S* kernel, int count, const S* twiddle, int first,
                                            const FrequencyRows<S>& out) {
  TimeColumn<N, S> column;
  Complex<Lanes<S>> scratch[N];
  prefetch_steps<true>(out, first, count);
  const auto load = [&](int k) { return conjugate_product(load_pair(kernel, k), load_pair(frames, k)); };
  const auto store = [&](int t, const Complex<Lanes<S>>& value) {
    if (t < count) column.put(t, value);
  };
  transform<N, 1>(load, scratch, store, twiddle);
  write_column(column, first, count, out);
}

template <int N, class S>
void correlate_all(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int segments, int channels, const S* frames,
                   const S* kernel, S* out, int lanes) {
  constexpr std::size_t W = lane_count<S>, spectrum = static_cast<std::size_t>(N) * 2 * W;
  const std::size_t registers = (f + W - 1) / W;
  const Share share = share_of(segments, channels, 2);
  const int groups = (segments + share.segments - 1) / share.segments, parts = channels / share.channels;
  const core::View1<S> table = twiddles<S>(N);
  const S* const twiddle = table.data();
  Kokkos::parallel_for(
      "model::spectral_correlate_spectra",
      Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(groups) * registers * parts), KOKKOS_LAMBDA(long i) {
        const int part = static_cast<int>(i % parts), group = static_cast<int>(i / parts / registers);
        const std::size_t q = i / parts % registers;
        const int begin = group * share.segments, left = segments - begin;
        for (int g = begin; g < begin + (left < share.segments ? left : share.segments); ++g)
          for (int b = 0; b < time.blocks; ++b) {
            const S* const s = frames + ((static_cast<std::size_t>(g) * time.blocks + b) * registers + q) * spectrum;
            for (int c = part * share.channels; c < (part + 1) * share.channels; ++c)
              correlate_block<N>(s, kernel + (c * registers + q) * spectrum, time.count(b), twiddle, b * time.block,
                                 frequency_rows(out, f, lanes, static_cast<std::size_t>(g) * channels + c, q));
          }
      });
}

template <class S>
void correlate_spectra(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int segments, int channels, const S* frames,
                       const S* kernel, S* out, int lanes) {
  with_time_length(time.length, [&](auto length) {
    correlate_all<decltype(length)::value>(exec, time, f, segments, channels, frames, kernel, out, lanes);
  });
}

/// Where the segments that share a gradient lie, at one register of frequencies.
template <class S>
struct WindowSpectra {
  const S *frames, *d;                           ///< of the first segment
  std::size_t block_stride, d_segment, d_plane;  ///< in values
  int together, lanes, rows;
};

/// One register of frequencies and channel: spectra of d against the frames', summed over segments and blocks, and back to lags.
template <int N, class S>
KOKKOS_INLINE_FUNCTION void correlate_windows_block(const TimeBlocks& time, const WindowSpectra<S>& from, int channel,
                                                    const S* twiddle, const FrequencyRows<S>& out) {
  using V = Lanes<S>;
  TimeColumn<N, S> column;
  Complex<V> scratch[N], sum[N];
  const FrequencyRows<const S> next{from.d + (channel + 1) * from.d_plane, from.lanes, from.rows};
  for (int i = 0; i < from.together * time.blocks; ++i) {
    const int g = i / time.blocks, b = i % time.blocks, count = time.count(b);
    const S* const s = from.frames + i * from.block_stride;
    const FrequencyRows<const S> d{from.d + g * from.d_segment + channel * from.d_plane, from.lanes, from.rows};
    read_column(d, b * time.block, count, column);
    const bool last = i + 1 == from.together * time.blocks;
    if (last) prefetch_steps<true>(out, 0, time.history);
    prefetch_steps<false>(last ? next : FrequencyRows<const S>{d.data + from.d_segment, d.lanes, d.rows}, 0, time.block);
    const auto load = [&](int t) { return t < count ? column.at(t) : Complex<V>{V(S(0)), V(S(0))}; };
    const auto add = [&](int k, const Complex<V>& value) {
      const Complex<V> product = conjugate_product(value, load_pair(s, k));
      sum[k] = i == 0 ? product : sum[k] + product;
    };
    transform<N, -1>(load, scratch, add, twiddle);
  }
  const auto load = [&](int k) { return sum[k]; };
  const auto store = [&](int l, const Complex<V>& value) {
    if (l < time.history) column.put(l, value);
  };
  transform<N, 1>(load, scratch, store, twiddle);
  write_column(column, 0, time.history, out);
}

template <int N, class S>
void correlate_all_windows(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int kernels, int together, int channels,
                           const S* frames, const S* d_out, int d_lanes, S* out, int out_lanes) {
  constexpr std::size_t W = lane_count<S>, spectrum = static_cast<std::size_t>(N) * 2 * W;
  const std::size_t registers = (f + W - 1) / W, d_plane = f * 2 * static_cast<std::size_t>(d_lanes);
  const int each = share_of(1, channels, 1).channels, parts = channels / each;
  const core::View1<S> table = twiddles<S>(N);
  const S* const twiddle = table.data();
  Kokkos::parallel_for(
      "model::spectral_correlate_window_spectra",
      Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(kernels) * registers * parts), KOKKOS_LAMBDA(long i) {
        const int part = static_cast<int>(i % parts);
        const std::size_t q = i / parts % registers, kernel = i / parts / registers, g = kernel * together;
        const FrequencyRows<const S> d = frequency_rows(d_out, f, d_lanes, g * channels, q);
        const WindowSpectra<S> from{frames + (g * time.blocks * registers + q) * spectrum,
                                    d.data,
                                    registers * spectrum,
                                    channels * d_plane,
                                    d_plane,
                                    together,
                                    d_lanes,
                                    d.rows};
        for (int c = part * each; c < (part + 1) * each; ++c)
          correlate_windows_block<N>(time, from, c, twiddle, frequency_rows(out, f, out_lanes, kernel * channels + c, q));
      });
}

template <class S>
void correlate_window_spectra(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int kernels, int together,
                              int channels, const S* frames, const S* d_out, int d_lanes, S* out, int out_lanes) {
  with_time_length(time.length, [&](auto length) {
    correlate_all_windows<decltype(length)::value>(exec, time, f, kernels, together, channels, frames, d_out, d_lanes, out,
                                                   out_lanes);
  });
}

#define AMACRINE_INSTANTIATE(S)                                                                                                 \
  template std::size_t time_spectrum<S>(const TimeBlocks&, std::size_t, int);                                                   \
  template void transform_frames<S>(const core::Exec&, const TimeBlocks&, std::size_t, int, const S*, int, S*);                 \
  template void transform_lags<S>(const core::Exec&, const TimeBlocks&, std::size_t, int, const S*, int, S*);                   \
  template void correlate_spectra<S>(const core::Exec&, const TimeBlocks&, std::size_t, int, int, const S*, const S*, S*, int); \
  template void correlate_window_spectra<S>(const core::Exec&, const TimeBlocks&, std::size_t, int, int, int, const S*,         \
                                            const S*, int, S*, int);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model::spectral
