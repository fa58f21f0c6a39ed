// SPDX-License-Identifier: Apache-2.0
#include "../../src/attribution/refinement.hpp"

#include "attribution/small_block.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

AttributionSettings asked(double tolerance, int panels = 4, int max_panels = 1024) {
  AttributionSettings settings;
  settings.tolerance = tolerance;
  settings.panels = panels;
  settings.max_panels = max_panels;
  settings.block_windows = 8;
  return settings;
}

/// Sum|A - A*| / max(Sum|A*|, 0.1 Hz) of a row of units.
double row_error(const Block& block, const Block& truth, std::size_t row) {
  const std::size_t units = truth.unit_attribution.size() / truth.rate.size();
  double error = 0, size = 0;
  for (std::size_t i = row * units; i < (row + 1) * units; ++i) {
    error += std::abs(static_cast<double>(block.unit_attribution[i]) - static_cast<double>(truth.unit_attribution[i]));
    size += std::abs(static_cast<double>(truth.unit_attribution[i]));
  }
  return error / std::max(size, 0.1);
}

/// One halving that happens to change little does not make the error small: a quarter of the change before it is kept.
TEST(Refinement, RemembersTheDistanceBefore) {
  EXPECT_EQ(worst_distance(1.0, 8.0), 2.0);
  EXPECT_EQ(worst_distance(3.0, 8.0), 3.0);
}

/// The hard case: networks so small that a path crosses a few ReLUs only, one or two hidden layers.
TEST(Refinement, TheEstimateCoversTheTrueErrorOfUnits) {
  const double tolerance = 0.01;
  int rows = 0, covered = 0, within = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const naive::Network net = naive::random_network(seed % 4 == 0 ? 1 : 2, 800 + seed);
    const core::Array<float, 3> movie = naive::random_movie(net, 33, 900 + seed, 2.0);
    const Block block = attributed(net, movie, 3, 30, asked(tolerance)),
                truth = attributed(net, movie, 3, 30, asked(0, 2048, 2048));
    for (std::size_t row = 0; row < 60; ++row) {
      const double error = row_error(block, truth, row);
      EXPECT_EQ(block.flag.values()[row], 0);
      EXPECT_LE(block.error_estimate.values()[row], tolerance);
      ++rows;
      covered += error <= block.error_estimate.values()[row] ? 1 : 0;
      within += error <= tolerance ? 1 : 0;
    }
  }
  EXPECT_GE(covered, 0.99 * rows);
  EXPECT_GE(within, 0.99 * rows);
}

TEST(Refinement, EveryWindowSpendsWhatItNeeds) {
  const naive::Network net = naive::random_network(2, 31);
  const Block block = attributed(net, naive::random_movie(net, 33, 32, 2.0), 3, 30, asked(0.01));
  int fewest = 1 << 30, most = 0;
  for (int panels : block.panels.values()) {
    fewest = std::min(fewest, panels);
    most = std::max(most, panels);
  }
  EXPECT_LT(fewest, most);
  EXPECT_LT(most, 1024);
}

TEST(Refinement, AWindowHasTheSameBitsWhateverSharesItsBlock) {
  const naive::Network net = naive::random_network(2, 33);
  const core::Array<float, 3> movie = naive::random_movie(net, 33, 34, 2.0);
  for (Level level : {Level::channel, Level::position, Level::unit}) {
    const Block together = attributed(net, movie, 3, 30, asked(0.01), level);
    for (std::size_t w : {0U, 7U, 29U}) {
      const Block alone = attributed(net, movie, 3 + w, 1, asked(0.01), level);
      const std::size_t columns = alone.attribution.size();
      for (std::size_t i = 0; i < columns; ++i)
        EXPECT_EQ(together.attribution.values()[w * columns + i], alone.attribution.values()[i]) << to_string(level);
      for (std::size_t n = 0; n < 2; ++n) {
        EXPECT_EQ(together.panels(w, n), alone.panels(0, n));
        EXPECT_EQ(together.error_estimate(w, n), alone.error_estimate(0, n));
      }
    }
  }
}

TEST(Refinement, RowsThatCannotMeetTheToleranceAreMarked) {
  const naive::Network net = naive::random_network(2, 35);
  const Block block = attributed(net, naive::random_movie(net, 33, 36, 2.0), 3, 30, asked(1e-9, 4, 16));
  for (std::size_t row = 0; row < block.flag.size(); ++row) {
    EXPECT_EQ(block.panels.values()[row], 16);
    EXPECT_EQ(block.flag.values()[row], block.error_estimate.values()[row] <= 1e-9 ? 0 : 1);
  }
  EXPECT_EQ(block.flag(0, 0), 1);
}

TEST(Refinement, NoToleranceMeansNoEstimate) {
  const naive::Network net = naive::random_network(1, 37);
  const Block block = attributed(net, naive::random_movie(net, 9, 38), 3, 2, asked(0.0, 6));
  for (double error : block.error_estimate.values()) EXPECT_TRUE(std::isnan(error));
  for (int panels : block.panels.values()) EXPECT_EQ(panels, 6);
}

}  // namespace
}  // namespace amacrine::attribution
