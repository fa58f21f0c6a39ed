// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/optimise.hpp"

#include "made_cell.hpp"
#include "support/compare.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

test::MadeCell small_cell() {
  test::MadeCell cell(3000, 11);
  cell.plant(-1, 0, 0, 4, 0.3, 1.0);
  cell.plant(-1, 0.5, -0.5, 8, 0.5, -0.7);
  cell.spike(11);
  return cell;
}

/// The prior of a model of one pathway whose coefficient `i` is 1 and all others 0.
double prior_of_one(const test::MadeCell& cell, std::size_t i) {
  Model model{std::vector<double>(cell.shape.size(1), 0.0)};
  model.pathway(cell.shape, 0)[i] = 1;
  std::vector<double> gradient(model.values.size(), 0.0);
  return prior(cell.problem(), model, gradient);
}

TEST(Prior, CostsDifferencesOfNeighboursAndBends) {
  test::MadeCell cell(100, 1);
  cell.settings.spatial_prior = 2, cell.settings.temporal_prior = 10;
  EXPECT_NEAR(prior_of_one(cell, 12), 4 * 0.5 * 2, 1e-12);                 // four neighbours
  EXPECT_NEAR(prior_of_one(cell, 0), 2 * 0.5 * 2, 1e-12);                  // a corner has two
  EXPECT_NEAR(prior_of_one(cell, 2), 3 * 0.5 * 2, 1e-12);                  // the border three
  EXPECT_NEAR(prior_of_one(cell, 25 + 5), 0.5 * (1 + 4 + 1) * 10, 1e-12);  // bends 1, -2, 1
  EXPECT_NEAR(prior_of_one(cell, 25), 0.5 * (4 + 1) * 10, 1e-12);          // the course is 0 before its first coefficient
  EXPECT_EQ(prior_of_one(cell, 25 + cell.shape.courses), 0.0);             // thresholds
  EXPECT_EQ(prior_of_one(cell, 25 + cell.shape.courses + 1), 0.0);         // and weights are free
}

TEST(Prior, AnEvenProfileCostsNothing) {
  const test::MadeCell cell(100, 1);
  Model model{std::vector<double>(cell.shape.size(1), 0.0)};
  for (std::size_t s = 0; s < 25; ++s) model.pathway(cell.shape, 0)[s] = 0.7;
  std::vector<double> gradient(model.values.size(), 0.0);
  EXPECT_NEAR(prior(cell.problem(), model, gradient), 0.0, 1e-15);
}

TEST(Prior, GradientIsThatOfFiniteDifferences) {
  test::MadeCell cell = small_cell();
  cell.settings.spatial_prior = 3, cell.settings.temporal_prior = 0.5;
  const Problem problem = cell.problem();
  std::vector<double> gradient(cell.truth.values.size(), 1.0), unused = gradient;
  prior(problem, cell.truth, gradient);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    Model above = cell.truth, below = cell.truth;
    above.values[i] += 1e-3, below.values[i] -= 1e-3;
    const double slope = (prior(problem, above, unused) - prior(problem, below, unused)) / 2e-3;
    EXPECT_NEAR(gradient[i], 1 + slope, 1e-8) << "parameter " << i;  // added to what was there
  }
}

TEST(Optimise, FittedLossIsThePlainOneWithThePrior) {
  const test::MadeCell cell = small_cell();
  const Problem problem = cell.problem();
  EXPECT_NEAR(problem.fitted_seconds(), (2500 - 15) * 0.01, 1e-9);
  double loss = 0;
  for (std::size_t f = 15; f < 2500; ++f) {
    const double rate = test::rate_of(cell.shape, cell.bases, cell.data, cell.truth, f);
    loss += rate * 0.01 - static_cast<double>(cell.data.counts[f]) * std::log(rate);
  }
  std::vector<double> unused(cell.truth.values.size(), 0.0);
  const double expected = (loss + prior(problem, cell.truth, unused)) / 24.85;
  const Model constant = constant_model(cell.shape, 9);
  const std::vector<double> found = fitted_loss(problem, {constant, cell.truth});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NEAR(found[1], expected, 1e-4 * std::abs(expected));
  EXPECT_LT(found[1], found[0]);
}

TEST(Optimise, ModelsSideBySideHaveTheBitsTheyHaveAlone) {
  const test::MadeCell cell = small_cell();
  const Problem problem = cell.problem();
  const Model constant = constant_model(cell.shape, 9);
  const std::vector<Model> both = optimise(problem, {cell.truth, constant}, 12, 5);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].values, optimise(problem, {cell.truth}, 12, 5)[0].values);
  EXPECT_EQ(both[1].values, optimise(problem, {constant}, 12, 5)[0].values);
}

TEST(Optimise, DependsOnSeedAndDraw) {
  test::MadeCell cell = small_cell();
  const Problem problem = cell.problem();
  const std::vector<double> once = optimise(problem, {cell.truth}, 12, 5)[0].values;
  EXPECT_EQ(optimise(problem, {cell.truth}, 12, 5)[0].values, once);
  EXPECT_NE(optimise(problem, {cell.truth}, 12, 6)[0].values, once);
  cell.settings.seed = 2;
  EXPECT_NE(optimise(problem, {cell.truth}, 12, 5)[0].values, once);
}

TEST(Optimise, ALossThatIsNoNumberIsNeverTheLowest) {
  const test::MadeCell cell = small_cell();
  Model broken = cell.truth;
  broken.values.back() = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(fitted_loss(cell.problem(), {broken})[0], std::numeric_limits<double>::infinity());
}

TEST(Optimise, NoStepChangesNothing) {
  const test::MadeCell cell = small_cell();
  EXPECT_EQ(optimise(cell.problem(), {cell.truth}, 0, 1)[0].values, cell.truth.values);
}

// Counts that are no numbers lie everywhere else. A constant model's best rate is that of the spikes.
TEST(Optimise, SeesTheFittedFramesOnly) {
  test::MadeCell cell = small_cell();
  double spikes = 0;
  for (std::size_t f = 0; f < cell.data.frames; ++f) {
    const bool fitted = (f >= 300 && f < 800) || (f >= 1000 && f < 2024);
    if (fitted) spikes += static_cast<double>(cell.data.counts[f]);
    if (!fitted) cell.data.counts[f] = std::numeric_limits<float>::quiet_NaN();
  }
  Problem problem = cell.problem();
  problem.fitted = {{300, 800}, {1000, 2024}};
  const Model whole = optimise(problem, {cell.truth}, 20, 1)[0];
  for (double value : whole.values) ASSERT_TRUE(std::isfinite(value));
  const Model found = optimise(problem, {constant_model(cell.shape, 60)}, 300, 1)[0];
  const double rate = std::log1p(std::exp(found.beta() * 30 * found.rest())) / found.beta();
  EXPECT_NEAR(rate, spikes / 15.24, 0.03 * spikes / 15.24);
}

TEST(Optimise, ComesNearToThePlantedModelFromNearby) {
  const test::MadeCell cell = small_cell();
  const Problem problem = cell.problem();
  Model start = cell.truth;
  for (std::size_t i = 2; i < start.values.size(); ++i) start.values[i] *= 0.6;
  const Model found = optimise(problem, {start}, 60, 1)[0];
  const std::vector<double> loss = fitted_loss(problem, {start, found, cell.truth});
  EXPECT_LT(loss[1], loss[2]);  // fitted to these spikes, it is better than the truth
  EXPECT_LT(loss[2], loss[0]);
}

}  // namespace
}  // namespace amacrine::pathway
