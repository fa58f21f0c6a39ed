// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/lesioner.hpp"

#include "amacrine/model/circuit_network.hpp"
#include "small_lesions.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace amacrine::lesion {
namespace {

using attribution::Target;

constexpr std::size_t osr = 0, latency = 1;

/// Attributions (W, U) of rows of a stimulus, by the attribution room alone.
std::vector<std::vector<double>> attributed(const SmallLesions& small, std::size_t stimulus,
                                            const std::vector<std::size_t>& rows) {
  attribution::BlockAttributor<double> engine(core::Exec(), model::make_inference<double>(small.model), small.attribution);
  std::vector<std::vector<double>> found;
  std::size_t first = 0;
  for (std::size_t s : small.plan.stimuli[stimulus].conditions) {
    const auto& planned = small.plan.windows.stimuli[s];
    const auto movie = stimulus::render(planned.condition, small.model.screen, *small.model.cells[0].centre);
    for (std::size_t row : rows) {
      if (row < first || row >= first + planned.windows) continue;
      const auto& block = engine.attribute(movie.contrast, planned.first_frame + row - first, 1, {0}, attribution::Level::unit);
      found.emplace_back(block.unit_attribution.begin(), block.unit_attribution.end());
    }
    first += planned.windows;
  }
  return found;
}

/// What attributions that add up say of keeping the units of the largest summed |A|: with one hidden layer the drive is a sum
/// over units, so that f(m) = sum over windows of sign(d) sum over kept units of A, over sum |d|.
std::vector<double> additive_curve(const SmallLesions& small, const std::vector<std::vector<double>>& a, bool per_window) {
  std::vector<double> f(small.plan.sizes.size(), 0.0), size(a[0].size(), 0.0);
  double all = 0;
  for (const auto& row : a)
    for (std::size_t u = 0; u < size.size(); ++u) size[u] += std::abs(row[u]);
  for (const auto& row : a) {
    if (per_window)
      for (std::size_t u = 0; u < size.size(); ++u) size[u] = std::abs(row[u]);
    std::vector<std::size_t> order(size.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return size[x] > size[y]; });
    const double change = std::accumulate(row.begin(), row.end(), 0.0);
    all += std::abs(change);
    for (std::size_t k = 0; k < f.size(); ++k) {
      double kept = 0;
      for (std::size_t i = 0; i < small.plan.sizes[k].units; ++i) kept += row[order[i]];
      f[k] += change < 0 ? -kept : kept;
    }
  }
  for (double& value : f) value /= all;
  return f;
}

TEST(Lesioner, KeepsAndRemovesWhatAddsUpByItsAttribution) {
  for (bool per_window : {false, true}) {
    SmallLesions small({{3, 5, 4}}, Target::before_softplus);
    small.settings.order_per_window = per_window;
    const StimulusLesions found = small.lesioner().run(0, latency);
    ASSERT_EQ(found.chosen.size(), 5U);
    const auto a = attributed(small, latency, found.chosen);
    const std::vector<double> expected = additive_curve(small, a, per_window);
    const OrderResult& ours = found.orders[static_cast<std::size_t>(Order::attribution)];
    EXPECT_LE(test::absolute_error(ours.kept.faithfulness, expected), 1e-6);  // attributions are stored as float
    double cmd = 0;
    std::vector<double> rest;
    for (std::size_t k = 0; k < expected.size(); ++k) {
      rest.push_back(1 - expected[k]);
      if (k < 2) continue;  // from one unit (of 243, more than 0.1 %) on
      const double part = static_cast<double>(small.plan.sizes[k].units - small.plan.sizes[k - 1].units) / 243;
      cmd += part * 0.5 * (std::abs(1 - expected[k]) + std::abs(1 - expected[k - 1]));
    }
    EXPECT_LE(test::absolute_error(ours.without.faithfulness, rest), 1e-6);
    EXPECT_NEAR(ours.summary.cmd.linear, cmd, 1e-6);
    EXPECT_GT(cmd, 0.01);
  }
}

TEST(Lesioner, RanksAlikeByAttributionGradientAndAblationWhereUnitsAddUp) {
  SmallLesions small({{3, 5, 4}}, Target::before_softplus);
  const StimulusLesions found = small.lesioner().run(0, osr);
  ASSERT_EQ(found.orders.size(), 6U);
  for (Order order : {Order::gradient, Order::ablation})
    EXPECT_LE(
        test::absolute_error(found.orders[static_cast<std::size_t>(order)].kept.faithfulness, found.orders[0].kept.faithfulness),
        1e-9);
  // The units that carry the response, kept first, leave more of it than any other choice of as many.
  const auto& best = found.orders[static_cast<std::size_t>(Order::signed_attribution)].kept.faithfulness;
  double beyond = 0;
  std::vector<OrderResult> others = found.random;
  others.insert(others.end(), found.orders.begin(), found.orders.end());
  for (const OrderResult& other : others)
    for (std::size_t k = 0; k < best.size(); ++k) EXPECT_LE(other.kept.faithfulness[k], best[k] + 1e-9);
  for (double f : best) beyond = std::max(beyond, f);
  EXPECT_GT(beyond, 1.01);
}

TEST(Lesioner, EndsAtExactlyNoneAndAllOfEveryOrder) {
  SmallLesions small({{3, 5, 4}, {2, 3, 3}});
  const StimulusLesions found = small.lesioner<float>().run(1, osr);
  ASSERT_EQ(found.orders.size(), 6U);
  ASSERT_EQ(found.random.size(), 3U);
  for (const OrderResult& result : found.orders) {
    EXPECT_EQ(result.kept.faithfulness.front(), 0.0);
    EXPECT_EQ(result.kept.faithfulness.back(), 1.0);
    EXPECT_EQ(result.without.faithfulness.front(), 1.0);
    EXPECT_EQ(result.without.faithfulness.back(), 0.0);
    EXPECT_EQ(result.kept.distance.back(), 0.0);
  }
}

TEST(Lesioner, DrawsRandomOrdersByTheirSeed) {
  SmallLesions small({{3, 5, 4}, {2, 3, 3}});
  const auto curves = [&](std::uint64_t seed) {
    small.settings.seed = seed;
    const StimulusLesions found = small.lesioner().run(0, osr);
    std::vector<std::vector<double>> out;
    for (const OrderResult& draw : found.random) out.push_back(draw.kept.faithfulness);
    out.push_back(found.orders.back().kept.faithfulness);
    return out;
  };
  const auto first = curves(1);
  EXPECT_EQ(curves(1), first);
  EXPECT_NE(curves(2)[0], first[0]);
  EXPECT_NE(first[0], first[1]);
  for (std::size_t k = 0; k < first[0].size(); ++k)
    EXPECT_NEAR((first[0][k] + first[1][k] + first[2][k]) / 3, first[3][k], 1e-12);
}

TEST(Lesioner, SaysWhichWindowsItUses) {
  SmallLesions small({{3, 5, 4}, {2, 3, 3}});
  small.settings.least_response = 0.3;
  const StimulusLesions found = small.lesioner().run(2, latency);
  double largest = 0, all = 0, used = 0;
  for (double r : found.rate) largest = std::max(largest, std::abs(r - found.rest)), all += std::abs(r - found.rest);
  std::size_t responding = 0;
  for (double r : found.rate) responding += std::abs(r - found.rest) >= 0.3 * largest ? 1 : 0;
  EXPECT_EQ(found.rate.size(), small.plan.stimuli[latency].windows);
  EXPECT_EQ(found.responding, responding);
  EXPECT_EQ(found.chosen.size(), std::min<std::size_t>(5, responding));
  for (std::size_t row : found.chosen) {
    EXPECT_GE(std::abs(found.rate[row] - found.rest), 0.3 * largest);
    used += std::abs(found.rate[row] - found.rest);
  }
  EXPECT_NEAR(found.share_used, used / all, 1e-12);
  small.settings.silent_below_hz = 2 * largest;
  const StimulusLesions silent = small.lesioner().run(2, latency);
  EXPECT_EQ(silent.rate, found.rate);
  EXPECT_TRUE(silent.chosen.empty() && silent.orders.empty() && silent.random.empty());
}

TEST(Lesioner, FindsAPathwaysUnits) {
  SmallLesions small({{3, 5, 4}});  // 3 channels of 9 x 9 units
  small.plan.pathways.assign(3, {2, {{1, -1, -1, 0}, {2, 3, 5, 0}, {0, -1, -1, 1}, {0, -1, -1, -1}}});
  const StimulusLesions found = small.lesioner().run(0, osr);
  EXPECT_EQ(found.pathway_units[0], 81U);
  EXPECT_EQ(found.pathway_units[1], 27U);
  EXPECT_EQ(found.pathway_units[2] + found.pathway_units[3], 81U);
  const auto network = model::make_inference<double>(small.model);
  const auto gain = core::to_host(network.hidden[0].gain);
  EXPECT_EQ(found.pathway_units[2],
            static_cast<std::size_t>(std::count_if(gain.begin(), gain.begin() + 81, [](double k) { return k > 0; })));
}

TEST(FullLesioner, AnswersWithAllUnitsAsTheWholeNetworkDoes) {
  SmallLesions small({{3, 5, 4}});
  small.model = attribution::standard_layers_model();  // convolutions in the frequency domain
  small.plan = make_lesion_plan(small.attribution, small.catalogue(), small.model);
  const auto network = model::make_inference<float>(small.model);
  small.settings.silent_below_hz = 1e9;  // no curves
  const StimulusLesions found = small.lesioner<float>().run(1, osr);
  std::vector<double> expected;
  for (std::size_t condition : small.plan.stimuli[osr].conditions) {
    const auto& planned = small.plan.windows.stimuli[condition];
    const auto movie = stimulus::render(planned.condition, small.model.screen, *small.model.cells[1].centre);
    const auto rates = model::predict(network, movie.contrast);
    for (std::size_t w = 0; w < planned.windows; ++w) expected.push_back(rates(1, planned.first_frame + w));
  }
  EXPECT_LE(test::relative_error(found.rate, expected), 1e-5);
  EXPECT_GT(std::abs(expected.front() - expected.back()), 1e-3);
}

/// A planted circuit without one of its units, held at its activity on grey: that unit is dropped from the circuit, and what it
/// gives on grey added to the offset.
std::vector<double> without_unit(const recording::Circuit& circuit, std::size_t unit, const stimulus::Stimulus& movie,
                                 const stimulus::Screen& screen) {
  recording::Circuit rest = circuit;
  rest.offset_hz += circuit.units[unit].weight * std::max(0.0, circuit.units[unit].bias);
  recording::Lesion lesion;
  lesion.dropped = {circuit.units[unit].name};
  return recording::respond(rest, movie.contrast, screen, {}, lesion).rate_hz;
}

class FullLesions : public testing::TestWithParam<const char*> {};

TEST_P(FullLesions, OfOnePlantedUnitLeaveTheCircuitWithoutIt) {
  const recording::Circuit& circuit = recording::circuit(GetParam());
  const stimulus::Screen screen;
  const model::Model model = model::make_circuit_model({{"cell", circuit, {}}}, screen);
  attribution::AttributionSettings attribution;
  attribution.stimuli = {"osr", "moving_bar"};
  attribution.bar_range_px = 2;
  attribution = unit_settings(attribution);
  stimulus::ProbeSettings probe;
  probe.osr_periods_ms = {100};
  LesionPlan plan = make_lesion_plan(attribution, stimulus::catalogue(probe, screen), model);
  std::vector<UnitGroup> groups;
  for (std::size_t i = 0; i < circuit.units.size(); ++i) groups.push_back({static_cast<int>(i), -1, -1, 0});
  plan.pathways = {std::vector<std::vector<UnitGroup>>(plan.stimuli.size(), groups)};
  Lesioner<double> lesioner(core::Exec(), model, plan, attribution, {});
  EXPECT_NEAR(lesioner.rest(0), recording::resting_rate(circuit), 1e-4);
  double largest = 0;
  for (std::size_t s = 0; s < plan.stimuli.size(); ++s) {
    const StimulusLesions found = lesioner.run(0, s);
    std::size_t row = 0;
    double all = 0;
    std::vector<double> left(circuit.units.size(), 0.0);
    for (std::size_t condition : plan.stimuli[s].conditions) {
      const auto& planned = plan.windows.stimuli[condition];
      const stimulus::Stimulus movie = stimulus::render(planned.condition, screen, {});
      std::vector<std::vector<double>> expected;
      for (std::size_t i = 0; i < circuit.units.size(); ++i) expected.push_back(without_unit(circuit, i, movie, screen));
      const std::vector<double> whole = recording::respond(circuit, movie.contrast, screen, {}).rate_hz;
      for (std::size_t w = 0; w < planned.windows; ++w, ++row) {
        EXPECT_NEAR(found.rate[row], whole[planned.first_frame + w], 1e-3);  // kernels are rounded to float
        EXPECT_NEAR(found.only_pathways[row], found.rate[row], 1e-12);
        EXPECT_NEAR(found.without_pathways[row], found.rest, 1e-12);
        for (std::size_t i = 0; i < expected.size(); ++i)
          left[i] += (found.rate[row] < found.rest ? -1 : 1) * (expected[i][planned.first_frame + w] - found.rest);
        all += std::abs(found.rate[row] - found.rest);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_NEAR(found.without_pathway(i, row), expected[i][planned.first_frame + w], 1e-3);
          largest = std::max(largest, std::abs(expected[i][planned.first_frame + w] - whole[planned.first_frame + w]));
        }
      }
    }
    if (found.chosen.empty()) continue;  // silent
    for (double& value : left) value /= all;
    left.insert(left.end(), {0.0, 1.0});  // without all units, and with all of them
    EXPECT_LE(test::absolute_error(found.pathways.faithfulness, left), 1e-3);
    EXPECT_NEAR(found.pathways.distance.back(), 0, 1e-12);
  }
  EXPECT_GT(largest, 5.0);
}
INSTANTIATE_TEST_SUITE_P(Circuits, FullLesions, testing::Values("osr", "latency", "anticipation"),
                         [](const auto& circuit) { return std::string(circuit.param); });

}  // namespace
}  // namespace amacrine::lesion
