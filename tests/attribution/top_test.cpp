// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/top.hpp"

#include "amacrine/core/random.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

using testing::ElementsAre;

TEST(Top, TheLargestComeFirstAndEqualsInOrder) {
  const TopRows top = select_top({1, -3, 2, 3, 0, -3}, 1, 3);
  EXPECT_THAT(top.index, ElementsAre(1, 3, 5));
  EXPECT_THAT(top.rest, ElementsAre(3.0F));
  EXPECT_THAT(take_top({10, 11, 12, 13, 14, 15}, top), ElementsAre(11, 13, 15));
}

TEST(Top, EveryRowIsChosenForItself) {
  const TopRows top = select_top({1, 2, 3, -9, 0, 4}, 2, 1);
  EXPECT_THAT(top.index, ElementsAre(2, 0));
  EXPECT_THAT(top.rest, ElementsAre(3.0F, 4.0F));
  EXPECT_THAT(take_top({1, 2, 3, -9, 0, 4}, top), ElementsAre(3, -9));
}

TEST(Top, WhatIsKeptAndTheRestAreTheWhole) {
  core::Random random(1, core::Stream::test);
  std::vector<float> values(7 * 500);
  for (float& value : values) value = static_cast<float>(random.normal());
  const TopRows top = select_top(values, 7, 40);
  const std::vector<float> kept = take_top(values, top);
  for (std::size_t r = 0; r < 7; ++r) {
    double whole = 0, parts = static_cast<double>(top.rest[r]);
    for (std::size_t i = 0; i < 500; ++i) whole += static_cast<double>(values[r * 500 + i]);
    for (std::size_t i = 0; i < 40; ++i) parts += static_cast<double>(kept[r * 40 + i]);
    EXPECT_NEAR(whole, parts, 1e-5);
    std::size_t larger = 0;
    for (std::size_t i = 0; i < 500; ++i) larger += std::abs(values[r * 500 + i]) > std::abs(kept[r * 40 + 39]);
    EXPECT_EQ(larger, 39U);
  }
}

TEST(Top, KeepingAllLeavesNothing) {
  const TopRows top = select_top({2, -5}, 1, 2);
  EXPECT_THAT(top.index, ElementsAre(1, 0));
  EXPECT_THAT(top.rest, ElementsAre(0.0F));
}

TEST(Top, ValuesThatAreNotFiniteEndInTheRest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const TopRows top = select_top({1, nan, 2, -4}, 1, 2);
  EXPECT_THAT(top.index, ElementsAre(3, 2));
  EXPECT_TRUE(std::isnan(top.rest[0]));
}

}  // namespace
}  // namespace amacrine::attribution
