// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/sums.hpp"

#include <gtest/gtest.h>

namespace amacrine::reduction {
namespace {

/// A_cyx = 1000 c + 10 y + x, 2 x 3 x 4.
core::Array<float, 3> numbered() {
  core::Array<float, 3> units({2, 3, 4});
  for (std::size_t c = 0; c < 2; ++c)
    for (std::size_t y = 0; y < 3; ++y)
      for (std::size_t x = 0; x < 4; ++x) units(c, y, x) = static_cast<float>(1000 * c + 10 * y + x);
  return units;
}

TEST(Sums, FullFieldsSumOverAllPositions) {
  const auto sum = sum_by_symmetry(numbered(), stimulus::Symmetry::full_field);
  ASSERT_EQ(sum.shape(), (std::array<std::size_t, 2>{2, 1}));
  EXPECT_EQ(sum(0, 0), 10 * (0 + 1 + 2) * 4 + 3 * (0 + 1 + 2 + 3));
  EXPECT_EQ(sum(1, 0), 12 * 1000 + sum(0, 0));
}

TEST(Sums, BarsSumOverRows) {
  const auto sum = sum_by_symmetry(numbered(), stimulus::Symmetry::along_y);
  ASSERT_EQ(sum.shape(), (std::array<std::size_t, 2>{2, 4}));
  for (std::size_t x = 0; x < 4; ++x) EXPECT_EQ(sum(1, x), 3000 + 30 + 3.0 * static_cast<double>(x));
}

TEST(Sums, WithoutSymmetryPositionsStay) {
  const auto sum = sum_by_symmetry(numbered(), stimulus::Symmetry::none);
  ASSERT_EQ(sum.shape(), (std::array<std::size_t, 2>{2, 12}));
  EXPECT_EQ(sum(1, 7), 1013);
}

TEST(Sums, OppositeGainsStayApart) {
  core::Array<float, 3> gain({2, 3, 4}, 1.0f);
  gain(0, 0, 3) = gain(0, 2, 3) = -2.0f;
  const auto [positive, negative] = sum_by_gain_and_symmetry(numbered(), gain, stimulus::Symmetry::along_y);
  EXPECT_EQ(negative(0, 3), 3 + 23);
  EXPECT_EQ(positive(0, 3), 13);
  EXPECT_EQ(negative(1, 3), 0);
  EXPECT_THROW(sum_by_gain_and_symmetry(numbered(), core::Array<float, 3>({2, 3, 5}), stimulus::Symmetry::none), core::Error);
}

TEST(Sums, FullSizeKeepsWhatFloatsWouldLose) {
  core::Array<float, 3> units({8, 36, 36}, 0.1f);
  units(0, 0, 0) = 1e7f;
  units(0, 35, 35) = -1e7f;
  const auto sum = sum_by_symmetry(units, stimulus::Symmetry::full_field);
  EXPECT_NEAR(sum(0, 0), 1294 * 0.1, 1e-5);
  EXPECT_NEAR(sum(7, 0), 1296 * 0.1, 1e-5);
}

}  // namespace
}  // namespace amacrine::reduction
