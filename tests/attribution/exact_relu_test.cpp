// SPDX-License-Identifier: Apache-2.0
#include "attribution/exact_relu.hpp"

#include "amacrine/attribution/block.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

/// Secants and their certificate against path integrals that are exact: sums over the linear pieces of small ReLU networks.
namespace amacrine::attribution {
namespace {

constexpr Target both_targets[] = {Target::before_softplus, Target::after_softplus};

naive::Exact exact_row(const naive::Network& net, const core::Array<float, 3>& movie, int frame, int cell, Target target) {
  return naive::attribute_exactly(net, naive::window_of(net, movie, frame), cell, target == Target::after_softplus);
}

Block exact_block(const naive::Network& net, const core::Array<float, 3>& movie, std::size_t windows, int panels, Target target,
                  Level level, double tolerance = 0) {
  AttributionSettings settings;
  settings.panels = panels;
  settings.max_panels = 4096;
  settings.target = target;
  settings.tolerance = tolerance;
  BlockAttributor<double> attributor(core::Exec(), naive::inference<double>(net), settings);
  return attributor.attribute(movie, 3, windows, {0, 1}, level);
}

/// Sums of consecutive groups of `size` values.
naive::Values grouped(const naive::Values& values, std::size_t size) {
  naive::Values out(values.size() / size, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) out[i / size] += values[i];
  return out;
}

/// A row at a level, and what it should be.
naive::Values found_row(const Block& block, Level level, std::size_t row) {
  const auto take = [&](const auto& values) {
    const std::size_t count = values.size() / block.rate.size();
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(row * count);
    return naive::Values(first, first + static_cast<std::ptrdiff_t>(count));
  };
  if (level == Level::unit) return take(block.unit_attribution);
  if (level == Level::unit2) return take(block.second.units);
  if (level == Level::channel2) return take(block.second.attribution.values());
  return grouped(take(block.attribution.values()), block.width);
}
naive::Values wanted_row(const naive::Network& net, const naive::Exact& exact, Level level) {
  const auto size = [&](std::size_t l) { return static_cast<std::size_t>(net.layers[l].out_y * net.layers[l].out_x); };
  if (level == Level::unit) return exact.first;
  if (level == Level::unit2) return exact.second;
  return level == Level::channel ? grouped(exact.first, size(0)) : grouped(exact.second, size(1));
}

double exact_error(const naive::Values& found, const naive::Values& wanted) {
  if (found.size() != wanted.size()) return 1e9;
  double error = 0, size = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    error += std::abs(found[i] - wanted[i]);
    size += std::abs(wanted[i]);
  }
  return error / std::max(size, 0.1);
}

TEST(ExactRelu, PiecesAreCompleteAndAgreeWithManyMidpoints) {
  const naive::Network net = naive::random_network(2, 201);
  const core::Array<float, 3> movie = naive::random_movie(net, 9, 202, 2.0);
  const naive::Values window = naive::window_of(net, movie, 5), grey(window.size(), 0.0);
  for (Target target : both_targets) {
    const bool softplus = target == Target::after_softplus;
    const naive::Exact exact = exact_row(net, movie, 5, 1, target);
    const naive::Attribution many = naive::attribute(net, window, grey, 1, 4000, softplus);
    EXPECT_GT(exact.pieces, 10U);
    EXPECT_NEAR(std::accumulate(exact.first.begin(), exact.first.end(), 0.0), many.rate - many.grey, 1e-10);
    EXPECT_NEAR(std::accumulate(exact.second.begin(), exact.second.end(), 0.0), many.rate - many.grey, 1e-10);
    EXPECT_LE(exact_error(many.unit, exact.first), 1e-3);
    EXPECT_LE(exact_error(naive::attribute_second(net, window, 1, 4000, softplus), exact.second), 1e-3);
  }
}

TEST(ExactRelu, SecantsConvergeToTheExactIntegral) {
  for (const naive::Network& net : {naive::random_network(2, 203), naive::random_deep_network(204)}) {
    const core::Array<float, 3> movie = naive::random_movie(net, 12, 205, 2.0);
    for (Target target : both_targets) {
      std::vector<naive::Exact> exact;
      for (int row = 0; row < 12; ++row) exact.push_back(exact_row(net, movie, 3 + row / 2, row % 2, target));
      for (Level level : {Level::unit, Level::channel, Level::unit2, Level::channel2}) {
        const auto error = [&](int panels) {
          const Block block = exact_block(net, movie, 6, panels, target, level);
          double sum = 0;
          for (std::size_t row = 0; row < 12; ++row)
            sum += exact_error(found_row(block, level, row), wanted_row(net, exact[row], level)) / 12;
          return sum;
        };
        const double coarse = error(16), fine = error(1024);
        EXPECT_LE(fine, 1e-5) << to_string(level);
        EXPECT_LE(fine, std::max(coarse / 200, 2e-7))
            << to_string(level);  // single flips make the order stray; units are stored as float
      }
    }
  }
}

/// Networks of two and of three hidden layers, so small that single flips count; the standard network averages over thousands.
class ExactDepth : public testing::TestWithParam<int> {};

TEST_P(ExactDepth, TheEstimateCoversTheTrueError) {
  const double tolerance = 0.01;
  int rows = 0, covered = 0, within = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const naive::Network net = GetParam() == 2 ? naive::random_network(2, 500 + seed) : naive::random_deep_network(500 + seed);
    const core::Array<float, 3> movie = naive::random_movie(net, 11, 600 + seed, 2.0);
    const Target target = both_targets[seed % 2];
    std::vector<naive::Exact> exact;
    for (int row = 0; row < 16; ++row) exact.push_back(exact_row(net, movie, 3 + row / 2, row % 2, target));
    for (Level level : {Level::unit, Level::channel, Level::unit2, Level::channel2}) {
      const Block block = exact_block(net, movie, 8, 4, target, level, tolerance);
      for (std::size_t row = 0; row < exact.size(); ++row) {
        const double error = exact_error(found_row(block, level, row), wanted_row(net, exact[row], level));
        EXPECT_EQ(block.flag.values()[row], 0);
        ++rows;
        covered += error <= block.error_estimate.values()[row] ? 1 : 0;
        within += error <= tolerance ? 1 : 0;
      }
    }
  }
  EXPECT_GE(covered, 0.99 * rows) << rows;
  EXPECT_GE(within, 0.99 * rows) << rows;
}
INSTANTIATE_TEST_SUITE_P(Hidden, ExactDepth, testing::Values(2, 3));

}  // namespace
}  // namespace amacrine::attribution
