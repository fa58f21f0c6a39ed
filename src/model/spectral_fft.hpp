// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Kokkos_Core.hpp>

/// Complex transforms of fixed length N = 2^a 3^b 5^c over arrays of lane vectors: self-sorting (Stockham), decimation in
/// frequency, unrolled at compile time by radix 5, 4, 3, 2.
namespace amacrine::model::spectral {

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
/// a * (c + i s)
template <class V, class S>
KOKKOS_INLINE_FUNCTION Complex<V> rotate(const Complex<V>& a, S c, S s) {
  const V vc(c), vs(s);
  return {a.re * vc - a.im * vs, a.re * vs + a.im * vc};
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

constexpr int radix_of(int n) { return n % 5 == 0 ? 5 : n % 4 == 0 ? 4 : n % 3 == 0 ? 3 : n % 2 == 0 ? 2 : n; }

template <int R, int Sign, class V, class S>
KOKKOS_INLINE_FUNCTION void butterfly(Complex<V> (&a)[R]) {
  if constexpr (R == 2) {
    const Complex<V> sum = a[0] + a[1];
    a[1] = a[0] - a[1];
    a[0] = sum;
  } else if constexpr (R == 3) {
    const V half(S(-0.5)), root(S(0.86602540378443864676));
    const Complex<V> sum = a[1] + a[2], difference = a[1] - a[2];
    const Complex<V> middle{a[0].re + half * sum.re, a[0].im + half * sum.im};
    const Complex<V> turn = quarter<Sign>(Complex<V>{root * difference.re, root * difference.im});
    a[0] = a[0] + sum;
    a[1] = middle + turn;
    a[2] = middle - turn;
  } else if constexpr (R == 4) {
    const Complex<V> even = a[0] + a[2], odd = a[1] + a[3], low = a[0] - a[2], high = quarter<Sign>(a[1] - a[3]);
    a[0] = even + odd;
    a[1] = low + high;
    a[2] = even - odd;
    a[3] = low - high;
  } else {
    static_assert(R == 5);
    const V c1(S(0.30901699437494742410)), c2(S(-0.80901699437494742410));
    const V s1(S(0.95105651629515357212)), s2(S(0.58778525229247312917));
    const Complex<V> p1 = a[1] + a[4], m1 = a[1] - a[4], p2 = a[2] + a[3], m2 = a[2] - a[3];
    const Complex<V> r1{a[0].re + c1 * p1.re + c2 * p2.re, a[0].im + c1 * p1.im + c2 * p2.im};
    const Complex<V> r2{a[0].re + c2 * p1.re + c1 * p2.re, a[0].im + c2 * p1.im + c1 * p2.im};
    const Complex<V> t1 = quarter<Sign>(Complex<V>{s1 * m1.re + s2 * m2.re, s1 * m1.im + s2 * m2.im});
    const Complex<V> t2 = quarter<Sign>(Complex<V>{s2 * m1.re - s1 * m2.re, s2 * m1.im - s1 * m2.im});
    a[0] = a[0] + p1 + p2;
    a[1] = r1 + t1;
    a[4] = r1 - t1;
    a[2] = r2 + t2;
    a[3] = r2 - t2;
  }
}

/// One stage of length n and stride s, then the rest. Returns where the result lies (x or y). `twiddle`: cos and sin of
/// 2 pi k / N, interleaved.
template <int N, int n, int s, int Sign, class V, class S>
KOKKOS_INLINE_FUNCTION Complex<V>* stages(Complex<V>* x, Complex<V>* y, const S* twiddle) {
  if constexpr (n == 1) {
    return x;
  } else {
    constexpr int R = radix_of(n), m = n / R;
    for (int p = 0; p < m; ++p) {
      S c[R], d[R];
      for (int r = 1; r < R; ++r) {
        c[r] = twiddle[2 * (p * r * s)];
        d[r] = Sign * twiddle[2 * (p * r * s) + 1];
      }
      for (int q = 0; q < s; ++q) {
        Complex<V> a[R];
        for (int r = 0; r < R; ++r) a[r] = x[q + s * (p + m * r)];
        butterfly<R, Sign, V, S>(a);
        y[q + s * (R * p)] = a[0];
        for (int r = 1; r < R; ++r) y[q + s * (R * p + r)] = m == 1 ? a[r] : rotate(a[r], c[r], d[r]);
      }
    }
    return stages<N, m, s * R, Sign>(y, x, twiddle);
  }
}

template <int N, int Sign, class V, class S>
KOKKOS_INLINE_FUNCTION Complex<V>* transform(Complex<V>* x, Complex<V>* scratch, const S* twiddle) {
  return stages<N, N, 1, Sign>(x, scratch, twiddle);
}

}  // namespace amacrine::model::spectral
