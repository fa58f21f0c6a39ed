// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/lanes.hpp"

#include <Kokkos_Core.hpp>

/// Complex transforms of fixed length N = R M over lane vectors, in two passes of radix R and M (Stockham, decimation in
/// frequency): the first reads its input where it lies, the second hands over its output, so that a value is stored once between
/// them. Stores are what such a transform waits for, not arithmetic.
namespace amacrine::model::spectral {

using core::for_each_index;

template <class V>
struct Complex {
  V re, im;
};

template <class V>
KOKKOS_INLINE_FUNCTION Complex<V> operator+(const Complex<V>& a, const Complex<V>& b) {
  return {a.re + b.re, a.im + b.im};
}
template <class V>
KOKKOS_INLINE_FUNCTION Complex<V> operator-(const Complex<V>& a, const Complex<V>& b) {
  return {a.re - b.re, a.im - b.im};
}
/// a * (c + Sign i s). Sums of two products say which one is rounded first: left to the compiler, copies of the same loop could
/// differ in their bits.
template <int Sign, class V, class S>
KOKKOS_INLINE_FUNCTION Complex<V> rotate(const Complex<V>& a, S c, S s) {
  const V vc(c), vs(s);
  if constexpr (Sign < 0) {
    return {Kokkos::fma(a.im, vs, a.re * vc), Kokkos::fma(-a.re, vs, a.im * vc)};
  } else {
    return {Kokkos::fma(-a.im, vs, a.re * vc), Kokkos::fma(a.re, vs, a.im * vc)};
  }
}
/// Sign * i * a: Sign = -1 forward, +1 inverse.
template <int Sign, class V>
KOKKOS_INLINE_FUNCTION Complex<V> quarter(const Complex<V>& a) {
  if constexpr (Sign < 0) {
    return {a.im, -a.re};
  } else {
    return {-a.im, a.re};
  }
}

/// R of N = R M, both at most 10.
constexpr int first_radix(int n) {
  for (int r = 8; r > 1; --r)
    if (n % r == 0 && r * r <= n && r != 7) return r;
  return 1;
}

template <int R, int Sign, class V, class S>
KOKKOS_FORCEINLINE_FUNCTION void twice_odd_butterfly(Complex<V> (&a)[2 * R]);

template <int R, int Sign, class V, class S>
KOKKOS_FORCEINLINE_FUNCTION void butterfly(Complex<V> (&a)[R]) {
  if constexpr (R == 2) {
    const Complex<V> sum = a[0] + a[1];
    a[1] = a[0] - a[1];
    a[0] = sum;
  } else if constexpr (R == 3) {
    const V half(S(-0.5)), root(S(Sign < 0 ? 0.86602540378443864676 : -0.86602540378443864676));
    const Complex<V> sum = a[1] + a[2], difference = a[1] - a[2];
    const Complex<V> middle{Kokkos::fma(half, sum.re, a[0].re), Kokkos::fma(half, sum.im, a[0].im)};
    a[0] = a[0] + sum;
    a[1] = {Kokkos::fma(root, difference.im, middle.re), Kokkos::fma(-root, difference.re, middle.im)};
    a[2] = {Kokkos::fma(-root, difference.im, middle.re), Kokkos::fma(root, difference.re, middle.im)};
  } else if constexpr (R == 4) {
    const Complex<V> even = a[0] + a[2], odd = a[1] + a[3], low = a[0] - a[2], high = quarter<Sign>(a[1] - a[3]);
    a[0] = even + odd;
    a[1] = low + high;
    a[2] = even - odd;
    a[3] = low - high;
  } else if constexpr (R == 5) {
    const V c1(S(0.30901699437494742410)), c2(S(-0.80901699437494742410));
    const V s1(S(0.95105651629515357212)), s2(S(0.58778525229247312917));
    const Complex<V> p1 = a[1] + a[4], m1 = a[1] - a[4], p2 = a[2] + a[3], m2 = a[2] - a[3];
    const auto mixed = [](const V& c, const V& x, const V& d, const V& y, const V& start)
                           AMACRINE_INLINE { return Kokkos::fma(d, y, Kokkos::fma(c, x, start)); };
    const Complex<V> r1{mixed(c1, p1.re, c2, p2.re, a[0].re), mixed(c1, p1.im, c2, p2.im, a[0].im)};
    const Complex<V> r2{mixed(c2, p1.re, c1, p2.re, a[0].re), mixed(c2, p1.im, c1, p2.im, a[0].im)};
    const Complex<V> t1 = quarter<Sign>(Complex<V>{Kokkos::fma(s2, m2.re, s1 * m1.re), Kokkos::fma(s2, m2.im, s1 * m1.im)});
    const Complex<V> t2 = quarter<Sign>(Complex<V>{Kokkos::fma(-s1, m2.re, s2 * m1.re), Kokkos::fma(-s1, m2.im, s2 * m1.im)});
    a[0] = a[0] + p1 + p2;
    a[1] = r1 + t1;
    a[4] = r1 - t1;
    a[2] = r2 + t2;
    a[3] = r2 - t2;
  } else if constexpr (R == 8) {
    const S root(S(0.70710678118654752440));
    Complex<V> even[4], odd[4];
    for_each_index<4>([&](auto j) AMACRINE_INLINE { even[j] = a[j] + a[j + 4], odd[j] = a[j] - a[j + 4]; });
    odd[1] = rotate<Sign>(odd[1], root, root);
    odd[2] = quarter<Sign>(odd[2]);
    odd[3] = rotate<Sign>(odd[3], -root, root);
    butterfly<4, Sign, V, S>(even);
    butterfly<4, Sign, V, S>(odd);
    for_each_index<4>([&](auto j) AMACRINE_INLINE { a[2 * j] = even[j], a[2 * j + 1] = odd[j]; });
  } else {
    twice_odd_butterfly<R / 2, Sign, V, S>(a);
  }
}

/// Length 2 R, R odd, without twiddles (Good and Thomas): n = R n1 + 2 n2, k = R k1 + (R + 1) k2.
template <int R, int Sign, class V, class S>
KOKKOS_FORCEINLINE_FUNCTION void twice_odd_butterfly(Complex<V> (&a)[2 * R]) {
  static_assert(R == 3 || R == 5);
  Complex<V> sum[R], difference[R];
  for_each_index<R>([&](auto n) AMACRINE_INLINE {
    constexpr int first = 2 * n % (2 * R), second = (2 * n + R) % (2 * R);
    sum[n] = a[first] + a[second], difference[n] = a[first] - a[second];
  });
  butterfly<R, Sign, V, S>(sum);
  butterfly<R, Sign, V, S>(difference);
  for_each_index<R>([&](auto k) AMACRINE_INLINE {
    constexpr int even = (R + 1) * k % (2 * R), odd = ((R + 1) * k + R) % (2 * R);
    a[even] = sum[k], a[odd] = difference[k];
  });
}

/// load(n) is the input at n = 0 ... N - 1, store(k, value) takes the output at k. `scratch` holds N values; `twiddle`: cos and
/// sin of 2 pi k / N, interleaved.
template <int N, int Sign, class V, class S, class Load, class Store>
KOKKOS_FORCEINLINE_FUNCTION void transform(const Load& load, Complex<V>* scratch, const Store& store, const S* twiddle) {
  constexpr int R = first_radix(N), M = N / R;
  static_assert(R > 1 && M <= 10);
  for (int p = 0; p < M; ++p) {
    Complex<V> a[R];
    for_each_index<R>([&](auto r) AMACRINE_INLINE { a[r] = load(p + M * r); });
    butterfly<R, Sign, V, S>(a);
    scratch[R * p] = a[0];
    for_each_index<R - 1>([&](auto before) AMACRINE_INLINE {
      constexpr int r = before + 1;
      scratch[R * p + r] = rotate<Sign>(a[r], twiddle[2 * (p * r)], twiddle[2 * (p * r) + 1]);
    });
  }
  for (int q = 0; q < R; ++q) {
    Complex<V> a[M];
    for_each_index<M>([&](auto r) AMACRINE_INLINE { a[r] = scratch[q + R * r]; });
    butterfly<M, Sign, V, S>(a);
    for_each_index<M>([&](auto r) AMACRINE_INLINE { store(q + R * r, a[r]); });
  }
}

}  // namespace amacrine::model::spectral
