// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/block.hpp"
#include "attribution/naive.hpp"

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

Block attributed(const naive::Network& net, const core::Array<float, 3>& movie, std::size_t first, std::size_t windows,
                 const AttributionSettings& settings, Level level = Level::unit) {
  BlockAttributor<double> attributor(core::Exec(), naive::inference<double>(net), settings);
  return attributor.attribute(movie, first, windows, {0, 1}, level);
}

double row_error(const float* values, const naive::Values& truth) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += std::abs(static_cast<double>(values[i]) - truth[i]);
    size += std::abs(truth[i]);
  }
  return error / std::max(size, 0.1);
}

TEST(Refinement, TheEstimateCoversTheTrueErrorOfUnits) {
  const double tolerance = 0.01;
  int rows = 0, covered = 0, within = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const naive::Network net = naive::random_network(2, 300 + seed);
    const core::Array<float, 3> movie = naive::random_movie(net, 33, 400 + seed, 2.0);
    const Block block = attributed(net, movie, 3, 30, asked(tolerance));
    const naive::Values grey(static_cast<std::size_t>(net.history * net.height * net.width), 0.0);
    for (std::size_t row = 0; row < 60; ++row) {
      const naive::Attribution truth = naive::attribute(net, naive::window_of(net, movie, 3 + static_cast<int>(row / 2)), grey,
                                                        static_cast<int>(row % 2), 3000);
      const double error = row_error(block.unit_attribution.data() + row * truth.unit.size(), truth.unit);
      const double estimate = block.error_estimate.values()[row];
      EXPECT_EQ(block.flag.values()[row], 0);
      EXPECT_LE(estimate, tolerance);
      ++rows;
      covered += error <= estimate + 3e-4 ? 1 : 0;  // the oracle's own error
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
