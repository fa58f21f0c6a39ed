// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/growth.hpp"

#include "made_cell.hpp"

#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

Step held_out(std::vector<double> losses) {
  Step step;
  step.held_out = std::move(losses);
  return step;
}

TEST(Growth, DifferenceIsTheMeanOfBlocksAndItsStandardError) {
  // Differences 1, 2, 6: mean 3, variance (4 + 1 + 9) / 2 = 7.
  const Difference found = difference(held_out({10, 20, 30}), held_out({11, 22, 36}));
  EXPECT_NEAR(found.mean, 3.0, 1e-12);
  EXPECT_NEAR(found.error, std::sqrt(7.0 / 3.0), 1e-12);
  const Difference back = difference(held_out({11, 22, 36}), held_out({10, 20, 30}));
  EXPECT_NEAR(back.mean, -3.0, 1e-12);
  EXPECT_NEAR(back.error, found.error, 1e-12);
}

TEST(Growth, TheErrorOfASingleBlockIsNotKnown) {
  const Difference found = difference(held_out({1}), held_out({3}));
  EXPECT_EQ(found.mean, 2.0);
  EXPECT_TRUE(std::isinf(found.error));
}

TEST(Growth, TheSmallestWithinOneStandardErrorOfTheLowestIsChosen) {
  // Above the lowest, of three pathways: 0.5 with an error of 1 / sqrt(3) is within it, 3 +- 1 / sqrt(3) is not.
  const std::vector<Step> steps{held_out({15, 15, 15}), held_out({12, 14, 13}), held_out({9.5, 11.5, 10.5}),
                                held_out({10, 10, 10}), held_out({11, 11, 11})};
  EXPECT_EQ(chosen(steps), 2u);
}

TEST(Growth, ASmallButCertainGainIsTaken) {
  // Blocks differ by 100, models on the same block by 0.1 +- 0.01.
  const std::vector<Step> steps{held_out({0.1, 100.11, 200.09}), held_out({0, 100, 200})};
  EXPECT_EQ(chosen(steps), 1u);
}

TEST(Growth, WithoutAGainNothingIsChosen) {
  EXPECT_EQ(chosen({held_out({1, 2, 3})}), 0u);
  EXPECT_EQ(chosen({held_out({1, 2, 3}), held_out({1.1, 2.2, 3.1})}), 0u);
  EXPECT_EQ(chosen({held_out({1, 2, 3}), held_out({1, 2, 3})}), 0u);
}

void quick(PathwaySettings& settings) {
  settings.candidates = 2, settings.short_steps = 40, settings.long_steps = 150, settings.most = 3;
}

TEST(Growth, TwoPlantedPathwaysAreFound) {
  test::MadeCell cell(60000, 31);
  cell.plant(-1, 0, 0, 3, 0.3, 1.0);
  cell.plant(-1, 1, 0, 7, 0.5, -1.0);
  cell.spike(31);
  quick(cell.settings);
  const std::vector<Step> steps = grow(cell.problem());
  ASSERT_GE(steps.size(), 3u);
  EXPECT_EQ(chosen(steps), 2u);
  const Model& model = steps[2].model;
  ASSERT_EQ(model.pathways(cell.shape), 2u);
  const std::size_t excitation = model.weight(cell.shape, 0) > 0 ? 0 : 1;
  EXPECT_GT(model.weight(cell.shape, excitation), 0);
  EXPECT_LT(model.weight(cell.shape, 1 - excitation), 0);
  EXPECT_GT(cell.likeness(model.pathway(cell.shape, excitation), 0), 0.9);
  EXPECT_GT(cell.likeness(model.pathway(cell.shape, 1 - excitation), 1), 0.9);
  EXPECT_LE(steps[2].loss, steps[2].runner_up_loss);
  for (std::size_t k = 0; k < steps.size(); ++k) {
    EXPECT_EQ(steps[k].model.pathways(cell.shape), k);
    EXPECT_EQ(steps[k].held_out.size(), 10u);  // of 9985 frames
    EXPECT_NEAR(steps[k].loss, fitted_loss(cell.problem(), {steps[k].model})[0], 1e-9);
  }
}

TEST(Growth, ASinglePlantedPathwayIsEnough) {
  test::MadeCell cell(40000, 32);
  cell.plant(-1, 0, 0, 4, 0.3, 1.0);
  cell.spike(32);
  quick(cell.settings);
  cell.settings.most = 2;
  const std::vector<Step> steps = grow(cell.problem());
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(chosen(steps), 1u);
  EXPECT_GT(steps[1].model.weight(cell.shape, 0), 0);
  EXPECT_GT(cell.likeness(steps[1].model.pathway(cell.shape, 0), 0), 0.9);
}

TEST(Growth, ACellThatDoesNotSeeHasNoPathways) {
  test::MadeCell cell(20000, 33);
  cell.spike(33);
  quick(cell.settings);
  cell.settings.most = 1;
  const std::vector<Step> steps = grow(cell.problem());
  EXPECT_EQ(chosen(steps), 0u);
  const double rest = std::log1p(std::exp(0.3 * 30 * 0.3)) / 0.3, found = steps[0].model.rest() * 30;
  EXPECT_NEAR(std::log1p(std::exp(0.3 * found)) / 0.3, rest, 0.7);  // 1600 spikes: 3 %
}

}  // namespace
}  // namespace amacrine::pathway
