// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/vector.hpp"

#include <cstdint>

#include <Kokkos_Core.hpp>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

/// Rows of 32-bit words and floats that are computed with side by side, for element-wise work on integers and floats alike: the
/// compiler's vectors on a host, plain values where there is one lane (a GPU).
namespace amacrine::core {

namespace detail {
template <class To, class From>
inline To same_bits(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof(to));
  return to;
}
}  // namespace detail

template <int N>
struct WordLanes {
  using Words = Vector<std::uint32_t, N>;
  using Integers = Vector<std::int32_t, N>;
  using Floats = Vector<float, N>;
  using Pairs = Vector<std::uint64_t, N / 2>;

  static Words load(const std::uint32_t* from) {
    Words lanes;
    __builtin_memcpy(&lanes, from, sizeof(lanes));
    return lanes;
  }
  static void store(const Floats& lanes, float* to) { __builtin_memcpy(to, &lanes, sizeof(lanes)); }
  static Floats to_float(const Words& words) { return __builtin_convertvector(detail::same_bits<Integers>(words), Floats); }
  static Words bits(const Floats& floats) { return detail::same_bits<Words>(floats); }
  static Floats from_bits(const Words& words) { return detail::same_bits<Floats>(words); }
  /// Every second lane's word, in the low half of a pair, times a factor.
  static Pairs multiply(const Pairs& low_words, std::uint32_t factor) {
#if defined(__AVX512F__)
    if constexpr (N == 16) {
      const __m512i product =
          _mm512_maskz_mul_epu32(0xff, detail::same_bits<__m512i>(low_words), _mm512_set1_epi64(static_cast<long long>(factor)));
      return detail::same_bits<Pairs>(product);
    }
#endif
    return (low_words & 0xffffffffu) * std::uint64_t(factor);
  }
  /// table[index mod 16]: one permutation of a register where there are such.
  static Floats look_up(const float (&table)[16], const Words& index) {
    Floats found;
#if defined(__AVX512F__)
    if constexpr (N == 16) {
      const __m512 picked = _mm512_maskz_permutexvar_ps(0xffff, detail::same_bits<__m512i>(index), _mm512_loadu_ps(table));
      return detail::same_bits<Floats>(picked);
    }
#endif
    for (int i = 0; i < N; ++i) found[i] = table[index[i] & 15u];
    return found;
  }
};

template <>
struct WordLanes<1> {
  using Words = std::uint32_t;
  using Floats = float;
  KOKKOS_INLINE_FUNCTION static Words load(const std::uint32_t* from) { return *from; }
  KOKKOS_INLINE_FUNCTION static void store(Floats lane, float* to) { *to = lane; }
  KOKKOS_INLINE_FUNCTION static Floats to_float(Words word) { return static_cast<float>(static_cast<std::int32_t>(word)); }
  KOKKOS_INLINE_FUNCTION static Words bits(Floats value) { return Kokkos::bit_cast<std::uint32_t>(value); }
  KOKKOS_INLINE_FUNCTION static Floats from_bits(Words word) { return Kokkos::bit_cast<float>(word); }
  KOKKOS_INLINE_FUNCTION static Floats look_up(const float (&table)[16], Words index) { return table[index & 15u]; }
};

}  // namespace amacrine::core
