// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/lanes.hpp"
#include "amacrine/core/transpose_lanes.hpp"
#include "spectral_fft.hpp"
#include "spectral_time.hpp"

#include <cstddef>
#include <type_traits>

/// The pieces of a transform over time, a register of neighbouring frequencies at a time: columns of time out of rows whose lanes
/// are time, and the two halves of a transform.
namespace amacrine::model::spectral {

using core::lane_count;
using core::Lanes;
using core::load_lanes;
using core::store_lanes;

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

/// Windows side by side that there is room for beside any transform.
constexpr int least_column = 16;

/// Values over time with frequencies in the lanes, re and im apart.
template <int M, class S>
struct TimeColumn {
  static constexpr int W = lane_count<S>, values = 2 * M < least_column ? least_column : 2 * M, padded = (values + W - 1) / W * W;
  S re[padded * W], im[padded * W];
  KOKKOS_INLINE_FUNCTION Complex<Lanes<S>> at(int t) const { return {load_lanes(re + t * W), load_lanes(im + t * W)}; }
  KOKKOS_INLINE_FUNCTION void put(int t, const Complex<Lanes<S>>& value) {
    store_lanes<S>(value.re, re + t * W);
    store_lanes<S>(value.im, im + t * W);
  }
};

/// `steps` values over time from lane `first` on.
template <int M, class S>
KOKKOS_INLINE_FUNCTION void read_column(const FrequencyRows<const S>& from, int first, int steps, TimeColumn<M, S>& column) {
  constexpr int W = lane_count<S>;
  for (int t = 0; t < steps; t += W) {
    core::transpose_lanes<S>(from.data + first + t, from.stride(), from.rows, column.re + t * W, W, W);
    core::transpose_lanes<S>(from.data + from.lanes + first + t, from.stride(), from.rows, column.im + t * W, W, W);
  }
}

template <int M, class S>
KOKKOS_INLINE_FUNCTION void write_column(const TimeColumn<M, S>& column, int first, int steps, const FrequencyRows<S>& to) {
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

/// sum + conj(w) * s
template <class V>
KOKKOS_INLINE_FUNCTION Complex<V> plus_conjugate_product(const Complex<V>& sum, const Complex<V>& w, const Complex<V>& s) {
  return {Kokkos::fma(w.im, s.im, Kokkos::fma(w.re, s.re, sum.re)), Kokkos::fma(-w.im, s.re, Kokkos::fma(w.re, s.im, sum.im))};
}

/// A transform of length 2 M is two of length M, of the even and the odd frequencies, so that all that one of them touches stays
/// in the nearest cache: spectra have their M even frequencies first, then the odd ones. read(t) is asked for t < steps, the rest
/// counts as zeros; put(k, value) gets k = 0 ... M - 1 of its half.
template <int M, bool Odd, class S, class Read, class Put>
KOKKOS_FORCEINLINE_FUNCTION void forward_half(const Read& read, int steps, const TimeTwiddles<S>& twiddle, const Put& put) {
  using V = Lanes<S>;
  Complex<V> scratch[M];
  const auto load = [&](int t) AMACRINE_INLINE {
    Complex<V> value = t < steps ? read(t) : Complex<V>{V(S(0)), V(S(0))};
    if (t + M < steps) value = Odd ? value - read(t + M) : value + read(t + M);
    if constexpr (Odd) value = rotate<-1>(value, twiddle.whole[2 * t], twiddle.whole[2 * t + 1]);
    return value;
  };
  transform<M, -1>(load, scratch, put, twiddle.half);
}

/// The way back, times 2 M: the even half, read(k) for k = 0 ... M - 1, is kept; with the odd one put(t, value) gets t < steps.
template <int M, class S, class Read>
KOKKOS_FORCEINLINE_FUNCTION void inverse_even(const Read& read, const TimeTwiddles<S>& twiddle, Complex<Lanes<S>>* even) {
  Complex<Lanes<S>> scratch[M];
  transform<M, 1>(
      read, scratch, [&](int t, const Complex<Lanes<S>>& value) AMACRINE_INLINE { even[t] = value; }, twiddle.half);
}
template <int M, class S, class Read, class Put>
KOKKOS_FORCEINLINE_FUNCTION void inverse_odd(const Read& read, int steps, const TimeTwiddles<S>& twiddle,
                                             const Complex<Lanes<S>>* even, const Put& put) {
  Complex<Lanes<S>> scratch[M];
  const auto both = [&](int t, const Complex<Lanes<S>>& value) AMACRINE_INLINE {
    const Complex<Lanes<S>> odd = rotate<1>(value, twiddle.whole[2 * t], twiddle.whole[2 * t + 1]);
    if (t < steps) put(t, even[t] + odd);
    if (t + M < steps) put(t + M, even[t] - odd);
  };
  transform<M, 1>(read, scratch, both, twiddle.half);
}

}  // namespace amacrine::model::spectral
