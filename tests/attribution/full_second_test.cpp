// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/block.hpp"
#include "amacrine/core/lanes.hpp"
#include "attribution/second_naive.hpp"
#include "attribution/standard_network.hpp"
#include "support/compare.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

/// The second layer of the standard network at its full size, where windows lie side by side in registers, against the same sums
/// by plain loops in double.
namespace amacrine::attribution {
namespace {

constexpr int second_panels = 5;

Block full_second(bool single, Rule rule, Level level, bool weights, const std::vector<int>& cells) {
  AttributionSettings settings;
  settings.rule = rule;
  settings.panels = second_panels;
  settings.weights = weights;
  const naive::Network& net = naive::standard_network();
  if (single)
    return BlockAttributor<float>(core::Exec(), naive::inference<float>(net), settings)
        .attribute(naive::standard_movie(), 42, 3, cells, level);
  return BlockAttributor<double>(core::Exec(), naive::inference<double>(net), settings)
      .attribute(naive::standard_movie(), 42, 3, cells, level);
}

naive::Values second_of_row(const Block& block, std::size_t row) {
  const auto first = block.second.units.begin() + static_cast<std::ptrdiff_t>(row * 5408);
  return {first, first + 5408};
}

/// Window 43 and cell 1: sum over panels of the output's slope times the change of every unit's activity.
naive::Values second_by_loops(Rule rule) {
  const naive::Network& net = naive::standard_network();
  const naive::Values dz = naive::conv(net.layers[0], naive::window_of(net, naive::standard_movie(), 43)), z0(dz.size(), 0.0);
  const auto drive = [&](double alpha) { return naive::second_point(net, z0, dz, alpha, 1, false); };
  const auto rate = [](double u) { return std::log1p(std::exp(u)); };
  const auto edge = [&](int p) {
    const double t = static_cast<double>(p) / second_panels;
    return rule == Rule::secant ? t * t : t;
  };
  naive::Values out(5408, 0.0);
  naive::SecondPoint from = drive(0);
  for (int p = 0; p < second_panels; ++p) {
    const naive::SecondPoint to = drive(edge(p + 1));
    const double slope = rule == Rule::secant
                             ? (rate(to.rate) - rate(from.rate)) / (to.rate - from.rate)
                             : 1.0 / (1.0 + std::exp(-drive((static_cast<double>(p) + 0.5) / second_panels).rate));
    for (std::size_t v = 0; v < out.size(); ++v) out[v] += to.gradient[v] * slope * (to.activity[v] - from.activity[v]);
    from = to;
  }
  return out;
}

double size_of(const naive::Values& values) { return test::absolute_error(values, naive::Values(values.size(), 0.0)); }

TEST(FullSecondLayer, UnitsAgreeWithPlainLoops) {
  for (Rule rule : {Rule::secant, Rule::midpoint}) {
    const naive::Values truth = second_by_loops(rule);
    const Block exact = full_second(false, rule, Level::unit2, true, {0, 1}),
                single = full_second(true, rule, Level::unit2, true, {0, 1});
    EXPECT_LE(test::relative_error(second_of_row(exact, 3), truth), 1e-6) << to_string(rule);  // stored as float
    EXPECT_LE(test::relative_error(second_of_row(single, 3), truth), 1e-3) << to_string(rule);
    EXPECT_GT(size_of(truth), 1e-4);
    if (rule != Rule::secant) continue;
    for (double residual : exact.second.residual.values()) EXPECT_LE(std::abs(residual), 1e-11);
    for (double residual : single.second.residual.values()) EXPECT_LE(std::abs(residual), 1e-5);
  }
}

/// With the drive as the target any number of panels is exact: what is left is rounding, and the estimate covers it.
TEST(FullSecondLayer, TheEstimateKnowsOfSinglePrecision) {
  AttributionSettings settings;
  settings.panels = 4;
  settings.target = Target::before_softplus;
  settings.tolerance = 0.01;
  const naive::Network& net = naive::standard_network();
  BlockAttributor<float> single(core::Exec(), naive::inference<float>(net), settings);
  BlockAttributor<double> exact(core::Exec(), naive::inference<double>(net), settings);
  const Block found = single.attribute(naive::standard_movie(), 41, 4, {0, 1}, Level::unit2),
              truth = exact.attribute(naive::standard_movie(), 41, 4, {0, 1}, Level::unit2);
  for (std::size_t row = 0; row < 8; ++row) {
    const naive::Values a = second_of_row(found, row), b = second_of_row(truth, row);
    double error = 0, size = 0;
    for (std::size_t v = 0; v < b.size(); ++v) {
      error += std::abs(a[v] - b[v]);
      size += std::abs(b[v]);
    }
    error /= std::max(size, 0.1);
    EXPECT_EQ(found.panels.values()[row], 4);
    EXPECT_GT(error, 1e-8);
    EXPECT_LE(error, found.error_estimate.values()[row]) << row;
  }
}

/// Enough rows for the first layer's channels to go by forward tangents.
TEST(FullSecondLayer, TangentsBesideItChangeNothing) {
  const std::vector<int> cells{0, 1, 0, 1, 0, 1};
  const Block forward = full_second(false, Rule::secant, Level::channel2, false, cells),
              backward = full_second(false, Rule::secant, Level::channel2, true, cells);
  EXPECT_EQ(forward.weight.size(), 0U);
  EXPECT_EQ(forward.width == 1, core::lane_count<double> >= 4);
  EXPECT_LE(test::absolute_error(forward.second.attribution.values(), backward.second.attribution.values()), 1e-12);
  EXPECT_LE(test::absolute_error(forward.second.change.values(), backward.second.change.values()), 1e-12);
  EXPECT_LE(test::relative_error(channel_level(forward).attribution, channel_level(backward).attribution), 1e-6);
  EXPECT_GT(size_of(forward.second.attribution.values()), 1e-3);
}

}  // namespace
}  // namespace amacrine::attribution
