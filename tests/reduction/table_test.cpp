// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/reduce.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// What is said of a mechanism, and of mechanisms there is too little evidence for.
namespace amacrine::reduction {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

FirstLayer two_channels() {
  FirstLayer layer;
  layer.channels = {"first", "second"};
  return layer;
}

Pathway pathway(int channel, int polarity, int sign) {
  Pathway made;
  made.channel = channel;
  made.polarity = polarity;
  made.influence.sign = sign;
  made.share = 0.5;
  return made;
}

/// Two pathways, the second with a weight of 0.
Reduction two_pathways(double r) {
  Reduction reduction;
  reduction.stimulus = "osr";
  reduction.pathways = {pathway(0, 1, 1), pathway(1, -1, -1)};
  reduction.model.weight = {12, 0};
  reduction.model.threshold = {0.1, 0.1};
  reduction.fitted = reduction.held_out = {r, r, 0};
  return reduction;
}

CellReduction cell_of(double share_of_ceiling, double r) {
  CellReduction cell;
  cell.name = "cell";
  cell.share_of_ceiling = share_of_ceiling;
  cell.least_share = 0.6;
  cell.stimuli = {two_pathways(r)};
  cell.joint = two_pathways(r);
  cell.joint_fitted = cell.joint_held_out = {{r, r, 0}};
  return cell;
}

TEST(Table, PathwaysOfWeightZeroAreNotListed) {
  EXPECT_EQ(two_pathways(0.9).used(), 1u);
  const std::string text = table(cell_of(0.9, 0.95), two_channels());
  EXPECT_THAT(text, HasSubstr("first: ON excitatory"));
  EXPECT_THAT(text, Not(HasSubstr("second")));
  EXPECT_THAT(text, HasSubstr("90 % of the ceiling"));
}

TEST(Table, BelowTheLeastShareOfTheCeilingNoMechanismIsNamed) {
  const std::string text = table(cell_of(0.59, 0.95), two_channels());
  EXPECT_THAT(text, Not(HasSubstr("excitatory")));
  EXPECT_THAT(text, HasSubstr("59 % of the ceiling"));
  EXPECT_THAT(text, HasSubstr("no mechanism is named"));
  EXPECT_THAT(table(cell_of(0.61, 0.95), two_channels()), HasSubstr("excitatory"));
}

TEST(Table, PathwaysThatDoNotStandInForTheNetworkAreNotNamed) {
  const std::string text = table(cell_of(0.9, 0.59), two_channels());
  EXPECT_THAT(text, Not(HasSubstr("excitatory")));
  EXPECT_THAT(text, HasSubstr("r = 0.59"));
  EXPECT_THAT(table(cell_of(0.9, 0.61), two_channels()), HasSubstr("excitatory"));
  EXPECT_THAT(table(cell_of(0.9, unknown), two_channels()), Not(HasSubstr("excitatory")));
}

TEST(Table, HeldOutConditionsJudgeWhereThereAreAny) {
  Reduction reduction = two_pathways(0.9);
  reduction.held_out.r = 0.2;
  EXPECT_EQ(reduction.judged_r(), 0.2);
  reduction.held_out.r = unknown;
  EXPECT_EQ(reduction.judged_r(), 0.9);
}

TEST(Table, SaysWhereTheCeilingIsNotKnown) {
  const std::string text = table(cell_of(unknown, 0.95), two_channels());
  EXPECT_THAT(text, HasSubstr("not known (run `amacrine evaluate`"));
  EXPECT_THAT(text, HasSubstr("ON excitatory"));
}

TEST(Table, FirstAndLargestLobeAndMixedSigns) {
  CellReduction cell = cell_of(0.9, 0.95);
  cell.stimuli[0].pathways[0].later = -1;
  cell.joint.pathways[0].influence.minority_share = 0.3;
  const std::string text = table(cell, two_channels());
  EXPECT_THAT(text, HasSubstr("first: ON, then OFF, excitatory"));
  EXPECT_THAT(text, HasSubstr("first: ON of mixed sign"));
}

}  // namespace
}  // namespace amacrine::reduction
