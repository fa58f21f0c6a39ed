// SPDX-License-Identifier: Apache-2.0
#include "attribution/small_block.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

double away(const std::vector<float>& values, std::size_t row, const naive::Values& truth) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += std::abs(static_cast<double>(values[row * truth.size() + i]) - truth[i]);
    size += std::abs(truth[i]);
  }
  return error / size;
}

/// The naive attributions of windows [3, 3 + windows) of a movie, for every cell.
std::vector<naive::Values> oracle(const naive::Network& net, const core::Array<float, 3>& movie, int windows, int steps) {
  const naive::Values grey(static_cast<std::size_t>(net.history * net.height * net.width), 0.0);
  std::vector<naive::Values> truth;
  for (int w = 0; w < windows; ++w)
    for (int n = 0; n < net.cells; ++n)
      truth.push_back(naive::attribute(net, naive::window_of(net, movie, 3 + w), grey, n, steps).unit);
  return truth;
}

/// Mean row error of the same windows.
double mean_error(const naive::Network& net, const core::Array<float, 3>& movie, const std::vector<naive::Values>& truth,
                  const AttributionSettings& settings) {
  const std::size_t windows = truth.size() / static_cast<std::size_t>(net.cells);
  const Block block = attributed(net, movie, 3, windows, settings);
  double sum = 0;
  for (std::size_t row = 0; row < truth.size(); ++row) sum += away(block.unit_attribution, row, truth[row]);
  return sum / static_cast<double>(truth.size());
}

class Layers : public testing::TestWithParam<int> {};

TEST_P(Layers, UnitsWeightsAndPixelsAgreeWithTheBruteForce) {
  const naive::Network net = naive::random_network(GetParam(), 5);
  const core::Array<float, 3> movie = naive::random_movie(net, 8, 6);
  const Block block = attributed(net, movie, 1, 3, rule_settings(Rule::secant, 400));  // the first window begins before the movie
  const Block pixels = attributed(net, movie, 1, 3, rule_settings(Rule::secant, 400), Level::pixel);
  const naive::Values grey(static_cast<std::size_t>(net.history * net.height * net.width), 0.0);
  for (int w = 0; w < 3; ++w)
    for (int n = 0; n < 2; ++n) {
      const auto row = static_cast<std::size_t>(w * 2 + n);
      const naive::Attribution truth = naive::attribute(net, naive::window_of(net, movie, 1 + w), grey, n, 20000);
      EXPECT_NEAR(block.rate(row / 2, row % 2), truth.rate, 1e-10);
      EXPECT_NEAR(block.baseline_rate(row / 2, row % 2), truth.grey, 1e-10);
      EXPECT_LT(away(pixels.pixels, row, truth.pixel), 2e-4);
      if (GetParam() == 0) continue;  // the only unit of an LN cell is its filter
      EXPECT_LT(away(block.unit_attribution, row, truth.unit), 2e-4);
      EXPECT_LT(away(block.unit_weight, row, truth.weight), 2e-4);
    }
}
INSTANTIATE_TEST_SUITE_P(Depth, Layers, testing::Values(0, 1, 2));

TEST(Paths, SecantsHaveNoResidualWithAnyNumberOfPanels) {
  const naive::Network net = naive::random_network(2, 7);
  const core::Array<float, 3> movie = naive::random_movie(net, 12, 8, 2.0);
  for (int panels : {1, 2, 5, 20})
    for (Target target : {Target::after_softplus, Target::before_softplus}) {
      const Block block = attributed(net, movie, 3, 8, rule_settings(Rule::secant, panels, target), Level::channel);
      for (double residual : block.residual.values()) EXPECT_LT(std::abs(residual), 1e-12) << panels;
    }
}

TEST(Paths, ResidualsOfTheOtherRulesFallWithThePanels) {
  const naive::Network net = naive::random_network(2, 9);
  const core::Array<float, 3> movie = naive::random_movie(net, 30, 10, 2.0);
  for (Rule rule : {Rule::right, Rule::midpoint, Rule::trapezoid}) {
    std::vector<double> mean;
    for (int panels : {8, 512}) {
      const Block block = attributed(net, movie, 3, 24, rule_settings(rule, panels), Level::channel);
      double sum = 0;
      for (double residual : block.residual.values()) sum += std::abs(residual);
      mean.push_back(sum / static_cast<double>(block.residual.size()));
    }
    EXPECT_GT(mean[0], 1e-4) << to_string(rule);
    EXPECT_LT(mean[1], mean[0] / 25) << to_string(rule);  // first order: 1/64
  }
}

TEST(Paths, RulesConvergeAtTheirOrders) {
  const naive::Network net = naive::random_network(2, 11);
  const core::Array<float, 3> movie = naive::random_movie(net, 16, 12, 2.0);
  const std::vector<naive::Values> truth = oracle(net, movie, 10, 20000);
  const auto error = [&](Rule rule, int panels) { return mean_error(net, movie, truth, rule_settings(rule, panels)); };
  const auto order = [&](Rule rule, int coarse, int fine) {
    return std::log(error(rule, coarse) / error(rule, fine)) / std::log(static_cast<double>(fine) / coarse);
  };
  EXPECT_NEAR(order(Rule::right, 8, 64), 1.0, 0.25);
  EXPECT_GT(order(Rule::midpoint, 8, 64), 0.75);
  EXPECT_GT(order(Rule::secant, 4, 32), 1.5);
  EXPECT_LT(error(Rule::secant, 16), 0.1 * error(Rule::right, 16));
  EXPECT_LT(error(Rule::midpoint, 16), 0.7 * error(Rule::right, 16));
}

TEST(Paths, ALinearModelIsExactWithOnePanelOfAnyRule) {
  naive::Network net = naive::random_network(2, 13);
  for (naive::Layer& layer : net.layers) layer.offset.assign(layer.offset.size(), 1e3);  // never below threshold
  net.beta = 1e-3;
  const core::Array<float, 3> movie = naive::random_movie(net, 6, 14);
  const naive::Values grey(static_cast<std::size_t>(net.history * net.height * net.width), 0.0);
  const naive::Attribution truth = naive::attribute(net, naive::window_of(net, movie, 4), grey, 1, 1, false);
  for (Rule rule : {Rule::right, Rule::midpoint, Rule::trapezoid, Rule::secant}) {
    const Block block = attributed(net, movie, 4, 1, rule_settings(rule, 1, Target::before_softplus));
    EXPECT_LT(away(block.unit_attribution, 1, truth.unit), 1e-6) << to_string(rule);  // stored as float
    EXPECT_LT(std::abs(block.residual(0, 1)), 1e-9) << to_string(rule);
  }
}

TEST(Paths, TheWeightOfAUnitThatTheStimulusDoesNotDriveIsPushedNotDivided) {
  naive::Network net = naive::random_network(2, 15);
  naive::Layer& first = net.layers[0];
  const std::size_t filter = first.kernel.size() / 3;
  std::fill(first.kernel.begin(), first.kernel.begin() + static_cast<std::ptrdiff_t>(filter), 0.0);  // channel 0 is blind
  const core::Array<float, 3> movie = naive::random_movie(net, 6, 16);
  const naive::Values grey(static_cast<std::size_t>(net.history * net.height * net.width), 0.0);
  const naive::Attribution truth = naive::attribute(net, naive::window_of(net, movie, 4), grey, 0, 20000);
  const Block block = attributed(net, movie, 4, 1, rule_settings(Rule::secant, 400));
  double largest = 0;
  for (std::size_t u = 0; u < static_cast<std::size_t>(first.out_y * first.out_x); ++u) {
    EXPECT_EQ(block.unit_attribution[u], 0.0F);
    EXPECT_NEAR(block.unit_weight[u], truth.weight[u], 1e-3);
    largest = std::max(largest, std::abs(truth.weight[u]));
  }
  EXPECT_GT(largest, 0.05);
}

TEST(Paths, FloatFollowsDouble) {
  const naive::Network net = naive::random_network(2, 17);
  const core::Array<float, 3> movie = naive::random_movie(net, 12, 18);
  const Block fine = attributed<double>(net, movie, 3, 8, rule_settings(Rule::secant, 20)),
              coarse = attributed<float>(net, movie, 3, 8, rule_settings(Rule::secant, 20));
  for (std::size_t i = 0; i < fine.attribution.size(); ++i)
    EXPECT_NEAR(coarse.attribution.values()[i], fine.attribution.values()[i], 2e-5);
}

TEST(Paths, ABaselineOtherThanGreyMovesTheStart) {
  const naive::Network net = naive::random_network(2, 19);
  const core::Array<float, 3> movie = naive::random_movie(net, 6, 20);
  AttributionSettings settings = rule_settings(Rule::secant, 400);
  settings.baseline = Baseline::given;
  settings.baseline_contrast = 0.5;
  const Block block = attributed(net, movie, 4, 1, settings);
  const naive::Values half(static_cast<std::size_t>(net.history * net.height * net.width), 0.5);
  const naive::Attribution truth = naive::attribute(net, naive::window_of(net, movie, 4), half, 0, 20000);
  EXPECT_NEAR(block.baseline_rate(0, 0), truth.grey, 1e-10);
  EXPECT_LT(away(block.unit_attribution, 0, truth.unit), 2e-4);
}

TEST(Paths, NormalisationAndMinimumLagArePassedThrough) {
  naive::Network net = naive::random_network(1, 21);
  const core::Array<float, 3> movie = naive::random_movie(net, 9, 22);
  model::InferenceNetwork<double> network = naive::inference<double>(net);
  network.normalisation.kind = "scalar";
  network.normalisation.mean = {0.2};
  network.normalisation.scale = {1.6};
  network.minimum_lag = 1;
  BlockAttributor<double> attributor(core::Exec(), network, rule_settings(Rule::secant, 400));
  const Block& block = attributor.attribute(movie, 7, 1, {1}, Level::unit);
  naive::Values window = naive::window_of(net, movie, 6);  // one frame earlier
  for (double& value : window) value = (value - 0.2) / 1.6;
  const naive::Values grey(window.size(), -0.2 / 1.6);
  const naive::Attribution truth = naive::attribute(net, window, grey, 1, 20000);
  EXPECT_NEAR(block.rate(0, 0), truth.rate, 1e-9);
  EXPECT_NEAR(block.baseline_rate(0, 0), truth.grey, 1e-9);
  EXPECT_LT(away(block.unit_attribution, 0, truth.unit), 2e-4);
}

}  // namespace
}  // namespace amacrine::attribution
