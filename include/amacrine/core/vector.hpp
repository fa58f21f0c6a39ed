// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// Vectors of the host kernels: W numbers side by side, in the compiler's own vector types (any width compiles everywhere).
/// core/lanes.hpp has the processor's widest register, of one number on a GPU.
#if defined(__GNUC__) && !defined(__CUDACC__)
#define AMACRINE_UNROLL _Pragma("GCC unroll 16")  ///< the next loop has a constant, small trip count: unroll it whole
#define AMACRINE_INDEPENDENT \
  _Pragma("GCC ivdep")  ///< the next loop's turns do not touch each other's values: it may be vectorised
#else
#define AMACRINE_UNROLL
#define AMACRINE_INDEPENDENT
#endif

namespace amacrine::core {

/// Asks for the cache line of an address that will soon be read, or written (`Write`).
template <bool Write = false>
inline void prefetch([[maybe_unused]] const void* address) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  __builtin_prefetch(address, Write ? 1 : 0, 3);
#endif
}

namespace detail {
#if defined(__GNUC__) && !defined(__CUDACC__)
template <class S, int W>
struct VectorType {
  typedef S type __attribute__((vector_size(static_cast<std::size_t>(W) * sizeof(S))));  // NOLINT(modernize-use-using)
};
#else
/// Where the compiler has no vector types (nvcc): a plain array. Host kernels are not used on a device.
template <class S, int W>
struct VectorArray {
  S value[W];
  S& operator[](int i) { return value[i]; }
  const S& operator[](int i) const { return value[i]; }
  friend VectorArray operator+(VectorArray a, const VectorArray& b) {
    for (int i = 0; i < W; ++i) a.value[i] += b.value[i];
    return a;
  }
  friend VectorArray operator*(VectorArray a, const VectorArray& b) {
    for (int i = 0; i < W; ++i) a.value[i] *= b.value[i];
    return a;
  }
  VectorArray& operator+=(const VectorArray& b) { return *this = *this + b; }
};
template <class S, int W>
struct VectorType {
  using type = VectorArray<S, W>;
};
#endif
}  // namespace detail

/// W numbers of type S (a power of two).
template <class S, int W>
using Vector = typename detail::VectorType<S, W>::type;

/// Lanes of a 64-byte register.
template <class S>
inline constexpr int full_width = static_cast<int>(64 / sizeof(S));

template <class S, int W>
inline Vector<S, W> load(const S* from) {
  Vector<S, W> value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class S, int W>
inline void store(S* to, const Vector<S, W>& value) {
  std::memcpy(to, &value, sizeof value);
}
/// The first `count` lanes from memory, zeros after them.
template <class S, int W>
inline Vector<S, W> load_part(const S* from, std::size_t count) {
  Vector<S, W> value{};
  std::memcpy(&value, from, count * sizeof(S));
  return value;
}
template <class S, int W>
inline void store_part(S* to, const Vector<S, W>& value, std::size_t count) {
  std::memcpy(to, &value, count * sizeof(S));
}
/// `value` in all lanes.
template <class S, int W>
inline Vector<S, W> broadcast(S value) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  return value - Vector<S, W>{};  // the form that gcc turns into a single broadcast
#else
  Vector<S, W> lanes;
  for (int i = 0; i < W; ++i) lanes[i] = value;
  return lanes;
#endif
}
/// The numbers of a vector in another type, as static_cast makes each.
template <class To, class From, int W>
inline Vector<To, W> converted(const Vector<From, W>& lanes) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  return __builtin_convertvector(lanes, Vector<To, W>);
#else
  Vector<To, W> other;
  for (int i = 0; i < W; ++i) other[i] = static_cast<To>(lanes[i]);
  return other;
#endif
}
/// Bytes as numbers, doubling the width from step to step: in one step compilers go lane by lane.
template <class To, int W>
inline Vector<To, W> from_bytes(const Vector<std::uint8_t, W>& bytes) {
  return converted<To, std::int32_t, W>(
      converted<std::int32_t, std::int16_t, W>(converted<std::int16_t, std::uint8_t, W>(bytes)));
}
/// The numbers whose gate is positive, zeros elsewhere.
template <class S, int W>
inline Vector<S, W> gated(const Vector<S, W>& lanes, const Vector<S, W>& gate) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  return gate > Vector<S, W>{} ? lanes : Vector<S, W>{};
#else
  Vector<S, W> open;
  for (int i = 0; i < W; ++i) open[i] = gate[i] > S(0) ? lanes[i] : S(0);
  return open;
#endif
}
/// Byte by byte, 1 where a number is positive and 0 elsewhere.
template <class S, int W>
inline Vector<std::uint8_t, W> positive(const Vector<S, W>& lanes) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  return __builtin_convertvector(lanes > Vector<S, W>{}, Vector<std::uint8_t, W>) & std::uint8_t(1);
#else
  Vector<std::uint8_t, W> flags;
  for (int i = 0; i < W; ++i) flags[i] = lanes[i] > S(0) ? 1 : 0;
  return flags;
#endif
}
/// Sum over the lanes, halves first.
template <class S, int W>
inline S pairwise_sum(const Vector<S, W>& lanes) {
  if constexpr (W == 1) {
    return lanes[0];
  } else {
    Vector<S, W / 2> halves[2];
    std::memcpy(halves, &lanes, sizeof lanes);
    return pairwise_sum<S, W / 2>(halves[0] + halves[1]);
  }
}
/// Sum over the lanes, in lane order.
template <class S, int W>
inline S lane_sum(const Vector<S, W>& lanes) {
  S sum = 0;
  for (int i = 0; i < W; ++i) sum += lanes[i];
  return sum;
}

}  // namespace amacrine::core
