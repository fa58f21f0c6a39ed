// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/block.hpp"
#include "amacrine/core/numbers.hpp"
#include "attribution/exact_relu.hpp"
#include "attribution/small_block.hpp"
#include "support/compare.hpp"

#include <cmath>

#include <gtest/gtest.h>

/// Attributions of the second layer's units on small networks, against plain loops.
namespace amacrine::attribution {
namespace {

constexpr Rule all_rules[] = {Rule::right, Rule::midpoint, Rule::trapezoid, Rule::secant};

template <class S = double>
Block second_block(const naive::Network& net, const core::Array<float, 3>& movie, std::size_t first, std::size_t windows,
                   const AttributionSettings& settings, Level level = Level::unit2) {
  return attributed<S>(net, movie, first, windows, settings, level);
}

/// The block's row of units, and its error as a part of the truth's size.
naive::Values second_row(const Block& block, std::size_t row) {
  const std::size_t units = block.second.units.size() / block.rate.size();
  const auto first = block.second.units.begin() + static_cast<std::ptrdiff_t>(row * units);
  return {first, first + static_cast<std::ptrdiff_t>(units)};
}
double second_error(const Block& block, std::size_t row, const naive::Values& truth) {
  const naive::Values found = second_row(block, row);
  if (found.size() != truth.size()) return 1e9;
  double error = 0, size = 0;
  for (std::size_t v = 0; v < truth.size(); ++v) {
    error += std::abs(found[v] - truth[v]);
    size += std::abs(truth[v]);
  }
  return error / size;
}

/// A_v of window `frame` and a cell, without a quadrature.
naive::Values second_truth(const naive::Network& net, const core::Array<float, 3>& movie, int frame, int cell,
                           Target target = Target::after_softplus) {
  return naive::attribute_exactly(net, naive::window_of(net, movie, frame), cell, target == Target::after_softplus).second;
}

TEST(SecondLayer, UnitsAgreeWithTheExactIntegral) {
  for (const naive::Network& net : {naive::random_network(2, 71), naive::random_deep_network(72)})
    for (Target target : {Target::after_softplus, Target::before_softplus}) {
      const core::Array<float, 3> movie = naive::random_movie(net, 8, 73, 2.0);
      const Block block = second_block(net, movie, 1, 3, rule_settings(Rule::secant, 400, target)),
                  single = second_block<float>(net, movie, 1, 3, rule_settings(Rule::secant, 400, target));
      for (std::size_t row = 0; row < 6; ++row) {
        const naive::Values truth = second_truth(net, movie, 1 + static_cast<int>(row / 2), static_cast<int>(row % 2), target);
        EXPECT_LT(second_error(block, row, truth), 2e-4) << net.layers.size() << " " << row;
        EXPECT_LT(second_error(single, row, truth), 1e-3) << net.layers.size() << " " << row;
      }
    }
}

/// With a straight output an attribution is the readout times the change of activity, whatever the path and the rule.
TEST(SecondLayer, ALinearReadoutIsExactWithOnePanelOfAnyRule) {
  const naive::Network net = naive::random_network(2, 74);
  const core::Array<float, 3> movie = naive::random_movie(net, 6, 75, 2.0);
  const naive::Values dz = naive::conv(net.layers[0], naive::window_of(net, movie, 4)), z0(dz.size(), 0.0);
  const naive::SecondPoint before = naive::second_point(net, z0, dz, 0, 1, false),
                           after = naive::second_point(net, z0, dz, 1, 1, false);
  naive::Values truth, change;
  for (std::size_t v = 0; v < after.activity.size(); ++v) {
    change.push_back(after.activity[v] - before.activity[v]);
    truth.push_back(after.gradient[v] * change[v]);
  }
  for (Rule rule : all_rules)
    for (int panels : {1, 2, 5}) {
      const Block block = second_block(net, movie, 4, 1, rule_settings(rule, panels, Target::before_softplus));
      EXPECT_LE(test::absolute_error(second_row(block, 1), truth), 1e-6) << to_string(rule) << " " << panels;  // as float
      EXPECT_LE(test::absolute_error(block.second.unit_change, change), 1e-6) << to_string(rule) << " " << panels;
      EXPECT_LE(std::abs(block.second.residual(0, 1)), 1e-12) << to_string(rule) << " " << panels;
    }
}

TEST(SecondLayer, SecantsCloseWithAnyNumberOfPanels) {
  for (const naive::Network& net : {naive::random_network(2, 76), naive::random_deep_network(77)})
    for (int panels : {1, 2, 5, 20})
      for (Level level : {Level::channel2, Level::unit2}) {
        const Block block =
            second_block(net, naive::random_movie(net, 12, 78, 2.0), 3, 8, rule_settings(Rule::secant, panels), level);
        for (double residual : block.second.residual.values()) EXPECT_LE(std::abs(residual), 1e-12) << panels;
      }
}

TEST(SecondLayer, RulesConvergeAtTheirOrders) {
  for (const naive::Network& net : {naive::random_network(2, 79), naive::random_deep_network(80)}) {
    const core::Array<float, 3> movie = naive::random_movie(net, 16, 81, 2.0);
    std::vector<naive::Values> truth;
    for (int row = 0; row < 20; ++row) truth.push_back(second_truth(net, movie, 3 + row / 2, row % 2));
    const auto error = [&](Rule rule, int panels) {
      const Block block = second_block(net, movie, 3, 10, rule_settings(rule, panels));
      double sum = 0;
      for (std::size_t row = 0; row < truth.size(); ++row) sum += second_error(block, row, truth[row]);
      return sum;
    };
    const auto order = [&](Rule rule, int coarse, int fine) {
      return std::log(error(rule, coarse) / error(rule, fine)) / std::log(static_cast<double>(fine) / coarse);
    };
    EXPECT_NEAR(order(Rule::right, 8, 64), 1.0, 0.3);
    EXPECT_GT(order(Rule::midpoint, 8, 64), 0.75);
    EXPECT_GT(order(Rule::trapezoid, 8, 64), 0.75);
    EXPECT_GT(order(Rule::secant, 4, 32), 1.5);
    EXPECT_LT(error(Rule::secant, 16), 0.2 * error(Rule::right, 16));
  }
}

TEST(SecondLayer, ChannelsAreTheSumsOfTheirUnits) {
  const naive::Network net = naive::random_network(2, 82);
  const core::Array<float, 3> movie = naive::random_movie(net, 12, 83, 2.0);
  for (Rule rule : all_rules) {
    const Block channels = second_block(net, movie, 3, 8, rule_settings(rule, 9), Level::channel2),
                units = second_block(net, movie, 3, 8, rule_settings(rule, 9));
    EXPECT_TRUE(channels.second.units.empty());
    const auto size = core::as_size(net.layers[1].out_y * net.layers[1].out_x);
    naive::Values sums(channels.second.attribution.size(), 0.0), means(channels.second.change.size(), 0.0);
    for (std::size_t i = 0; i < units.second.units.size(); ++i) sums[i / size] += static_cast<double>(units.second.units[i]);
    for (std::size_t i = 0; i < units.second.unit_change.size(); ++i)
      means[i / size] += static_cast<double>(units.second.unit_change[i]) / static_cast<double>(size);
    EXPECT_LE(test::absolute_error(channels.second.attribution.values(), sums), 1e-6) << to_string(rule);  // units as float
    EXPECT_LE(test::absolute_error(channels.second.change.values(), means), 1e-6) << to_string(rule);
    EXPECT_GT(test::absolute_error(sums, naive::Values(sums.size(), 0.0)), 0.1);
  }
}

TEST(SecondLayer, TheFirstLayersChannelsAreThoseOfTheirOwnLevel) {
  const naive::Network net = naive::random_network(2, 84);
  const core::Array<float, 3> movie = naive::random_movie(net, 12, 85, 2.0);
  for (Rule rule : all_rules) {
    const Block with = second_block(net, movie, 3, 8, rule_settings(rule, 9)),
                without = second_block(net, movie, 3, 8, rule_settings(rule, 9), Level::channel);
    EXPECT_LE(test::absolute_error(with.attribution.values(), without.attribution.values()), 1e-12) << to_string(rule);
    EXPECT_LE(test::absolute_error(with.rate.values(), without.rate.values()), 0.0) << to_string(rule);
    EXPECT_EQ(without.second.residual.size(), 0U);
  }
}

TEST(SecondLayer, EveryScaleOfARayIsTheMovieAtThatContrast) {
  const naive::Network net = naive::random_network(2, 86);
  core::Array<float, 3> movie = naive::random_movie(net, 12, 87, 2.0);
  BlockAttributor<double> attributor(core::Exec(), naive::inference<double>(net), rule_settings(Rule::secant, 12));
  const std::vector<Block> ray = attributor.attribute_ray(movie, {0.5, 1.0}, 3, 8, {0, 1}, Level::unit2);
  for (float& value : movie.values()) value *= 0.5F;
  const Block half = attributor.attribute(movie, 3, 8, {0, 1}, Level::unit2);
  ASSERT_EQ(ray.size(), 2U);
  EXPECT_LE(test::absolute_error(ray[0].second.units, half.second.units), 1e-6);
  EXPECT_GT(test::absolute_error(ray[1].second.units, half.second.units), 0.1);
}

TEST(SecondLayer, ANetworkWithoutOneIsRefused) {
  const naive::Network net = naive::random_network(1, 88);
  EXPECT_THROW(second_block(net, naive::random_movie(net, 6, 89), 3, 2, rule_settings(Rule::secant, 4)), core::Error);
}

TEST(SecondLayer, AWindowHasTheSameBitsWhateverSharesItsBlock) {
  const naive::Network net = naive::random_network(2, 90);
  const core::Array<float, 3> movie = naive::random_movie(net, 33, 91, 2.0);
  AttributionSettings settings = rule_settings(Rule::secant, 4);
  settings.tolerance = 0.003;
  const Block together = second_block<float>(net, movie, 3, 30, settings);
  for (std::size_t w : {0U, 7U, 29U}) {
    const Block alone = second_block<float>(net, movie, 3 + w, 1, settings);
    for (std::size_t row = 0; row < 2; ++row) EXPECT_EQ(second_row(together, 2 * w + row), second_row(alone, row)) << w;
    for (std::size_t n = 0; n < 2; ++n) EXPECT_EQ(together.panels(w, n), alone.panels(0, n));
  }
}

}  // namespace
}  // namespace amacrine::attribution
