// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/curves.hpp"

#include "amacrine/core/numbers.hpp"
#include "support/compare.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::lesion {
namespace {

std::vector<std::size_t> counts(const std::vector<Size>& sizes) {
  std::vector<std::size_t> units;
  for (const Size& size : sizes) units.push_back(size.units);
  return units;
}

TEST(Sizes, AreThoseOfTheBenchmarkAndFiner) {
  const auto sizes = sizes_of(10368);
  // 10,368 units times 0.0001, 0.0002, 0.0005, and the benchmark's 0.001 ... 1.
  EXPECT_EQ(counts(sizes), (std::vector<std::size_t>{0, 1, 2, 5, 10, 21, 52, 104, 207, 518, 1037, 2074, 5184, 10368}));
  EXPECT_NEAR(sizes[4].fraction, 0.001, 1e-12);
  EXPECT_EQ(sizes.back().fraction, 1.0);
}

TEST(Sizes, OfFewUnitsAreAllNumbers) {
  EXPECT_EQ(counts(sizes_of(3)), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(counts(sizes_of(1)), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(sizes_of(32).size(), 33U);
  EXPECT_EQ(counts(sizes_of(100)), (std::vector<std::size_t>{0, 1, 2, 5, 10, 20, 50, 100}));
}

TEST(Curves, WeighWindowsByTheirResponseAndFollowItsSign) {
  // Rest 2: the windows respond by +8 and -1. Half of the first and twice the second: (4 + 2) / 9, apart 4 and 1.
  const core::Array<double, 2> responses({3, 2}, {2, 2, 6, 0, 10, 1});
  const Curve found = curve(responses, {10, 1}, 2);
  EXPECT_LE(test::absolute_error(found.faithfulness, std::vector<double>{0, 6.0 / 9.0, 1}), 1e-15);
  EXPECT_LE(test::absolute_error(found.distance, std::vector<double>{1, 5.0 / 9.0, 0}), 1e-15);
}

TEST(Curves, EndAtExactlyNoneAndAll) {
  const std::vector<double> full{0.1, 17.3, 0.7, 3.3e5};
  const double rest = 0.30000000000000004;
  core::Array<double, 2> responses({2, 4}, rest);
  std::copy(full.begin(), full.end(), responses.row(1).begin());
  const Curve found = curve(responses, full, rest);
  EXPECT_EQ(found.faithfulness[0], 0.0);
  EXPECT_EQ(found.faithfulness[1], 1.0);
  EXPECT_EQ(found.distance[1], 0.0);
}

TEST(Curves, OfNoResponseAreNoNumbers) {
  const Curve found = curve(core::Array<double, 2>({2, 1}, 3.0), {3.0}, 3.0);
  EXPECT_TRUE(std::isnan(found.faithfulness[0]) && std::isnan(found.faithfulness[1]) && std::isnan(found.distance[0]));
}

TEST(Areas, AreTrapezoidsOverThePartOfUnitsAndItsLogarithm) {
  const std::vector<Size> sizes{{0, 0}, {0.25, 1}, {0.5, 2}, {1, 4}};
  const Areas constant = areas(sizes, {9, 3, 3, 3});
  EXPECT_NEAR(constant.linear, 3 * 0.75, 1e-15);
  EXPECT_NEAR(constant.log, 3, 1e-15);
  // f = part: 1/2 (1 - 1/16); over the logarithm the means 3/8 and 3/4 of two equal steps.
  const Areas straight = areas(sizes, {0, 0.25, 0.5, 1});
  EXPECT_NEAR(straight.linear, 0.46875, 1e-15);
  EXPECT_NEAR(straight.log, 0.5 * (0.375 + 0.75), 1e-15);
}

TEST(Areas, LeaveOutCircuitsSmallerThanTheBenchmarks) {
  const auto sizes = sizes_of(10000);
  std::vector<double> values(sizes.size(), 1.0);
  for (std::size_t k = 0; k < sizes.size(); ++k)
    if (sizes[k].units < 10) values[k] = 1e6;
  EXPECT_NEAR(areas(sizes, values).linear, 0.999, 1e-12);
  EXPECT_NEAR(areas(sizes, values).log, 1, 1e-12);
}

TEST(Summaries, MeasureTheDistanceOnEitherSideOfOne) {
  const std::vector<Size> sizes{{0, 0}, {0.5, 1}, {1, 2}};
  const Summary found = summarise(sizes, {{0, 1.5, 1}, {1, 0.75, 0}}, {{1, -0.5, 0}, {0, 1.5, 1}});
  EXPECT_NEAR(found.cpr.linear, 0.5 * 1.25, 1e-15);
  EXPECT_NEAR(found.cmd.linear, 0.5 * 0.25, 1e-15);
  EXPECT_NEAR(found.cmd_windows.linear, 0.5 * 0.375, 1e-15);
  EXPECT_NEAR(found.without.linear, 0.5 * -0.25, 1e-15);
}

TEST(Summaries, OfSeveralOrdersAreMeans) {
  const OrderResult a{{{0, 1}, {1, 0}}, {{1, 0}, {0, 1}}, {{1, 2}, {3, 4}, {5, 6}, {7, 8}}};
  const OrderResult b{{{1, 1}, {0, 0}}, {{0, 0}, {0, 0}}, {{3, 2}, {5, 4}, {7, 6}, {1, 0}}};
  const OrderResult mean = mean_of({a, b});
  EXPECT_EQ(mean.kept.faithfulness, (std::vector<double>{0.5, 1}));
  EXPECT_EQ(mean.without.distance, (std::vector<double>{0, 0.5}));
  EXPECT_EQ(area_values(mean.summary), (std::vector<double>{2, 2, 4, 4, 6, 6, 4, 4}));
}

TEST(Ranks, FallWithTheScoreAndTiesGoByNumber) {
  EXPECT_EQ(ranks_of({1, 5, core::undefined, 5, -2}), (std::vector<int>{2, 0, 4, 1, 3}));
}

TEST(Ranks, OfAGroupComeFirst) { EXPECT_EQ(members_first({false, true, false, true}), (std::vector<int>{2, 0, 3, 1})); }

}  // namespace
}  // namespace amacrine::lesion
