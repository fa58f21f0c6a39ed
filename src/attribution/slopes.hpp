// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Kokkos_Core.hpp>

namespace amacrine::attribution {

/// Slope of max(0, x) between a and b; its derivative where they are the same. Exactly 1 and 0 away from the threshold.
template <class S>
KOKKOS_INLINE_FUNCTION S relu_slope(S a, S b) {
  const S rise = (b > S(0) ? b : S(0)) - (a > S(0) ? a : S(0)), run = b - a;
  return run == S(0) ? (a > S(0) ? S(1) : S(0)) : rise / run;
}

/// The part of a path's panel [from, to] on which a first-layer unit is active that moves by `step` (not 0) along the path and
/// crosses its threshold at `crossing`: the slope of its ReLU across the panel. A NaN stays one.
template <class S>
KOKKOS_INLINE_FUNCTION S active_part(S crossing, S step, S from, S to, S inverse_width) {
  const S part = (step > S(0) ? to - crossing : crossing - from) * inverse_width;
  return part <= S(0) ? S(0) : (part >= S(1) ? S(1) : part);
}

/// Change of `count` first-layer units across the panel [from, to] of a path on which they move by `step` and cross their
/// thresholds at `crossing`.
template <class S>
void panel_change(const S* crossing, const S* step, S from, S to, S inverse_width, int count, S* change) {
  for (int i = 0; i < count; ++i) {
    const S inside = active_part(crossing[i], step[i], from, to, inverse_width);
    change[i] = inside * (step[i] * (to - from));
  }
}

template <class S>
KOKKOS_INLINE_FUNCTION S relu_derivative(S a) {
  return a > S(0) ? S(1) : S(0);
}

/// core::softplus but for its rounding: the bits of attributions rest on this sum of quotients.
KOKKOS_INLINE_FUNCTION double softplus(double z, double beta) {
  const double t = beta * z;
  return (t > 0 ? t : 0) / beta + Kokkos::log1p(Kokkos::exp(t > 0 ? -t : t)) / beta;
}

KOKKOS_INLINE_FUNCTION double softplus_derivative(double z, double beta) {
  const double e = Kokkos::exp(beta * z > 0 ? -beta * z : beta * z);
  return (beta * z > 0 ? 1.0 : e) / (1.0 + e);
}

/// Slope of softplus between a and b. Close to each other, where the difference would lose its digits, the derivative half way
/// and the next term of its series.
KOKKOS_INLINE_FUNCTION double softplus_slope(double a, double b, double beta) {
  const double step = beta * (b - a);
  if (step > 1e-3 || step < -1e-3) return (softplus(b, beta) - softplus(a, beta)) / (b - a);
  const double p = softplus_derivative(0.5 * (a + b), beta);
  return p + step * step / 24.0 * p * (1.0 - p) * (1.0 - 2.0 * p);
}

}  // namespace amacrine::attribution
