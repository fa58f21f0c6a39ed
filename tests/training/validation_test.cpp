// SPDX-License-Identifier: Apache-2.0
// Loss and correlation of validation, by hand.
#include "amacrine/training/validation.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

const std::vector<std::vector<double>> rates{{1, 2, 4}, {2, 2, 5}, {3, 1, 2}}, targets{{0, 2, 4}, {5, 4, 1}, {1, 0, 2}};

/// Three cells, the second silent in training.
std::vector<recording::Cell> three_cells() {
  std::vector<recording::Cell> cells(3);
  cells[1].silent = true;
  return cells;
}

double r_of(std::size_t n) {
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t t = 0; t < 3; ++t) x += rates[n][t] / 3, y += targets[n][t] / 3;
  for (std::size_t t = 0; t < 3; ++t) {
    const double a = rates[n][t] - x, b = targets[n][t] - y;
    xx += a * a, yy += b * b, xy += a * b;
  }
  return xy / std::sqrt(xx * yy);
}

TEST(Validation, SilentCellsAreLeftOutOfTheMeanCorrelation) {
  const Validation found = score_rates(rates, targets, three_cells(), {});
  for (std::size_t n = 0; n < 3; ++n) EXPECT_NEAR(found.cell_r[n], r_of(n), 1e-12);
  EXPECT_NEAR(found.mean_r, (r_of(0) + r_of(2)) / 2, 1e-12);
}

TEST(Validation, AConstantPredictionIsLeftOutToo) {
  std::vector<std::vector<double>> flat = rates;
  flat[0] = {2, 2, 2};
  const Validation found = score_rates(flat, targets, three_cells(), {});
  EXPECT_TRUE(std::isnan(found.cell_r[0]));
  EXPECT_NEAR(found.mean_r, r_of(2), 1e-12);
}

TEST(Validation, LossIsTheMeanOverCellsAndFrames) {
  double poisson = 0, squares = 0, size = 0;
  for (std::size_t n = 0; n < 3; ++n)
    for (std::size_t t = 0; t < 3; ++t) {
      poisson += (rates[n][t] - targets[n][t] * std::log(rates[n][t] + 0.5)) / 9;
      squares += std::pow(rates[n][t] - targets[n][t], 2) / 9;
      size += rates[n][t] / 9;
    }
  EXPECT_NEAR(score_rates(rates, targets, three_cells(), {false, 0.5, 0.0}).loss, poisson, 1e-12);
  EXPECT_NEAR(score_rates(rates, targets, three_cells(), {true, 0.5, 0.0}).loss, squares, 1e-12);
  EXPECT_NEAR(score_rates(rates, targets, three_cells(), {true, 0.5, 0.25}).loss, squares + 0.25 * size, 1e-12);
}

}  // namespace
}  // namespace amacrine::training
