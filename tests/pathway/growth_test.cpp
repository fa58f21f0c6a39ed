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

TEST(Growth, TheSmallestWithinTwoStandardErrorsOfTheLowestIsChosen) {
  // Above the lowest: 1.3, then 1.0, both with an error of 1 / sqrt(3) = 0.58.
  const std::vector<Step> steps{held_out({15, 15, 15}), held_out({10.3, 12.3, 11.3}), held_out({10, 12, 11}),
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

/// Few steps: fits that are not good, but whole.
TEST(Growth, EveryStepHasOneMorePathwayAndItsOwnLosses) {
  test::MadeCell cell(3000, 34);
  cell.plant(-1, 0, 0, 4, 0.3, 1.0);
  cell.spike(34);
  cell.settings.candidates = 2, cell.settings.short_steps = 3, cell.settings.long_steps = 5, cell.settings.most = 2;
  const Problem problem = cell.problem();
  const std::vector<Step> steps = grow(problem);
  ASSERT_EQ(steps.size(), 3u);
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const std::vector<double> loss = fitted_loss(problem, {steps[k].model, steps[k].runner_up});
    EXPECT_EQ(steps[k].model.pathways(cell.shape), k);
    EXPECT_EQ(steps[k].runner_up.pathways(cell.shape), k);
    EXPECT_EQ(steps[k].loss, loss[0]);
    EXPECT_EQ(steps[k].runner_up_loss, loss[1]);
    EXPECT_LE(loss[0], loss[1]);
    // 485 frames.
    const std::vector<Range> blocks = blocks_of(problem.held_out, block_frames);
    ASSERT_EQ(steps[k].held_out.size(), blocks.size());
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      double held = 0;
      for (std::size_t f = blocks[b].begin; f < blocks[b].end; ++f) {
        const double rate = test::rate_of(cell.shape, cell.bases, cell.data, steps[k].model, f);
        held += (rate * 0.01 - static_cast<double>(cell.data.counts[f]) * std::log(rate)) /
                (static_cast<double>(blocks[b].size()) * 0.01);
      }
      EXPECT_NEAR(steps[k].held_out[b], held, 1e-4 * std::abs(held));
    }
  }
  const std::vector<Step> again = grow(problem);
  EXPECT_EQ(again[2].model.values, steps[2].model.values);
}

void quick(PathwaySettings& settings) {
  settings.candidates = 2, settings.short_steps = 25, settings.long_steps = 90, settings.most = 3;
}

TEST(FullGrowth, TwoPlantedPathwaysAreFound) {
  test::MadeCell cell(36000, 31);
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
}

TEST(FullGrowth, ASinglePlantedPathwayIsEnough) {
  test::MadeCell cell(24000, 32);
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

TEST(FullGrowth, ACellThatDoesNotSeeHasNoPathways) {
  test::MadeCell cell(12000, 33);
  cell.spike(33);
  quick(cell.settings);
  cell.settings.most = 1;
  const std::vector<Step> steps = grow(cell.problem());
  EXPECT_EQ(chosen(steps), 0u);
  const double rest = std::log1p(std::exp(0.3 * 30 * 0.3)) / 0.3, found = steps[0].model.rest() * 30;
  EXPECT_NEAR(std::log1p(std::exp(0.3 * found)) / 0.3, rest, 0.9);  // 1000 spikes: 3 %
}

}  // namespace
}  // namespace amacrine::pathway
