// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Kokkos_Core.hpp>

namespace amacrine::core {

/// softplus(z) = log(1 + exp(beta z)) / beta without overflow, beta > 0; z and the result in Hz, beta in 1/Hz.
template <class S>
KOKKOS_INLINE_FUNCTION S softplus(S z, S beta) {
  const S u = beta * z;
  return ((u > 0 ? u : S(0)) + Kokkos::log1p(Kokkos::exp(-Kokkos::abs(u)))) / beta;
}

}  // namespace amacrine::core
