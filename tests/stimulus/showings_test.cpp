// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/showings.hpp"

#include "amacrine/core/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::stimulus {
namespace {

using testing::ElementsAre;

/// A flash for all and a bar that is placed around each cell.
std::vector<Condition> flash_and_bar() {
  Condition flash, bar;
  flash.name = "flash", flash.frames = 2, flash.level = {0, 1};
  bar.name = "bar", bar.frames = 3, bar.bar_px = {-1, 0, 1};
  return {flash, bar};
}

TEST(PlanShowings, BarsNeedAMovieForEachCentreAndTheRestIsShared) {
  const std::vector<Showing> showings = plan_showings(flash_and_bar(), {{4, 5}, {4, 6}, {4, 5}});
  ASSERT_EQ(showings.size(), 3U);
  EXPECT_EQ(showings[0].condition, 0U);
  EXPECT_THAT(showings[0].cells, ElementsAre(0, 1, 2));
  EXPECT_EQ(showings[1].condition, 1U);
  EXPECT_THAT(showings[1].cells, ElementsAre(0, 2)) << "the same centre";
  EXPECT_EQ(showings[1].centre.x, 5);
  EXPECT_THAT(showings[2].cells, ElementsAre(1));
  EXPECT_EQ(showings[2].centre.x, 6);
  EXPECT_TRUE(plan_showings(flash_and_bar(), {}).empty());
}

/// Two cells, one group of trials, answers in the order in which ranks may have brought them.
TEST(TakeAnswer, PutsEverySeriesWhereItBelongsInAnyOrder) {
  Responses responses;
  responses.conditions = flash_and_bar();
  responses.cells = {"a", "b"};
  make_room(responses, 1);
  take_answer(responses, {1, {1}, {4, 6}}, std::vector<double>{0.5, 1, 2, 3, 4, 5, 6});
  take_answer(responses, {0, {0, 1}, {4, 5}}, std::vector<double>{0.125, 10, 11, 12, 13, 20, 21, 22, 23});
  take_answer(responses, {1, {0}, {4, 5}}, std::vector<double>{0.25, 7, 8, 9, 70, 80, 90});
  EXPECT_THAT(responses.symmetry_deviation, ElementsAre(0.125, 0.5)) << "the largest of each condition";
  EXPECT_THAT(responses.rate_hz[0][0], ElementsAre(10, 11));
  EXPECT_THAT(responses.group_hz[0][0][0], ElementsAre(12, 13));
  EXPECT_THAT(responses.rate_hz[1][0], ElementsAre(20, 21));
  EXPECT_THAT(responses.group_hz[1][0][0], ElementsAre(22, 23));
  EXPECT_THAT(responses.rate_hz[0][1], ElementsAre(7, 8, 9));
  EXPECT_THAT(responses.group_hz[0][0][1], ElementsAre(70, 80, 90));
  EXPECT_THAT(responses.rate_hz[1][1], ElementsAre(1, 2, 3));
  EXPECT_THAT(responses.group_hz[1][0][1], ElementsAre(4, 5, 6));
}

TEST(TakeAnswer, RefusesAnswersOfAnotherLength) {
  Responses responses;
  responses.conditions = flash_and_bar();
  responses.cells = {"a"};
  make_room(responses, 0);
  EXPECT_THROW(take_answer(responses, {0, {0}, {}}, std::vector<double>{0, 1}), core::Error);
  EXPECT_THROW(take_answer(responses, {0, {0}, {}}, std::vector<double>{0, 1, 2, 3}), core::Error);
  EXPECT_THROW(take_answer(responses, {0, {0}, {}}, std::vector<double>{}), core::Error);
  take_answer(responses, {0, {0}, {}}, std::vector<double>{0, 1, 2});
  EXPECT_THAT(responses.rate_hz[0][0], ElementsAre(1, 2));
}

}  // namespace
}  // namespace amacrine::stimulus
