// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"

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

/// Four words of Philox4x32-10 per lane, in place. counter[w][lane], key the same for all lanes.
template <int Lanes>
KOKKOS_INLINE_FUNCTION void philox_rounds(std::uint32_t (&c)[4][Lanes], std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < Lanes; ++i) {
      const std::uint64_t a = static_cast<std::uint64_t>(0xD2511F53u) * c[0][i],
                          b = static_cast<std::uint64_t>(0xCD9E8D57u) * c[2][i];
      c[0][i] = static_cast<std::uint32_t>(b >> 32) ^ c[1][i] ^ key0;
      c[2][i] = static_cast<std::uint32_t>(a >> 32) ^ c[3][i] ^ key1;
      c[1][i] = static_cast<std::uint32_t>(b);
      c[3][i] = static_cast<std::uint32_t>(a);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

/// sqrt(-2 ln u) for u = (m + 1/2) / 2^23, m the top 23 bits of `word`. The logarithm is Cephes' logf without branches, the
/// root a step of third and one of second order, since library calls would keep the loop scalar.
KOKKOS_INLINE_FUNCTION float rayleigh(std::uint32_t word) {
  const float u = (static_cast<float>(static_cast<std::int32_t>(word >> 9)) + 0.5f) * 0x1p-23f;
  const std::uint32_t shifted = Kokkos::bit_cast<std::uint32_t>(u) + (0x3f800000u - 0x3f3504f3u);
  const auto exponent = static_cast<float>(static_cast<std::int32_t>(shifted >> 23) - 127);
  const float t = Kokkos::bit_cast<float>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f, t2 = t * t;
  float p = 7.0376836292e-2f;
  p = p * t - 1.1514610310e-1f;
  p = p * t + 1.1676998740e-1f;
  p = p * t - 1.2420140846e-1f;
  p = p * t + 1.4249322787e-1f;
  p = p * t - 1.6668057665e-1f;
  p = p * t + 2.0000714765e-1f;
  p = p * t - 2.4999993993e-1f;
  p = p * t + 3.3333331174e-1f;
  const float log_u = exponent * 0.693147180559945f + (t + t2 * (p * t - 0.5f));
  const float square = -2.0f * log_u;
  float root = Kokkos::bit_cast<float>(0x5f3759dfu - (Kokkos::bit_cast<std::uint32_t>(square) >> 1));
  const float miss = square * root * root;
  root *= 1.875f + miss * (0.375f * miss - 1.25f);
  root *= 1.5f - 0.5f * square * root * root;
  return square * root;
}

/// Cosine and sine of 2 pi word / 2^32: the quadrant is exact in the integer, the rest by Cephes' polynomials on [-pi/4, pi/4].
KOKKOS_INLINE_FUNCTION void turn(std::uint32_t word, float& cosine, float& sine) {
  const std::uint32_t quadrant = (word + 0x20000000u) >> 30;
  const float t = static_cast<float>(static_cast<std::int32_t>(word - (quadrant << 30))) * 1.4629180792671596e-9f, t2 = t * t;
  const float s = t + t * t2 * (-1.6666654611e-1f + t2 * (8.3321608736e-3f - 1.9515295891e-4f * t2));
  const float c =
      1.0f - 0.5f * t2 + t2 * t2 * (4.166664568298827e-2f + t2 * (-1.388731625493765e-3f + 2.443315711809948e-5f * t2));
  const bool odd = (quadrant & 1u) != 0;
  const float along = odd ? s : c, across = odd ? c : s;
  cosine = ((quadrant + 1u) & 2u) != 0 ? -along : along;
  sine = (quadrant & 2u) != 0 ? -across : across;
}

inline constexpr int noise_group = 8;  ///< units that share one Philox block

/// Standard normals of units 8 * group ... 8 * group + 7 for samples first_sample + lane (Box and Muller): each of a block's four
/// words gives a radius (high half) and an angle (low half), 65,536 of each, hence two deviates, none beyond 4.9.
template <int Lanes>
KOKKOS_INLINE_FUNCTION void noise_normals(const NoiseKey& key, std::uint32_t group, std::size_t sample,
                                          float (&normal)[noise_group][Lanes]) {
  std::uint32_t c[4][Lanes];
  for (int i = 0; i < Lanes; ++i) {
    c[0][i] = group;
    c[1][i] = static_cast<std::uint32_t>(sample) + static_cast<std::uint32_t>(i);
    c[2][i] = key.layer;
    c[3][i] = static_cast<std::uint32_t>(key.step);
  }
  philox_rounds<Lanes>(c, static_cast<std::uint32_t>(key.model_seed),
                       static_cast<std::uint32_t>(key.model_seed >> 32) ^ 0x4E4F4953u);
  for (int w = 0; w < 4; ++w) {
    for (int i = 0; i < Lanes; ++i) {
      const float radius = rayleigh((c[w][i] & 0xffff0000u) | 0x8000u);  // the middle of its sixteen bits
      float cosine = 0, sine = 0;
      turn(c[w][i] << 16, cosine, sine);
      normal[2 * w][i] = radius * cosine;
      normal[2 * w + 1][i] = radius * sine;
    }
  }
}

}  // namespace amacrine::model
