// SPDX-License-Identifier: Apache-2.0
#include "spectral_time.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/vector.hpp"
#include "spectral_halves.hpp"
#include "spectral_transform.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace amacrine::model::spectral {

using core::padded_to_lanes;
using core::prefetch;

namespace {

/// Lengths there is code for: twice a length of spectral_fft.hpp. Any list will do that ends with 80; builds that are not for
/// speed (AMACRINE_FEW_LENGTHS) have one of each kind, since the compiler takes longest over these.
#ifdef AMACRINE_FEW_LENGTHS
#define AMACRINE_TIME_LENGTHS(DO) DO(16) DO(24) DO(40) DO(80)
#else
#define AMACRINE_TIME_LENGTHS(DO) DO(12) DO(16) DO(18) DO(24) DO(30) DO(40) DO(48) DO(60) DO(72) DO(80)
#endif
#define AMACRINE_LENGTH(N) N,
constexpr int time_lengths[] = {AMACRINE_TIME_LENGTHS(AMACRINE_LENGTH)};
#undef AMACRINE_LENGTH
/// Values of all phases together that there is room for.
constexpr int most_values = 192;

/// Calls body with half the length as a compile-time constant.
template <class Body>
void with_half_length(int n, const Body& body) {
  switch (n) {
#define AMACRINE_LENGTH(N) \
  case N:                  \
    return body(std::integral_constant<int, (N) / 2>());
    AMACRINE_TIME_LENGTHS(AMACRINE_LENGTH)
#undef AMACRINE_LENGTH
#undef AMACRINE_TIME_LENGTHS
    default:
      core::fail("there is no transform over time of length {}", n);
  }
}

/// Instructions of a channel's transform of that length and its products with so many phases, a register of frequencies.
double transform_cost(int n, int phases) { return n * (2.5 * std::log2(n) + 4.0 * phases); }

}  // namespace

TimeBlocks::TimeBlocks(int history, const SegmentShape& shape)
    : windows(static_cast<int>(shape.windows)),
      phases(static_cast<int>(shape.spacing)),
      lags(static_cast<int>(shape.phase_lags(static_cast<std::size_t>(history)))),
      phase_advance(static_cast<int>(shape.phase_frames(static_cast<std::size_t>(history)))),
      side_by_side(shape.runs > 1) {
  const int runs = static_cast<int>(shape.runs), run = static_cast<int>(shape.run());
  // Lag by lag instead, which runs side by side and windows apart cannot be.
  double best = side_by_side || phases > 1 ? std::numeric_limits<double>::infinity() : 4.0 * history * windows;
  for (const int n : time_lengths) {
    const int each = std::min(n - lags + 1, run);
    if (each < (side_by_side ? run : 1) || (side_by_side && windows > std::max(n, least_column)) || phases * n > most_values)
      continue;
    const int count = side_by_side ? runs : (windows + each - 1) / each;
    const double cost = count * transform_cost(n, phases);
    if (cost >= best) continue;
    best = cost, length = n, block = each, blocks = count, advance = side_by_side ? phases * phase_advance : each;
  }
}

int TimeBlocks::lags_touched(int lanes) const { return (phases - 1) * lags + padded_to_lanes(lags, lanes); }
int TimeBlocks::windows_touched(int lanes) const {
  return side_by_side ? padded_to_lanes(windows, lanes) : (blocks - 1) * block + padded_to_lanes(block, lanes);
}

template <class S>
std::size_t time_spectrum(const TimeBlocks& time, std::size_t f, int blocks) {
  constexpr std::size_t W = lane_count<S>;
  return static_cast<std::size_t>(blocks) * ((f + W - 1) / W) * static_cast<std::size_t>(time.values()) * 2 * W;
}

template <class S>
TimeTwiddles<S> time_twiddles(int length) {
  return {twiddles<S>(length / 2).data(), twiddles<S>(length).data()};
}

/// Values over time of one block, from lane `first` on: `steps` of each of `phases` phases that begin `advance` apart.
struct PhasesInTime {
  int first, phases, advance, steps;
};
KOKKOS_INLINE_FUNCTION PhasesInTime frames_of(const TimeBlocks& time, int b) {
  return {b * time.advance, time.phases, time.phase_advance, time.frames(b)};
}
KOKKOS_INLINE_FUNCTION PhasesInTime lags_of(const TimeBlocks& time) { return {0, time.phases, time.lags, time.lags}; }

/// Streamed: what is written is next read from beyond the caches; hosts only.
template <int M, bool Streamed, class S>
KOKKOS_INLINE_FUNCTION void forward_in_time(const FrequencyRows<const S>& from, const PhasesInTime& in, S scale,
                                            const TimeTwiddles<S>& twiddle, S* to) {
  constexpr int W = lane_count<S>;
  TimeColumn<M, S> column;
  const Lanes<S> by(scale);
  const auto read = [&](int t) AMACRINE_INLINE { return column.at(t); };
  for (int p = 0; p < in.phases; ++p, to += 4 * M * W) {
    read_column(from, in.first + p * in.advance, in.steps, column);
    for_each_index<2>([&](auto odd) AMACRINE_INLINE {
      S* const half = to + odd * 2 * M * W;
      const auto put = [&](int k, const Complex<Lanes<S>>& value) AMACRINE_INLINE {
        if constexpr (Streamed) {
          core::stream_lanes<S>(by * value.re, half + 2 * k * W);
          core::stream_lanes<S>(by * value.im, half + (2 * k + 1) * W);
        } else {
          store_lanes<S>(by * value.re, half + 2 * k * W);
          store_lanes<S>(by * value.im, half + (2 * k + 1) * W);
        }
      };
      forward_half<M, odd == 1>(read, in.steps, twiddle, put);
    });
  }
}

/// Spectra over time of `planes` planes, of all blocks of frames or of a kernel's lags.
template <class S>
struct PlanesInTime {
  int planes;
  bool lags;
  S scale;
  const S* from;
  int lanes;
};

template <int M, class S>
void transform_planes(const core::Exec& exec, const char* label, const TimeBlocks& time, std::size_t f, const PlanesInTime<S>& in,
                      S* out) {
  constexpr std::size_t W = lane_count<S>;
  const std::size_t registers = (f + W - 1) / W;
  const int blocks = in.lags ? 1 : time.blocks;
  const TimeTwiddles<S> twiddle = time_twiddles<S>(2 * M);
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(in.planes) * blocks * registers), KOKKOS_LAMBDA(long i) {
        const std::size_t q = i % registers, p = i / registers / blocks;
        const PhasesInTime block = in.lags ? lags_of(time) : frames_of(time, static_cast<int>(i / registers % blocks));
        forward_in_time<M, false>(frequency_rows(in.from, f, in.lanes, p, q), block, in.scale, twiddle,
                                  out + i * static_cast<std::size_t>(2 * time.values()) * W);
      });
}

template <class S>
void transform_frames(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int planes, const S* frames, int lanes,
                      S* out) {
  const PlanesInTime<S> in{planes, false, S(1) / S(time.length), frames, lanes};
  with_half_length(time.length, [&](auto length) {
    transform_planes<decltype(length)::value>(exec, "model::spectral_frames_in_time", time, f, in, out);
  });
}

/// Asks for part `part` of `parts` of the spectra of `blocks` blocks at one register of frequencies, which will soon be read from
/// beyond the cache: their runs are too short for hardware to foresee the next.
template <class S>
void prefetch_spectra(const S* first, std::size_t stride, int blocks, std::size_t size, int part, int parts) {
  constexpr std::size_t line = 64 / sizeof(S);
  const std::size_t lines = size / line, begin = lines * static_cast<std::size_t>(part) / static_cast<std::size_t>(parts),
                    end = lines * static_cast<std::size_t>(part + 1) / static_cast<std::size_t>(parts);
  for (int b = 0; b < blocks; ++b, first += stride)
    for (std::size_t i = begin; i < end; ++i) prefetch(first + i * line);
}

template <class S>
void transform_frames_here(const TimeBlocks& time, const TimeTwiddles<S>& twiddle, std::size_t f, const S* frames, int lanes,
                           S* out) {
  with_half_length(time.length, [&](auto length) {
    constexpr int M = decltype(length)::value;
    constexpr std::size_t W = lane_count<S>;
    const std::size_t registers = (f + W - 1) / W, spectrum = static_cast<std::size_t>(2 * time.values()) * W;
    for (std::size_t b = 0; b < static_cast<std::size_t>(time.blocks); ++b)
      for (std::size_t q = 0; q < registers; ++q) {
        forward_in_time<M, true>(frequency_rows(frames, f, lanes, 0, q), frames_of(time, static_cast<int>(b)),
                                 S(1) / S(time.length), twiddle, out + (b * registers + q) * spectrum);
      }
    core::end_of_stream();
  });
}

template <class S>
void transform_lags(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int channels, const S* kernel, int lanes,
                    S* out) {
  const PlanesInTime<S> in{channels, true, S(1), kernel, lanes};
  with_half_length(time.length, [&](auto length) {
    transform_planes<decltype(length)::value>(exec, "model::spectral_lags_in_time", time, f, in, out);
  });
}

/// Frequency k of half a spectrum times the kernel's, summed over phases.
template <int M, class S>
KOKKOS_FORCEINLINE_FUNCTION Complex<Lanes<S>> phase_product(const S* kernel, const S* frames, int phases, int k) {
  constexpr int phase = 4 * M * lane_count<S>;
  Complex<Lanes<S>> sum = conjugate_product(load_pair(kernel, k), load_pair(frames, k));
  for (int p = 1; p < phases; ++p)
    sum = plus_conjugate_product(sum, load_pair(kernel + p * phase, k), load_pair(frames + p * phase, k));
  return sum;
}

/// One register of frequencies, one segment and channel: the inverses of its blocks' products with the kernel's spectrum. Blocks
/// lie `stride` apart; runs side by side are written in one go.
template <int M, class S>
KOKKOS_INLINE_FUNCTION void correlate_segment(const TimeBlocks& time, const S* frames, std::size_t stride, const S* kernel,
                                              const TimeTwiddles<S>& twiddle, const FrequencyRows<S>& out) {
  constexpr int half = 2 * M * lane_count<S>;
  TimeColumn<M, S> column;
  Complex<Lanes<S>> even[M];
  for (int b = 0; b < time.blocks; ++b, frames += stride) {
    const int first = b * time.block, count = time.count(b), row = time.side_by_side ? first : 0;
    inverse_even<M>([&](int k) AMACRINE_INLINE { return phase_product<M>(kernel, frames, time.phases, k); }, twiddle, even);
    inverse_odd<M>([&](int k) AMACRINE_INLINE { return phase_product<M>(kernel + half, frames + half, time.phases, k); }, count,
                   twiddle, even, [&](int t, const Complex<Lanes<S>>& value) AMACRINE_INLINE { column.put(row + t, value); });
    if (!time.side_by_side) write_column(column, first, count, out);
  }
  if (time.side_by_side) write_column(column, 0, time.windows, out);
}

template <int M, class S>
void correlate_all(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int segments, int channels, const S* frames,
                   const S* kernel, S* out, int lanes) {
  constexpr std::size_t W = lane_count<S>;
  const std::size_t registers = (f + W - 1) / W, spectrum = static_cast<std::size_t>(2 * time.values()) * W;
  const TimeTwiddles<S> twiddle = time_twiddles<S>(2 * M);
  Kokkos::parallel_for(
      "model::spectral_correlate_spectra",
      Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(segments) * channels * registers), KOKKOS_LAMBDA(long i) {
        const std::size_t q = i % registers, c = i / registers % channels, g = i / registers / channels;
        correlate_segment<M>(time, frames + (g * time.blocks * registers + q) * spectrum, registers * spectrum,
                             kernel + (c * registers + q) * spectrum, twiddle,
                             frequency_rows(out, f, lanes, g * channels + c, q));
      });
}

template <class S>
void correlate_spectra(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int segments, int channels, const S* frames,
                       const S* kernel, S* out, int lanes) {
  with_half_length(time.length, [&](auto length) {
    correlate_all<decltype(length)::value>(exec, time, f, segments, channels, frames, kernel, out, lanes);
  });
}

template <class S>
void correlate_here(const TimeBlocks& time, const TimeTwiddles<S>& twiddle, std::size_t f, int segments, int channels,
                    const S* frames, const S* kernel, S* out, int lanes) {
  with_half_length(time.length, [&](auto length) {
    constexpr int M = decltype(length)::value;
    constexpr std::size_t W = lane_count<S>;
    const std::size_t registers = (f + W - 1) / W, spectrum = static_cast<std::size_t>(2 * time.values()) * W;
    for (std::size_t q = 0; q < registers; ++q)
      for (int g = 0; g < segments; ++g)
        for (int c = 0; c < channels; ++c) {
          const S *const s = frames + (static_cast<std::size_t>(g * time.blocks) * registers + q) * spectrum,
                         *const w = kernel + (static_cast<std::size_t>(c) * registers + q) * spectrum;
          if (q + 1 < registers) {
            prefetch_spectra(s + spectrum, registers * spectrum, time.blocks, spectrum, c, channels);
            prefetch_spectra(w + spectrum, 0, 1, spectrum, g, segments);
          }
          correlate_segment<M>(time, s, registers * spectrum, w, twiddle,
                               frequency_rows(out, f, lanes, static_cast<std::size_t>(g * channels + c), q));
        }
  });
}

/// Where the segments that share a gradient lie, at one register of frequencies.
template <class S>
struct WindowSpectra {
  const S *frames, *d;                  ///< of the first segment
  std::size_t block_stride, d_segment;  ///< in values
  int together, lanes, rows;
};

/// Frequencies of half a spectrum of length 2 M, all phases, that there is room for.
template <int M>
constexpr int half_values = most_values / (2 * M) * M;
/// Blocks whose spectra are summed at a time: as many as stay in the nearest cache.
template <int M>
constexpr int summed_blocks = M > 36   ? 1
                              : M > 18 ? 2
                              : M > 9  ? 4
                                       : 8;

/// sum += over N blocks conj(d) * frames, half a spectrum of each phase. d (N, M); blocks of frames lie `stride` apart.
template <int N, int M, class S>
KOKKOS_INLINE_FUNCTION void add_products(const Complex<Lanes<S>>* d, const S* frames, std::size_t stride, int phases, bool first,
                                         Complex<Lanes<S>>* sum) {
  using V = Lanes<S>;
  for (int k = 0; k < M; ++k) {
    Complex<V> at[N];
    for_each_index<N>([&](auto i) AMACRINE_INLINE { at[i] = d[i * M + k]; });
    for (int p = 0; p < phases; ++p) {
      const S* const s = frames + p * 4 * M * lane_count<S>;
      Complex<V> total = first ? Complex<V>{V(S(0)), V(S(0))} : sum[p * M + k];
      for_each_index<N>([&](auto i)
                            AMACRINE_INLINE { total = plus_conjugate_product(total, at[i], load_pair(s + i * stride, k)); });
      sum[p * M + k] = total;
    }
  }
}

/// One register of frequencies and channel: spectra of d against the frames', summed over segments and blocks, and back to lags.
template <int M, class S>
KOKKOS_INLINE_FUNCTION void correlate_windows_block(const TimeBlocks& time, const WindowSpectra<S>& from,
                                                    const TimeTwiddles<S>& twiddle, const FrequencyRows<S>& out) {
  using V = Lanes<S>;
  constexpr int W = lane_count<S>, kept = W > 1 ? 4 : 1, group = W > 1 ? summed_blocks<M> : 1;
  TimeColumn<M, S> columns[kept];
  Complex<V> d[group * M], sum[half_values<M>], even[half_values<M>];
  const int all = from.together * time.blocks, columns_read = time.side_by_side ? from.together : all;
  for_each_index<2>([&](auto odd) AMACRINE_INLINE {
    for (int i = 0; i < all; ++i) {
      const int g = i / time.blocks, b = i % time.blocks, count = time.count(b);
      // Runs side by side are read in one go.
      TimeColumn<M, S>& column = columns[(time.side_by_side ? g : i) % kept];
      const int first = b * time.block, row = time.side_by_side ? first : 0;
      if ((odd == 0 || columns_read > kept) && (!time.side_by_side || b == 0))
        read_column({from.d + g * from.d_segment, from.lanes, from.rows}, first, time.side_by_side ? time.windows : count,
                    column);
      const auto read = [&](int t) AMACRINE_INLINE { return column.at(row + t); };
      Complex<V>* const spectrum = d + i % group * M;
      forward_half<M, odd == 1>(read, count, twiddle,
                                [&](int k, const Complex<V>& value) AMACRINE_INLINE { spectrum[k] = value; });
      const S* const s = from.frames + odd * 2 * M * W;
      if (i % group == group - 1) {
        const int begin = i - group + 1;
        add_products<group, M>(d, s + begin * from.block_stride, from.block_stride, time.phases, begin == 0, sum);
      } else if (i == all - 1) {
        for (int rest = i - i % group; rest < all; ++rest)
          add_products<1, M>(d + rest % group * M, s + rest * from.block_stride, from.block_stride, time.phases, rest == 0, sum);
      }
    }
    for (int p = 0; p < time.phases; ++p) {
      const auto total = [&](int k) AMACRINE_INLINE { return sum[p * M + k]; };
      if constexpr (odd == 0) {
        inverse_even<M>(total, twiddle, even + p * M);
      } else {
        inverse_odd<M>(total, time.lags, twiddle, even + p * M,
                       [&](int l, const Complex<V>& value) AMACRINE_INLINE { columns[0].put(l, value); });
        write_column(columns[0], p * time.lags, time.lags, out);
      }
    }
  });
}

/// Register q of kernel gradient `kernel` and channel c of `channels`, from spectra (G, blocks, ...) and d (G, C, ...).
template <class S>
KOKKOS_INLINE_FUNCTION WindowSpectra<S> window_spectra(const TimeBlocks& time, std::size_t f, int together, std::size_t channels,
                                                       const S* frames, const S* d_out, int d_lanes, std::size_t kernel,
                                                       std::size_t c, std::size_t q) {
  constexpr std::size_t W = lane_count<S>;
  const std::size_t registers = (f + W - 1) / W, spectrum = static_cast<std::size_t>(time.values()) * 2 * W,
                    g = kernel * together;
  const FrequencyRows<const S> d = frequency_rows(d_out, f, d_lanes, g * channels + c, q);
  return {frames + (g * time.blocks * registers + q) * spectrum,
          d.data,
          registers * spectrum,
          channels * f * 2 * d_lanes,
          together,
          d_lanes,
          d.rows};
}

template <int M, class S>
void correlate_all_windows(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int kernels, int together, int channels,
                           const S* frames, const S* d_out, int d_lanes, S* out, int out_lanes) {
  constexpr std::size_t W = lane_count<S>;
  const std::size_t registers = (f + W - 1) / W;
  const TimeTwiddles<S> twiddle = time_twiddles<S>(2 * M);
  Kokkos::parallel_for(
      "model::spectral_correlate_window_spectra",
      Kokkos::RangePolicy<core::Exec>(exec, 0, static_cast<long>(kernels) * channels * registers), KOKKOS_LAMBDA(long i) {
        const std::size_t q = i % registers, c = i / registers % channels, kernel = i / registers / channels;
        correlate_windows_block<M>(time, window_spectra(time, f, together, channels, frames, d_out, d_lanes, kernel, c, q),
                                   twiddle, frequency_rows(out, f, out_lanes, kernel * channels + c, q));
      });
}

template <class S>
void correlate_window_spectra(const core::Exec& exec, const TimeBlocks& time, std::size_t f, int kernels, int together,
                              int channels, const S* frames, const S* d_out, int d_lanes, S* out, int out_lanes) {
  with_half_length(time.length, [&](auto length) {
    correlate_all_windows<decltype(length)::value>(exec, time, f, kernels, together, channels, frames, d_out, d_lanes, out,
                                                   out_lanes);
  });
}

template <class S>
void correlate_windows_here(const TimeBlocks& time, const TimeTwiddles<S>& twiddle, std::size_t f, int together, int channels,
                            const S* frames, const S* d_out, int d_lanes, S* out, int out_lanes) {
  with_half_length(time.length, [&](auto length) {
    constexpr std::size_t W = lane_count<S>;
    const std::size_t spectrum = static_cast<std::size_t>(2 * time.values()) * W;
    const std::size_t d_channel = static_cast<std::size_t>(together) * f * 2 * static_cast<std::size_t>(d_lanes);
    const std::size_t registers = (f + W - 1) / W;
    for (std::size_t q = 0; q < registers; ++q)
      for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
        if (q + 1 < registers)
          prefetch_spectra(frames + (q + 1) * spectrum, registers * spectrum, together * time.blocks, spectrum,
                           static_cast<int>(c), channels);
        correlate_windows_block<decltype(length)::value>(
            time, window_spectra(time, f, together, 1, frames, d_out + c * d_channel, d_lanes, 0, 0, q), twiddle,
            frequency_rows(out, f, out_lanes, c, q));
      }
  });
}

template TimeTwiddles<float> time_twiddles<float>(int);
template TimeTwiddles<double> time_twiddles<double>(int);
template std::size_t time_spectrum<float>(const TimeBlocks&, std::size_t, int);
template std::size_t time_spectrum<double>(const TimeBlocks&, std::size_t, int);
template void transform_frames<float>(const core::Exec&, const TimeBlocks&, std::size_t, int, const float*, int, float*);
template void transform_frames<double>(const core::Exec&, const TimeBlocks&, std::size_t, int, const double*, int, double*);
template void transform_lags<float>(const core::Exec&, const TimeBlocks&, std::size_t, int, const float*, int, float*);
template void transform_lags<double>(const core::Exec&, const TimeBlocks&, std::size_t, int, const double*, int, double*);
template void correlate_spectra<float>(const core::Exec&, const TimeBlocks&, std::size_t, int, int, const float*, const float*,
                                       float*, int);
template void correlate_spectra<double>(const core::Exec&, const TimeBlocks&, std::size_t, int, int, const double*, const double*,
                                        double*, int);
template void correlate_window_spectra<float>(const core::Exec&, const TimeBlocks&, std::size_t, int, int, int, const float*,
                                              const float*, int, float*, int);
template void correlate_window_spectra<double>(const core::Exec&, const TimeBlocks&, std::size_t, int, int, int, const double*,
                                               const double*, int, double*, int);
template void transform_frames_here<float>(const TimeBlocks&, const TimeTwiddles<float>&, std::size_t, const float*, int, float*);
template void transform_frames_here<double>(const TimeBlocks&, const TimeTwiddles<double>&, std::size_t, const double*, int,
                                            double*);
template void correlate_here<float>(const TimeBlocks&, const TimeTwiddles<float>&, std::size_t, int, int, const float*,
                                    const float*, float*, int);
template void correlate_here<double>(const TimeBlocks&, const TimeTwiddles<double>&, std::size_t, int, int, const double*,
                                     const double*, double*, int);
template void correlate_windows_here<float>(const TimeBlocks&, const TimeTwiddles<float>&, std::size_t, int, int, const float*,
                                            const float*, int, float*, int);
template void correlate_windows_here<double>(const TimeBlocks&, const TimeTwiddles<double>&, std::size_t, int, int, const double*,
                                             const double*, int, double*, int);

}  // namespace amacrine::model::spectral
