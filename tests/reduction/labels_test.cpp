// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/pathways.hpp"
#include "circuit_layer.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace amacrine::reduction {
namespace {

const ReductionSettings settings;

/// The rule that looks natural and is wrong: the sign of the filter at its largest value.
int sign_at_largest(const std::vector<double>& filter) {
  double largest = 0;
  for (double v : filter)
    if (std::abs(v) > std::abs(largest)) largest = v;
  return largest > 0 ? 1 : -1;
}

TEST(Labels, EveryPlantedUnitGetsItsPolarity) {
  int units = 0;
  for (const auto& name : recording::circuit_names())
    for (const auto& unit : recording::circuit(name).units) {
      SCOPED_TRACE(name + " " + unit.name);
      const TemporalFilter filter = temporal_filter(testing::kernel_of(unit), settings.balance_threshold);
      const auto found = lobes(filter.value, settings.lobe_threshold);
      EXPECT_EQ(polarity(found, 1.0), unit.polarity);
      EXPECT_EQ(polarity(found, -1.0), -unit.polarity);
      if (unit.name.starts_with("O")) {  // the units of two_layers, all ON, are named by their place
        EXPECT_EQ(unit.name.starts_with("ON"), unit.polarity > 0) << "a planted unit's name and sign disagree";
      }
      ++units;
    }
  EXPECT_EQ(units, 26);
}

TEST(Labels, TheSignAtTheLargestLobeWouldBeWrong) {
  for (const auto& [circuit, unit] :
       {std::pair{"osr", "ON_fast"}, std::pair{"osr_alt", "ON_fast"}, std::pair{"latency", "ON_inh"}}) {
    SCOPED_TRACE(std::string(circuit) + " " + unit);
    const auto& cell = recording::circuit(circuit);
    const TemporalFilter filter = temporal_filter(testing::kernel_of(cell.units[cell.unit(unit)]), settings.balance_threshold);
    EXPECT_EQ(sign_at_largest(filter.value), -1);
    EXPECT_EQ(polarity(lobes(filter.value, settings.lobe_threshold), 1.0), 1);
  }
}

TEST(Labels, FilterIsTheUnitsOwn) {
  const auto& unit = recording::circuit("osr").units[0];
  const TemporalFilter filter = temporal_filter(testing::kernel_of(unit), settings.balance_threshold);
  const auto truth = unit.temporal();
  double largest = 0;
  for (double v : truth) largest = std::max(largest, std::abs(v));
  ASSERT_EQ(filter.value.size(), truth.size());
  for (std::size_t lag = 0; lag < truth.size(); ++lag)
    EXPECT_NEAR(filter.value[lag], truth[lag] / largest, 1e-5) << "lag " << lag;
  EXPECT_FALSE(filter.from_centre);
  EXPECT_NEAR(filter.centre_x, 24.5, 1e-3);
  EXPECT_NEAR(filter.centre_y, 24.5, 1e-3);
}

TEST(Labels, CentreDecidesWhereTheSurroundCancelsIt) {
  for (const auto& unit : recording::circuit("reversal").units) {
    SCOPED_TRACE(unit.name);
    const TemporalFilter filter = temporal_filter(testing::kernel_of(unit), settings.balance_threshold);
    EXPECT_TRUE(filter.from_centre);
    EXPECT_NEAR(filter.centre_x, 24.5 + unit.dx_px, 0.1);
  }
  // A surround a little stronger than its centre turns the sign of the sum, not what the cell answers to at its centre.
  recording::CircuitUnit unit = recording::circuit("reversal").units[2];
  unit.kappa = 1.1;
  const auto kernel = testing::kernel_of(unit);
  const TemporalFilter centre = temporal_filter(kernel, settings.balance_threshold), sum = temporal_filter(kernel, 0.0);
  EXPECT_TRUE(centre.from_centre);
  EXPECT_EQ(polarity(lobes(centre.value, settings.lobe_threshold), 1.0), -1);
  EXPECT_EQ(polarity(lobes(sum.value, settings.lobe_threshold), 1.0), 1);
}

TEST(Labels, LobesAreWhereTheyPeak) {
  std::vector<double> filter(40, 0.0);
  for (int lag = 0; lag < 40; ++lag)
    filter[static_cast<std::size_t>(lag)] =
        std::exp(-0.125 * std::pow(lag - 8.3, 2)) - 2 * std::exp(-0.08 * std::pow(lag - 20.0, 2));
  const auto found = lobes(filter, 0.2);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NEAR(found[0].lag, 8.3, 0.1);
  EXPECT_NEAR(found[1].lag, 20.0, 0.1);
  EXPECT_NEAR(found[0].height, 0.5, 0.02);
  EXPECT_NEAR(found[1].height, -1.0, 1e-12);
  EXPECT_EQ(lobes(filter, 0.6).size(), 1u);
}

TEST(Labels, NoiseOfOneFrameMakesNoLobe) {
  std::vector<double> filter(40, 0.0);
  for (int lag = 0; lag < 40; ++lag) filter[static_cast<std::size_t>(lag)] = -std::exp(-0.05 * std::pow(lag - 12.0, 2));
  filter[2] = 0.3;
  EXPECT_EQ(polarity(lobes(filter, 0.2), 1.0), -1);
}

TEST(Labels, LaterPolarityIsThatOfTheLargestLobe) {
  EXPECT_EQ(later_polarity({{3, 0.4}, {9, -1}}, 1.0), -1);
  EXPECT_EQ(later_polarity({{3, 0.4}, {9, -1}}, -1.0), 1);
  EXPECT_EQ(later_polarity({{3, 1}, {9, -0.4}}, 1.0), 0);
  EXPECT_EQ(later_polarity({}, 1.0), 0);
}

TEST(Labels, InfluenceThatChangesSignIsMixed) {
  EXPECT_TRUE(influence({3, 2, -2}, {0.1, 0.1, 0.1}).mixed());
  EXPECT_FALSE(influence({9, 5, -1}, {0.1, 0.1, 0.1}).mixed());
  EXPECT_NEAR(influence({3, 2, -2}, {0.1, 0.1, 0.1}).minority_share, 2.0 / 7, 1e-12);
}

TEST(Labels, DeadKernelHasNoPolarity) {
  const TemporalFilter filter = temporal_filter(core::Array<float, 3>({40, 15, 15}), settings.balance_threshold);
  EXPECT_TRUE(lobes(filter.value, 0.2).empty());
  EXPECT_EQ(polarity({}, 1.0), 0);
  EXPECT_EQ(polarity({{3, 1}}, 0.0), 0);
}

TEST(Labels, InhibitionIsTheSignOfDNotOfA) {
  // A tonic inhibitory unit: h falls from 0.1, D = -478; mostly it is silenced (A > 0), sometimes driven (A < 0).
  const std::vector<double> dh{-0.1, -0.1, -0.05, 0.02}, a{23.9, 23.9, 12.0, -4.8};
  const Influence tonic = influence(a, dh);
  EXPECT_EQ(tonic.sign, -1);
  EXPECT_NEAR(tonic.disinhibition_share, 59.8 / 64.6, 1e-12);
  EXPECT_NEAR(tonic.mean_downstream, -64.6 / 0.27, 1e-9);
  const Influence excitation = influence({2, 4, -1}, {0.1, 0.2, -0.05});
  EXPECT_EQ(excitation.sign, 1);
  EXPECT_EQ(excitation.disinhibition_share, 0);
  EXPECT_EQ(influence({0, 0}, {0, 0}).sign, 0);
}

}  // namespace
}  // namespace amacrine::reduction
