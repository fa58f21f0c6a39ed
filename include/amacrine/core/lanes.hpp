// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <utility>

#if defined(__AVX__) && !defined(__CUDACC__)
#include <immintrin.h>
#define AMACRINE_STREAMS
#endif

#include <Kokkos_Core.hpp>
#include <Kokkos_SIMD.hpp>

/// The vector a kernel computes with: the host's widest SIMD register where the default execution space is the host, one scalar
/// per thread on a GPU. One source serves both.
namespace amacrine::core {

namespace detail {
template <class S, bool OnHost>
struct LaneAbi {
  using type = Kokkos::Experimental::simd_abi::scalar;
};
#if defined(KOKKOS_ARCH_AVX512XEON)
template <class S>
struct LaneAbi<S, true> {
  using type = Kokkos::Experimental::simd_abi::avx512_fixed_size<64 / sizeof(S)>;
};
#elif defined(KOKKOS_ARCH_AVX2)
template <class S>
struct LaneAbi<S, true> {
  using type = Kokkos::Experimental::simd_abi::avx2_fixed_size<32 / sizeof(S)>;
};
#endif
inline constexpr bool exec_is_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, Kokkos::DefaultExecutionSpace::memory_space>::accessible;
}  // namespace detail

template <class S>
using Lanes = Kokkos::Experimental::simd<S, typename detail::LaneAbi<S, detail::exec_is_host>::type>;

/// A lambda that must not become a call: its values live in registers. With sanitizers, whose checks would take minutes to
/// compile in all the copies, it may.
#if defined(__GNUC__) && !defined(__CUDACC__) && !defined(__SANITIZE_ADDRESS__)
#define AMACRINE_INLINE __attribute__((always_inline))
#else
#define AMACRINE_INLINE
#endif

/// f(0), ..., f(N - 1), unrolled, with indices that are constants: arrays of vectors so addressed stay in registers.
template <int N, class F>
KOKKOS_FORCEINLINE_FUNCTION void for_each_index(const F& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) AMACRINE_INLINE { (f(std::integral_constant<int, I>{}), ...); }
  (std::make_integer_sequence<int, N>{});
}

/// Values per register: 16 floats or 8 doubles with AVX-512, 1 on a GPU.
template <class S>
inline constexpr int lane_count = static_cast<int>(Lanes<S>::size());

template <class S>
KOKKOS_INLINE_FUNCTION Lanes<S> load_lanes(const S* from) {
  Lanes<S> lanes;
  lanes.copy_from(from, Kokkos::Experimental::simd_flag_default);
  return lanes;
}
template <class S>
KOKKOS_INLINE_FUNCTION void store_lanes(const Lanes<S>& lanes, S* to) {
  lanes.copy_to(to, Kokkos::Experimental::simd_flag_default);
}
/// Past the caches, for what is read when they would have forgotten it: nothing is fetched or displaced for it. `to` lies on a
/// register's boundary; end_of_stream() comes before another thread reads.
template <class S>
inline void stream_lanes(const Lanes<S>& lanes, S* to) {
#ifdef AMACRINE_STREAMS
#ifdef __AVX512F__
  if constexpr (sizeof(Lanes<S>) == sizeof(__m512i)) {
    __m512i bits;
    std::memcpy(&bits, &lanes, sizeof bits);
    return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), bits);
  }
#endif
  if constexpr (sizeof(Lanes<S>) == sizeof(__m256i)) {
    __m256i bits;
    std::memcpy(&bits, &lanes, sizeof bits);
    return _mm256_stream_si256(reinterpret_cast<__m256i*>(to), bits);
  }
#endif
  store_lanes(lanes, to);
}
inline void end_of_stream() {
#ifdef AMACRINE_STREAMS
  _mm_sfence();
#endif
}
/// The first `count` values, zeros behind them.
template <class S>
KOKKOS_INLINE_FUNCTION Lanes<S> load_lanes(const S* from, int count) {
  if (count >= lane_count<S>) return load_lanes(from);
  S values[lane_count<S>];
  for (int i = 0; i < lane_count<S>; ++i) values[i] = i < count ? from[i] : S(0);
  return load_lanes(static_cast<const S*>(values));
}
template <class S>
KOKKOS_INLINE_FUNCTION void store_lanes(const Lanes<S>& lanes, S* to, int count) {
  if (count >= lane_count<S>) return store_lanes(lanes, to);
  S values[lane_count<S>];
  store_lanes(lanes, values);
  for (int i = 0; i < count; ++i) to[i] = values[i];
}
inline int padded_to_lanes(int length, int lanes) { return (length + lanes - 1) / lanes * lanes; }

}  // namespace amacrine::core
