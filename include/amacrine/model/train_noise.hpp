// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/lanes.hpp"
#include "amacrine/core/views.hpp"
#include "amacrine/core/word_lanes.hpp"

#include <cstdint>

#include <Kokkos_Core.hpp>

/// The network's noise: standard normals from Philox4x32-10 (Salmon et al. 2011), written so that the loop over lanes
/// vectorises. The deviate of a unit depends on (model seed, step, global sample, layer, unit) only.
namespace amacrine::model {

/// SIMD lanes that one work item handles: 16 floats on a host, one on a GPU, where the threads are the lanes.
inline constexpr int train_lanes = Kokkos::SpaceAccessibility<Kokkos::HostSpace, core::Exec::memory_space>::accessible ? 16 : 1;

/// What the noise of one layer in one step is keyed by.
struct NoiseKey {
  std::uint64_t model_seed = 0;
  std::uint64_t step = 0;
  std::size_t first_sample = 0;  ///< global sample (window of the whole batch) of this rank's first window
  std::uint32_t layer = 0;
};

/// One round of Philox4x32: words of any kind whose product with a factor is 64 bits wide.
template <class Words, class Multiply>
KOKKOS_FORCEINLINE_FUNCTION void philox_round(Words (&c)[4], std::uint32_t key0, std::uint32_t key1, const Multiply& multiply) {
  const Words a = multiply(c[0], 0xD2511F53u), b = multiply(c[2], 0xCD9E8D57u);
  c[0] = (b >> 32) ^ c[1] ^ std::uint64_t(key0);
  c[2] = (a >> 32) ^ c[3] ^ std::uint64_t(key1);
  c[1] = b;
  c[3] = a;
}

/// Four words of Philox4x32-10 per lane, in place. counter[w][lane], key the same for all lanes. Even and odd lanes lie in the
/// low halves of registers of their own, where products are; what is above is never read.
template <int N>
KOKKOS_INLINE_FUNCTION void philox_rounds(std::uint32_t (&c)[4][N], std::uint32_t key0, std::uint32_t key1) {
  constexpr std::uint32_t step0 = 0x9E3779B9u, step1 = 0xBB67AE85u;
  if constexpr (N % 2 == 0 && core::detail::exec_is_host) {
    using Row = core::WordLanes<N>;
    typename Row::Pairs even[4], odd[4];
    for (int w = 0; w < 4; ++w) {
      __builtin_memcpy(&even[w], c[w], sizeof(even[w]));
      odd[w] = even[w] >> 32;
    }
    for (std::uint32_t round = 0; round < 10; ++round) {
      philox_round(even, key0 + round * step0, key1 + round * step1, Row::multiply);
      philox_round(odd, key0 + round * step0, key1 + round * step1, Row::multiply);
    }
    for (int w = 0; w < 4; ++w) {
      const typename Row::Pairs both = (even[w] & 0xffffffffu) | (odd[w] << 32);
      __builtin_memcpy(c[w], &both, sizeof(both));
    }
  } else {
    for (int i = 0; i < N; ++i) {
      std::uint64_t lane[4] = {c[0][i], c[1][i], c[2][i], c[3][i]};
      for (std::uint32_t round = 0; round < 10; ++round)
        philox_round(lane, key0 + round * step0, key1 + round * step1,
                     [](std::uint64_t word, std::uint32_t factor) { return (word & 0xffffffffu) * factor; });
      for (int w = 0; w < 4; ++w) c[w][i] = static_cast<std::uint32_t>(lane[w]);
    }
  }
}

/// Cubics in 1 <= m < 2 for the standard normal's quantile at the upper tail probability m 2^e / 65,536, e = -1 ... 14: least
/// maximum fits (1.9e-4) of every octave, which lies at (e + 127) mod 16.
// clang-format off
struct QuantileCubics {
  float power[4][16] = {
    {4.15870142f, 4.19462776f, 4.03926134f, 3.87807393f, 3.70691705f, 3.5286026f, 3.34221864f, 3.14665675f,
     2.94055462f, 2.72221947f, 2.48952675f, 2.2398057f, 1.96992028f, 1.6850822f, 4.32491922f, 4.07620668f},
    {-0.162358716f, -0.490307242f, -0.517118633f, -0.54580009f, -0.571195424f, -0.600316405f, -0.634138107f, -0.67402184f,
     -0.721927524f, -0.780781865f, -0.855143547f, -0.952482522f, -1.0862397f, -1.30394435f, 0.0f, 0.0f},
    {0.0f, 0.160881132f, 0.171342045f, 0.181788385f, 0.189557657f, 0.198340416f, 0.208358645f, 0.219898596f,
     0.233327001f, 0.249097243f, 0.267701328f, 0.289420575f, 0.313753545f, 0.355691224f, 0.0f, 0.0f},
    {0.0f, -0.0236807633f, -0.0254382733f, -0.027067842f, -0.0282001141f, -0.0294768568f, -0.0309291724f, -0.0325973257f,
     -0.0345338024f, -0.0368073508f, -0.0395100638f, -0.0427927002f, -0.0472684316f, -0.0625167489f, 0.0f, 0.0f}};
};
// clang-format on

/// A row's deviates of 16 bits each: the sign, and 15 bits k for the tail probability (k + 1/2) / 65,536 beyond it.
template <int N>
KOKKOS_INLINE_FUNCTION typename core::WordLanes<N>::Floats quantile_row(const typename core::WordLanes<N>::Words& word) {
  using Row = core::WordLanes<N>;
  const auto tail = Row::bits(Row::to_float(word & 0x7fffu) + 0.5f);
  const auto octave = tail >> 23;
  const auto mantissa = Row::from_bits((tail & 0x007fffffu) | 0x3f800000u);
  const QuantileCubics cubics;
  auto x = Row::look_up(cubics.power[3], octave);
  for (int power = 2; power >= 0; --power) x = x * mantissa + Row::look_up(cubics.power[power], octave);
  return Row::from_bits(Row::bits(x) ^ ((word & 0x8000u) << 16));
}

/// Deviates of 16 bits of every word, from bit `first` on. A GPU has no rows.
template <int N>
KOKKOS_INLINE_FUNCTION void quantiles(const std::uint32_t (&words)[N], int first, float (&normal)[N]) {
  if constexpr (core::detail::exec_is_host) {
    using Row = core::WordLanes<N>;
    Row::store(quantile_row<N>(Row::load(words) >> first), normal);
  } else {
    for (int i = 0; i < N; ++i) normal[i] = quantile_row<1>(words[i] >> first);
  }
}

inline constexpr int noise_group = 8;  ///< units that share one Philox block

/// Standard normals of units 8 * group ... 8 * group + 7 for samples first_sample + lane, by inversion: each half of a block's
/// four words is one of 65,536 deviates, none beyond 4.4.
template <int N>
KOKKOS_INLINE_FUNCTION void noise_normals(const NoiseKey& key, std::uint32_t group, std::size_t sample,
                                          float (&normal)[noise_group][N]) {
  std::uint32_t c[4][N];
  for (int i = 0; i < N; ++i) {
    c[0][i] = group;
    c[1][i] = static_cast<std::uint32_t>(sample) + static_cast<std::uint32_t>(i);
    c[2][i] = key.layer;
    c[3][i] = static_cast<std::uint32_t>(key.step);
  }
  philox_rounds<N>(c, static_cast<std::uint32_t>(key.model_seed), static_cast<std::uint32_t>(key.model_seed >> 32) ^ 0x4E4F4953u);
  for (int w = 0; w < 4; ++w) {
    quantiles(c[w], 16, normal[2 * w]);
    quantiles(c[w], 0, normal[2 * w + 1]);
  }
}

}  // namespace amacrine::model
