// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"
#include "amacrine/core/lanes.hpp"
#include "spectral_fft.hpp"
#include "spectral_transform.hpp"

#include <cstddef>
#include <type_traits>

/// The pieces of a real two-dimensional transform, a register of lanes at a time: rows, columns, and rows back.
namespace amacrine::model::spectral {

using core::Lanes;

/// One register of lanes of half a spectrum (y, kx, re | im, lanes).
template <class S>
struct HalfSpectrum {
  S* data;
  int lanes;
  KOKKOS_INLINE_FUNCTION S* at(int y, int k, int half_width) const {
    return data + (static_cast<std::size_t>(y) * half_width + k) * 2 * lanes;
  }
};

/// Two real rows share one complex transform; their spectra are told apart by symmetry. `plane` starts at the lane; `left`
/// lanes remain there.
template <int N, class S>
KOKKOS_INLINE_FUNCTION void forward_rows(const PlaneLayout<S>& at, const S* plane, int left, const HalfSpectrum<S>& rows,
                                         int pair) {
  using V = Lanes<S>;
  constexpr int K = N / 2 + 1;
  Complex<V> scratch[N], z[N];
  const int y = 2 * pair;
  const bool two = y + 1 < at.height;
  const std::size_t next = static_cast<std::size_t>(at.width) * at.lanes;
  const S* const row = plane + y * next;
  const auto load = [&](int x) AMACRINE_INLINE {
    if (x >= at.width || left <= 0) return Complex<V>{V(S(0)), V(S(0))};
    const S* from = row + static_cast<std::size_t>(x) * at.lanes;
    return Complex<V>{core::load_lanes(from, left), two ? core::load_lanes(from + next, left) : V(S(0))};
  };
  transform<N, -1>(
      load, scratch, [&](int k, const Complex<V>& value) AMACRINE_INLINE { z[k] = value; }, at.twiddle);
  const V half(S(0.5));
  for (int k = 0; k < K; ++k) {
    const Complex<V> p = z[k], q = z[k == 0 ? 0 : N - k];
    S* first = rows.at(y, k, K);
    core::store_lanes<S>(half * (p.re + q.re), first);
    core::store_lanes<S>(half * (p.im - q.im), first + rows.lanes);
    if (!two) continue;
    S* second = rows.at(y + 1, k, K);
    core::store_lanes<S>(half * (p.im + q.im), second);
    core::store_lanes<S>(half * (q.re - p.re), second + rows.lanes);
  }
}

/// Transforms one column, possibly in place; rows beyond `rows_in` count as zero, only the first `rows_out` are written.
template <int N, int Sign, class S>
KOKKOS_INLINE_FUNCTION void columns(const S* twiddle, const HalfSpectrum<S>& from, const HalfSpectrum<S>& to, int kx, int rows_in,
                                    int rows_out) {
  using V = Lanes<S>;
  constexpr int K = N / 2 + 1;
  Complex<V> scratch[N];
  const auto load = [&](int y) AMACRINE_INLINE {
    const S* value = from.at(y, kx, K);
    return y < rows_in ? Complex<V>{core::load_lanes(value), core::load_lanes(value + from.lanes)} : Complex<V>{V(S(0)), V(S(0))};
  };
  const auto store = [&](int y, const Complex<V>& z) AMACRINE_INLINE {
    if (y >= rows_out) return;
    S* value = to.at(y, kx, K);
    core::store_lanes<S>(z.re, value);
    core::store_lanes<S>(z.im, value + to.lanes);
  };
  transform<N, Sign>(load, scratch, store, twiddle);
}

/// The way back: two rows of half spectra become one complex row, whose real and imaginary parts are the two real rows.
template <int N, class S>
KOKKOS_INLINE_FUNCTION void inverse_rows(const PlaneLayout<S>& at, const HalfSpectrum<S>& rows, S* plane, int left, int pair) {
  using V = Lanes<S>;
  constexpr int K = N / 2 + 1;
  Complex<V> scratch[N];
  const int y = 2 * pair;
  const bool two = y + 1 < at.height;
  const auto load = [&](int x) AMACRINE_INLINE {
    const bool mirrored = x >= K;
    const int k = mirrored ? N - x : x;
    const S *first = rows.at(y, k, K), *second = rows.at(two ? y + 1 : y, k, K);
    const V ar = core::load_lanes(first), ai = core::load_lanes(first + rows.lanes);
    const V br = core::load_lanes(second), bi = core::load_lanes(second + rows.lanes);
    return mirrored ? Complex<V>{ar + bi, br - ai} : Complex<V>{ar - bi, ai + br};
  };
  const V scale(S(1) / S(N * N));
  const std::size_t next = static_cast<std::size_t>(at.width) * at.lanes;
  S* const row = plane + y * next;
  const auto store = [&](int x, const Complex<V>& z) AMACRINE_INLINE {
    if (x >= at.width) return;
    S* to = row + static_cast<std::size_t>(x) * at.lanes;
    core::store_lanes<S>(scale * z.re, to, left);
    if (two) core::store_lanes<S>(scale * z.im, to + next, left);
  };
  transform<N, 1>(load, scratch, store, at.twiddle);
}

/// Calls body with N as a compile-time constant.
template <class Body>
void with_length(int n, const Body& body) {
  switch (n) {
#define AMACRINE_LENGTH(N) \
  case N:                  \
    return body(std::integral_constant<int, N>());
    AMACRINE_LENGTH(8)
    AMACRINE_LENGTH(12)
    AMACRINE_LENGTH(16)
    AMACRINE_LENGTH(20)
    AMACRINE_LENGTH(24)
    AMACRINE_LENGTH(30)
    AMACRINE_LENGTH(36)
    AMACRINE_LENGTH(40)
    AMACRINE_LENGTH(50)
    AMACRINE_LENGTH(64)
#undef AMACRINE_LENGTH
    default:
      core::fail("there is no spectral transform of length {}", n);
  }
}

}  // namespace amacrine::model::spectral
