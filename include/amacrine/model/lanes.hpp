// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// SIMD lanes of the host kernels: W numbers side by side, in the compiler's own vector types (any width compiles everywhere).
#if defined(__GNUC__) && !defined(__CUDACC__)
#define AMACRINE_UNROLL _Pragma("GCC unroll 16")  ///< the next loop has a constant, small trip count: unroll it whole
#define AMACRINE_INDEPENDENT \
  _Pragma("GCC ivdep")  ///< the next loop's turns do not touch each other's values: it may be vectorised
#else
#define AMACRINE_UNROLL
#define AMACRINE_INDEPENDENT
#endif

namespace amacrine::model {

/// Asks for the cache line of an address that will soon be read, or written (`Write`).
template <bool Write = false>
inline void prefetch([[maybe_unused]] const void* address) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  __builtin_prefetch(address, Write ? 1 : 0, 3);
#endif
}

#if defined(__GNUC__) && !defined(__CUDACC__)
template <class S, int W>
struct LaneTraits {
  typedef S type __attribute__((vector_size(W * sizeof(S))));
};
#else
/// Where the compiler has no vector types (nvcc): a plain array. Host kernels are not used on a device.
template <class S, int W>
struct LaneArray {
  S value[W];
  S& operator[](int i) { return value[i]; }
  const S& operator[](int i) const { return value[i]; }
  friend LaneArray operator+(LaneArray a, const LaneArray& b) {
    for (int i = 0; i < W; ++i) a.value[i] += b.value[i];
    return a;
  }
  friend LaneArray operator*(LaneArray a, const LaneArray& b) {
    for (int i = 0; i < W; ++i) a.value[i] *= b.value[i];
    return a;
  }
  LaneArray& operator+=(const LaneArray& b) { return *this = *this + b; }
};
template <class S, int W>
struct LaneTraits {
  using type = LaneArray<S, W>;
};
#endif

template <class S, int W>
using Lanes = typename LaneTraits<S, W>::type;

/// Lanes of a 64-byte register.
template <class S>
inline constexpr int full_width = static_cast<int>(64 / sizeof(S));

template <class S, int W>
inline Lanes<S, W> load(const S* from) {
  Lanes<S, W> value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class S, int W>
inline void store(S* to, const Lanes<S, W>& value) {
  std::memcpy(to, &value, sizeof value);
}
/// The first `count` lanes from memory, zeros after them.
template <class S, int W>
inline Lanes<S, W> load_part(const S* from, std::size_t count) {
  Lanes<S, W> value{};
  std::memcpy(&value, from, count * sizeof(S));
  return value;
}
template <class S, int W>
inline void store_part(S* to, const Lanes<S, W>& value, std::size_t count) {
  std::memcpy(to, &value, count * sizeof(S));
}
/// The same number in all lanes.
template <class S, int W>
inline Lanes<S, W> broadcast(S value) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  return value - Lanes<S, W>{};  // the form that gcc turns into a single broadcast
#else
  Lanes<S, W> lanes;
  for (int i = 0; i < W; ++i) lanes[i] = value;
  return lanes;
#endif
}
/// The same numbers in another type.
template <class To, class From, int W>
inline Lanes<To, W> converted(const Lanes<From, W>& lanes) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  return __builtin_convertvector(lanes, Lanes<To, W>);
#else
  Lanes<To, W> other;
  for (int i = 0; i < W; ++i) other[i] = static_cast<To>(lanes[i]);
  return other;
#endif
}
/// Bytes as numbers, doubling the width from step to step: in one step compilers go lane by lane.
template <class To, int W>
inline Lanes<To, W> from_bytes(const Lanes<std::uint8_t, W>& bytes) {
  return converted<To, std::int32_t, W>(
      converted<std::int32_t, std::int16_t, W>(converted<std::int16_t, std::uint8_t, W>(bytes)));
}
/// The numbers whose gate is positive, zeros elsewhere.
template <class S, int W>
inline Lanes<S, W> gated(const Lanes<S, W>& lanes, const Lanes<S, W>& gate) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  return gate > Lanes<S, W>{} ? lanes : Lanes<S, W>{};
#else
  Lanes<S, W> open;
  for (int i = 0; i < W; ++i) open[i] = gate[i] > S(0) ? lanes[i] : S(0);
  return open;
#endif
}
/// Byte by byte, 1 where a number is positive and 0 elsewhere.
template <class S, int W>
inline Lanes<std::uint8_t, W> positive(const Lanes<S, W>& lanes) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  return __builtin_convertvector(lanes > Lanes<S, W>{}, Lanes<std::uint8_t, W>) & std::uint8_t(1);
#else
  Lanes<std::uint8_t, W> flags;
  for (int i = 0; i < W; ++i) flags[i] = lanes[i] > S(0) ? 1 : 0;
  return flags;
#endif
}
/// Sum over the lanes, halves first.
template <class S, int W>
inline S pairwise_sum(const Lanes<S, W>& lanes) {
  if constexpr (W == 1) {
    return lanes[0];
  } else {
    Lanes<S, W / 2> halves[2];
    std::memcpy(halves, &lanes, sizeof lanes);
    return pairwise_sum<S, W / 2>(halves[0] + halves[1]);
  }
}
/// Sum over the lanes, in lane order.
template <class S, int W>
inline S lane_sum(const Lanes<S, W>& lanes) {
  S sum = 0;
  for (int i = 0; i < W; ++i) sum += lanes[i];
  return sum;
}

}  // namespace amacrine::model
