// SPDX-License-Identifier: Apache-2.0
// Vectors may be wider than this build's registers; none is passed between libraries.
#pragma GCC diagnostic ignored "-Wpsabi"

#include "amacrine/core/vector.hpp"

#include <array>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

namespace amacrine::core {
namespace {

template <class T>
class Vectors : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Vectors, Types);

/// 1, 2, ... with a sign that changes.
template <class S, std::size_t N>
std::array<S, N> alternating() {
  std::array<S, N> values;
  for (std::size_t i = 0; i < N; ++i) values[i] = static_cast<S>(i % 2 == 0 ? i + 1 : -static_cast<double>(i + 1));
  return values;
}

TYPED_TEST(Vectors, PartsLeaveTheRestAlone) {
  constexpr int W = 8;
  const auto in = alternating<TypeParam, W>();
  for (std::size_t count = 0; count <= W; ++count) {
    const Vector<TypeParam, W> part = load_part<TypeParam, W>(in.data(), count);
    std::array<TypeParam, W> all, some;
    all.fill(7), some.fill(7);
    store<TypeParam, W>(all.data(), part);
    store_part<TypeParam, W>(some.data(), part, count);
    for (std::size_t i = 0; i < W; ++i) {
      EXPECT_EQ(all[i], i < count ? in[i] : TypeParam(0)) << i << " of " << count;
      EXPECT_EQ(some[i], i < count ? in[i] : TypeParam(7)) << i << " of " << count;
    }
  }
}

TYPED_TEST(Vectors, EveryByteIsItsNumber) {
  std::array<std::uint8_t, 256> bytes;
  std::iota(bytes.begin(), bytes.end(), std::uint8_t(0));
  constexpr int W = 16;
  for (std::size_t i = 0; i < bytes.size(); i += W) {
    const Vector<TypeParam, W> found = from_bytes<TypeParam, W>(load<std::uint8_t, W>(bytes.data() + i));
    for (int k = 0; k < W; ++k) EXPECT_EQ(found[k], static_cast<TypeParam>(i + static_cast<std::size_t>(k)));
  }
}

TYPED_TEST(Vectors, AGateOpensAboveZeroAlone) {
  constexpr int W = 4;
  const TypeParam nan = std::numeric_limits<TypeParam>::quiet_NaN(), least = std::numeric_limits<TypeParam>::denorm_min();
  const std::array<TypeParam, W> gate{TypeParam(-1), TypeParam(0), least, nan};
  const Vector<TypeParam, W> open = gated<TypeParam, W>(broadcast<TypeParam, W>(TypeParam(3)), load<TypeParam, W>(gate.data()));
  const Vector<std::uint8_t, W> flags = positive<TypeParam, W>(load<TypeParam, W>(gate.data()));
  for (int i = 0; i < W; ++i) {
    EXPECT_EQ(open[i], i == 2 ? TypeParam(3) : TypeParam(0)) << i;
    EXPECT_EQ(flags[i], i == 2 ? 1 : 0) << i;
  }
}

/// Numbers whose sum depends on the order: half a unit in the last place of 1 is lost when it is added to 1 alone.
TYPED_TEST(Vectors, SumsAreInTheirOrder) {
  const TypeParam half = std::numeric_limits<TypeParam>::epsilon() / 2;
  const std::array<TypeParam, 4> values{1, half, 0, half};
  const Vector<TypeParam, 4> lanes = load<TypeParam, 4>(values.data());
  EXPECT_EQ((pairwise_sum<TypeParam, 4>(lanes)), TypeParam(1) + 2 * half);  // (1 + 0) + (half + half)
  EXPECT_EQ((lane_sum<TypeParam, 4>(lanes)), TypeParam(1));                 // ((1 + half) + 0) + half
}

TEST(VectorConversion, AreStaticCasts) {
  const std::array<double, 4> values{1.0 / 3.0, -2.75, 1e-30, 16777217.0};
  const Vector<float, 4> narrow = converted<float, double, 4>(load<double, 4>(values.data()));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(narrow[i], static_cast<float>(values[static_cast<std::size_t>(i)]));
}

}  // namespace
}  // namespace amacrine::core
