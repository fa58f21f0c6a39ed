// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/block.hpp"
#include "amacrine/core/lanes.hpp"
#include "attribution/standard_network.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

/// The standard network at its full size, where convolutions go through the frequency domain, against plain loops in double.
namespace amacrine::attribution {
namespace {

constexpr int full_panels = 6;

using naive::standard_network;

template <class S>
Block attributed(Rule rule, std::size_t first, std::size_t windows, int block_windows, Level level = Level::unit) {
  AttributionSettings settings;
  settings.rule = rule;
  settings.panels = full_panels;
  settings.block_windows = block_windows;
  BlockAttributor<S> attributor(core::Exec(), naive::inference<S>(standard_network()), settings);
  return attributor.attribute(naive::standard_movie(), first, windows, {0, 1}, level);
}

double distance(const std::vector<float>& values, std::size_t row, const naive::Values& truth) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += std::abs(static_cast<double>(values[row * truth.size() + i]) - truth[i]);
    size += std::abs(truth[i]);
  }
  return error / size;
}

TEST(FullNetwork, MidpointsAgreeWithPlainLoops) {
  const naive::Network& net = standard_network();
  const naive::Values grey(40 * 50 * 50, 0.0);
  const naive::Attribution truth =
      naive::attribute(net, naive::window_of(net, naive::standard_movie(), 43), grey, 1, full_panels);
  const Block exact = attributed<double>(Rule::midpoint, 43, 1, 1), single = attributed<float>(Rule::midpoint, 42, 3, 3);
  EXPECT_NEAR(exact.rate(0, 1), truth.rate, 1e-9);
  EXPECT_NEAR(exact.baseline_rate(0, 1), truth.grey, 1e-9);
  EXPECT_LT(distance(exact.unit_attribution, 1, truth.unit), 1e-6);  // stored as float
  EXPECT_NEAR(single.rate(1, 1), truth.rate, 1e-4);
  EXPECT_LT(distance(single.unit_attribution, 3, truth.unit), 1e-3);  // a unit near its threshold may flip a node sooner in float
  const Block pixels = attributed<double>(Rule::midpoint, 43, 1, 1, Level::pixel);
  EXPECT_LT(distance(pixels.pixels, 1, truth.pixel), 1e-6);  // stored as float
}

/// 22 rows: more than a register's lanes, and not twice as many.
TEST(FullNetwork, PixelsAreCompleteWhateverSharesTheBlock) {
  const Block together = attributed<float>(Rule::secant, 34, 11, 11, Level::pixel),
              alone = attributed<float>(Rule::secant, 42, 1, 11, Level::pixel);
  const std::size_t size = 40 * 50 * 50;
  ASSERT_EQ(together.pixels.size(), 22 * size);
  ASSERT_EQ(alone.pixels.size(), 2 * size);
  for (std::size_t row = 0; row < 22; ++row) {
    double sum = 0, largest = 0;
    for (std::size_t i = row * size; i < (row + 1) * size; ++i) {
      sum += static_cast<double>(together.pixels[i]);
      largest += std::abs(static_cast<double>(together.pixels[i]));
    }
    EXPECT_LE(std::abs(sum - (together.rate.values()[row] - together.baseline_rate.values()[row])), 1e-5 * largest) << row;
  }
  EXPECT_TRUE(std::equal(alone.pixels.begin(), alone.pixels.end(), together.pixels.begin() + 16 * 40 * 50 * 50));
}

TEST(FullNetwork, SecantsCloseInFloatWhateverSharesTheBlock) {
  const Block together = attributed<float>(Rule::secant, 40, 5, 5), alone = attributed<float>(Rule::secant, 42, 1, 5);
  for (double residual : together.residual.values()) EXPECT_LT(std::abs(residual), 1e-5);
  const std::size_t values = alone.unit_attribution.size();
  for (std::size_t i = 0; i < values; ++i) ASSERT_EQ(together.unit_attribution[2 * values + i], alone.unit_attribution[i]) << i;
  EXPECT_EQ(together.rate(2, 0), alone.rate(0, 0));
}

/// Six rows of two cells: enough for tangents to pay.
template <class S>
std::vector<Block> channels(bool weights, int count, const std::vector<double>& scales, std::size_t first, std::size_t windows) {
  AttributionSettings settings;
  settings.panels = count;
  settings.weights = weights;
  BlockAttributor<S> attributor(core::Exec(), naive::inference<S>(standard_network()), settings);
  EXPECT_EQ(attributor.forward_tangents(6, Level::channel), !weights && core::lane_count<S> >= 4);
  return attributor.attribute_ray(naive::standard_movie(), scales, first, windows, {0, 1, 0, 1, 0, 1}, Level::channel);
}

double worst_row(const Block& block, const Block& truth) {
  const std::vector<float> found = channel_level(block).attribution, wanted = channel_level(truth).attribution;
  double worst = found.size() == wanted.size() ? 0 : 1e9;
  for (std::size_t row = 0; row < truth.rate.size(); ++row) {
    double error = 0, size = 0;
    for (std::size_t c = row * 8; c < row * 8 + 8; ++c) {
      error += std::abs(static_cast<double>(found[c]) - static_cast<double>(wanted[c]));
      size += std::abs(static_cast<double>(wanted[c]));
    }
    if (!(error / size <= worst)) worst = error / size;
  }
  return worst;
}

TEST(FullNetwork, ForwardTangentsAreTheBackwardPasses) {
  const Block forward = channels<double>(false, full_panels, {1.0}, 40, 3).front(),
              backward = channels<double>(true, full_panels, {1.0}, 40, 3).front();
  EXPECT_LT(worst_row(forward, backward), 3e-7);  // compared as float
  for (std::size_t i = 0; i < forward.rate.size(); ++i) {
    EXPECT_NEAR(forward.rate.values()[i], backward.rate.values()[i], 1e-12);
    EXPECT_LT(std::abs(forward.residual.values()[i]), 1e-11);
  }
  const LevelFigures a = channel_level(forward), b = channel_level(backward);
  for (std::size_t i = 0; i < a.drive.size(); ++i) {
    EXPECT_NEAR(a.drive[i], b.drive[i], 1e-6);
    EXPECT_NEAR(a.response_change[i], b.response_change[i], 1e-6);
  }
}

TEST(FullNetwork, ARayServesAContrastSeries) {
  const std::vector<double> scales{0.125, 0.5, 0.75, 1.0};
  const std::vector<Block> ray = channels<float>(false, 24, scales, 42, 2), plain = channels<float>(true, 96, scales, 42, 2);
  for (std::size_t j = 0; j < scales.size(); ++j) {
    EXPECT_LT(worst_row(ray[j], plain[j]), 2e-2) << scales[j];
    for (std::size_t i = 0; i < ray[j].rate.size(); ++i) EXPECT_NEAR(ray[j].rate.values()[i], plain[j].rate.values()[i], 1e-4);
  }
}

}  // namespace
}  // namespace amacrine::attribution
