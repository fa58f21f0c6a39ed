// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/symmetry.hpp"
#include "amacrine/core/lanes.hpp"
#include "attribution/standard_network.hpp"

#include <cmath>

#include <gtest/gtest.h>

/// Forward tangents of the columns of the standard network at its full size, against the backward passes.
namespace amacrine::attribution {
namespace {

constexpr std::size_t column_units = 8 * 36;
const std::vector<int> column_cells{0, 1, 0};

/// Registers of four or more lanes are what they need.
template <class S>
bool columns_possible() {
  const auto network = make_path_network(naive::inference<S>(naive::standard_network()));
  const bool possible = PathIntegrator<S>::tangents_possible(network, make_quadrature(Rule::secant, 2));
  EXPECT_EQ(possible, core::lane_count<S> >= 4);
  return possible;
}

/// Random drives of three windows: all columns, every third, none.
template <class S>
Paths<S> column_paths(const PathNetwork<S>& network) {
  core::Random random(77, core::Stream::test);
  const std::size_t units = network.first().units();
  const core::View1<S> baseline(core::uninitialised("test::baseline"), units);
  const core::View2<S> difference(core::uninitialised("test::difference"), 3, units);
  std::vector<S> start, step;
  for (std::size_t u = 0; u < units; ++u) start.push_back(static_cast<S>(0.3 * random.normal()));
  for (std::size_t i = 0; i < 3 * units; ++i) {
    const double value = random.normal();
    const bool driven = i / units == 0 || (i / units == 1 && i % 3 == 0);
    step.push_back(static_cast<S>(driven ? value : 0.0));
  }
  Kokkos::deep_copy(baseline, core::to_device("test::baseline", start));
  Kokkos::deep_copy(core::View1<S>(difference.data(), difference.size()), core::to_device("test::difference", step));
  return {baseline, difference};
}

/// A of every column by backward passes: (M, W, K).
template <class S>
std::vector<double> backward_columns(const PathNetwork<S>& network, const Paths<S>& paths, const Quadrature& quadrature) {
  PathIntegrator<S> integrator(core::Exec(), network, Target::after_softplus);
  const PathIntegrals<S>& integrals = integrator.integrate(paths, column_cells, quadrature);
  const std::vector<S> push = core::to_host(integrals.push), difference = core::to_host(paths.difference),
                       gain = core::to_host(network.first().gain);
  const std::size_t units = gain.size(), windows = paths.windows();
  std::vector<double> sums(column_cells.size() * windows * column_units, 0.0);
  for (std::size_t i = 0; i < push.size(); ++i) {
    const std::size_t u = i % units, row = i / units;
    const double a = static_cast<double>(gain[u]) * static_cast<double>(push[i]);
    sums[row * column_units + u / (36 * 36) * 36 + u % 36] += a * static_cast<double>(difference[row % windows * units + u]);
  }
  return sums;
}

template <class S>
TangentIntegrals forward_columns(const PathNetwork<S>& network, const Paths<S>& paths, const Quadrature& quadrature,
                                 const std::vector<int>& marks, const std::vector<int>& cells = column_cells) {
  PathIntegrator<S> integrator(core::Exec(), network, Target::after_softplus);
  return integrator.integrate_tangents(paths, cells, quadrature, marks, Tangents::columns);
}

double largest_value(const std::vector<double>& values) {
  double most = 0;
  for (double value : values)
    if (!(std::abs(value) <= most)) most = std::abs(value);
  return most;
}

template <class S>
void expect_backward(double tolerance) {
  if (!columns_possible<S>()) return;
  const auto network = make_path_network(naive::inference<S>(naive::standard_network()));
  const Paths<S> paths = column_paths(network);
  const Quadrature quadrature = make_quadrature(Rule::secant, 5);
  const std::vector<double> truth = backward_columns(network, paths, quadrature);
  const std::vector<double> found = forward_columns(network, paths, quadrature, {5}).attribution.values();
  ASSERT_EQ(found.size(), truth.size());
  std::vector<double> error;
  for (std::size_t i = 0; i < truth.size(); ++i) error.push_back(found[i] - truth[i]);
  EXPECT_GT(largest_value(truth), 1e-3);
  EXPECT_LE(largest_value(error), tolerance * largest_value(truth));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t w = i / column_units % 3;
    if (w == 0 || (w == 1 && i % 3 == 0)) continue;
    ASSERT_EQ(found[i], 0.0) << i;
  }
}

TEST(FullColumns, TangentsAreTheBackwardPassesInDouble) { expect_backward<double>(1e-12); }
TEST(FullColumns, TangentsAreTheBackwardPassesInFloat) { expect_backward<float>(2e-6); }

TEST(FullColumns, ARowHasTheSameBitsWhateverItsCompany) {
  if (!columns_possible<float>()) return;
  const auto network = make_path_network(naive::inference<float>(naive::standard_network()));
  const Paths<float> paths = column_paths(network);
  const Quadrature quadrature = make_quadrature(Rule::secant, 4);
  const std::vector<double> together = forward_columns(network, paths, quadrature, {4}).attribution.values();
  for (std::size_t w = 0; w < 3; ++w) {
    const Paths<float> alone{paths.baseline, core::View2<float>(&paths.difference(w, 0), 1, network.first().units())};
    const std::vector<double> found = forward_columns(network, alone, quadrature, {4}, {1}).attribution.values();
    for (std::size_t k = 0; k < column_units; ++k) ASSERT_EQ(found[k], together[(3 + w) * column_units + k]) << w << " " << k;
  }
}

/// Up to a mark the sums are those of the path that ends there.
TEST(FullColumns, RunningSumsServeEveryMark) {
  if (!columns_possible<double>()) return;
  const auto network = make_path_network(naive::inference<double>(naive::standard_network()));
  const Paths<double> paths = column_paths(network);
  const RayQuadrature ray = make_ray({0.5, 1.0}, 3);
  const TangentIntegrals marked = forward_columns(network, paths, ray.quadrature, ray.marks);
  for (std::size_t row = 0; row < 9; ++row)
    for (std::size_t j = 0; j < 2; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < column_units; ++k) sum += marked.attribution(j, row / 3, row % 3, k);
      EXPECT_NEAR(sum, marked.end(j, row / 3, row % 3) - marked.start(row / 3, row % 3), 1e-11);
    }
}

/// A bar that widens from the left edge until it drives every column: (52, 50, 50).
core::Array<float, 3> widening_bar() {
  core::Array<float, 3> movie({52, 50, 50});
  for (std::size_t t = 0; t < 52; ++t)
    for (std::size_t y = 0; y < 50; ++y)
      for (std::size_t x = 0; x < 50; ++x) movie(t, y, x) = t >= 38 && x < 1 + 6 * (t - 38) ? 2.0F : 0.0F;
  return movie;
}

/// Six rows of two cells for windows [first, first + windows) of the bar, as the study's stimuli are served.
template <class S>
Block bar_block(bool weights, std::size_t first, std::size_t windows) {
  AttributionSettings settings;
  settings.panels = 4;
  settings.weights = weights;
  Attributor<S> attributor(core::Exec(), naive::inference<S>(naive::standard_network()), settings);
  BlockAttributor<S>& engine = attributor.engine(stimulus::Symmetry::along_y, Level::position);
  EXPECT_TRUE(engine.folded_first_layer());
  const double part = engine.forward_columns(6, Level::position);
  EXPECT_EQ(part > 0 && part < 1, !weights && core::lane_count<S> >= 4);
  return engine.attribute(widening_bar(), first, windows, {0, 1, 0, 1, 0, 1}, Level::position);
}

template <class S>
void expect_bar(double tolerance) {
  const Block forward = bar_block<S>(false, 37, 14), backward = bar_block<S>(true, 37, 14);
  ASSERT_EQ(forward.attribution.size(), backward.attribution.size());
  EXPECT_EQ(forward.weight.size(), 0U);
  std::vector<double> error, drive, change;
  for (std::size_t i = 0; i < backward.attribution.size(); ++i)
    error.push_back(forward.attribution.values()[i] - backward.attribution.values()[i]);
  EXPECT_LE(largest_value(error), tolerance * largest_value(backward.attribution.values()));
  EXPECT_GT(largest_value(backward.attribution.values()), 1e-3);
  EXPECT_EQ(forward.drive.values(), backward.drive.values());
  EXPECT_EQ(forward.change.values(), backward.change.values());
  EXPECT_EQ(forward.drive(1, 0, 1), 0.0);  // the bar reaches one column
  EXPECT_NE(forward.drive(1, 0, 0), 0.0);
  EXPECT_NE(forward.drive(13, 0, 35), 0.0);
}

TEST(FullColumns, WindowsOfABarAreServedByWhatTheyDriveInDouble) { expect_bar<double>(1e-12); }
TEST(FullColumns, WindowsOfABarAreServedByWhatTheyDriveInFloat) { expect_bar<float>(5e-6); }

TEST(FullColumns, AWindowOfABarHasTheSameBitsWhateverSharesItsBlock) {
  const Block together = bar_block<float>(false, 37, 14);
  const std::size_t row = 6 * column_units;
  for (std::size_t w : {0U, 2U, 13U}) {
    const Block alone = bar_block<float>(false, 37 + w, 1);
    for (std::size_t i = 0; i < row; ++i) ASSERT_EQ(alone.attribution.values()[i], together.attribution.values()[w * row + i]);
    EXPECT_EQ(alone.rate(0, 3), together.rate(w, 3));
  }
}

}  // namespace
}  // namespace amacrine::attribution
