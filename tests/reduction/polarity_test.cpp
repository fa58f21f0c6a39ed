// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/random.hpp"
#include "amacrine/reduction/labels.hpp"
#include "amacrine/reduction/settings.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

/// ON or OFF of filters whose polarity is known, as they are and with noise on them.
namespace amacrine::reduction {
namespace {

const double threshold = ReductionSettings{}.lobe_threshold;
using Filter = std::vector<double>;

/// polarity * (G(t; n1, p1) - rho G(t; n2, p2)) by lags of 10 ms, G(t; n, p) = (t / p)^n exp(n (1 - t / p)).
struct Planted {
  const char* name;
  int polarity;
  double n1, p1, n2, p2, rho;
};

const std::vector<Planted> planted_filters{{"osr OFF_inh", -1, 2, 110, 9, 232.6, 0.998},
                                           {"osr ON_slow", 1, 3.55, 92.2, 9, 138.3, 1.0},
                                           {"osr ON_fast", 1, 9, 47.4, 4.54, 71.1, 0.94},
                                           {"osr_alt OFF_inh", -1, 2, 58.2, 9, 223.6, 0.304},
                                           {"osr_alt ON_slow", 1, 9, 67.4, 9, 156.6, 0.464},
                                           {"osr_alt ON_fast", 1, 9, 40, 4.05, 60, 1.0},
                                           {"latency OFF_exc", -1, 4, 110, 1, 100, 0},
                                           {"latency ON_inh", 1, 9, 35, 2.63, 148, 1.4},
                                           {"reversal S", -1, 1.59, 140, 9, 300, 0.6},
                                           {"anticipation OFF_exc", -1, 3.44, 65.5, 5.43, 124.4, 0.312},
                                           {"anticipation OFF_inh_wide", -1, 7.33, 135.5, 1, 100, 0},
                                           {"osr_depressing OFF_amacrine", -1, 9, 43.9, 1, 100, 0},
                                           {"osr_depressing ON_exc", 1, 2, 40, 2, 106.8, 0.897},
                                           {"anticipation_gain_control OFF", -1, 2.02, 59.5, 2.02, 238, 0.25},
                                           {"no_phenomenon ON", 1, 4, 60, 5, 120, 0.4},
                                           {"three_in_one ON_inh", 1, 2.3, 108, 8.5, 200, 0.78},
                                           {"three_in_one OFF_slow", -1, 1.85, 97, 8.6, 214, 1.10},
                                           {"three_in_one OFF_fast", -1, 7.6, 35, 5.4, 77.5, 1.07},
                                           {"two_layers E", 1, 1.75, 112, 5.9, 160, 0.62},
                                           {"two_layers I", 1, 7.1, 104.5, 3.35, 294, 0.40}};

double bump(double t, double n, double p) { return t > 0 ? std::pow(t / p, n) * std::exp(n * (1 - t / p)) : 0.0; }

/// The filter, largest absolute value 1.
Filter filter_of(const Planted& unit) {
  Filter filter(40);
  double largest = 0;
  for (std::size_t lag = 0; lag < filter.size(); ++lag) {
    const double t = 10.0 * static_cast<double>(lag);
    filter[lag] = unit.polarity * (bump(t, unit.n1, unit.p1) - unit.rho * bump(t, unit.n2, unit.p2));
    largest = std::max(largest, std::abs(filter[lag]));
  }
  for (double& value : filter) value /= largest;
  return filter;
}

Filter with_noise(Filter filter, core::Random& random, double sd = 0.1) {
  for (double& value : filter) value += sd * random.normal();
  return filter;
}

int polarity_of(const Filter& filter) { return polarity(lobes(filter, threshold), 1.0); }

TEST(Polarity, OfPlantedFilters) {
  for (const Planted& unit : planted_filters) EXPECT_EQ(polarity_of(filter_of(unit)), unit.polarity) << unit.name;
}

TEST(Polarity, OfNoisyCopies) {
  // Noise of a tenth of the largest lag on every lag; 99 of 100 copies keep their polarity.
  constexpr int copies = 400;
  for (std::size_t u = 0; u < planted_filters.size(); ++u) {
    const Filter filter = filter_of(planted_filters[u]);
    int right = 0;
    for (int copy = 0; copy < copies; ++copy) {
      core::Random random(20261128, core::Stream::probe, 1000 * u + static_cast<std::size_t>(copy));
      right += polarity_of(with_noise(filter, random)) == planted_filters[u].polarity ? 1 : 0;
    }
    EXPECT_GE(right, copies * 99 / 100) << planted_filters[u].name;
  }
}

TEST(Polarity, OneLagAtZeroNeverFlipsIt) {
  for (const Planted& unit : planted_filters)
    for (double height : {0.2, 0.4, 0.7, 1.0, 2.0}) {
      Filter filter = filter_of(unit);
      filter[0] -= unit.polarity * height;
      EXPECT_EQ(polarity_of(filter), unit.polarity) << unit.name << ", " << height;
    }
}

TEST(Polarity, OneLagAtZeroOfANoisyCopyNeverFlipsIt) {
  for (std::size_t u = 0; u < planted_filters.size(); ++u) {
    core::Random random(7, core::Stream::probe, u);
    int right = 0, right_before = 0;
    for (int copy = 0; copy < 100; ++copy) {
      Filter filter = with_noise(filter_of(planted_filters[u]), random);
      right_before += polarity_of(filter) == planted_filters[u].polarity ? 1 : 0;
      filter[0] = -0.5 * planted_filters[u].polarity;
      right += polarity_of(filter) == planted_filters[u].polarity ? 1 : 0;
    }
    EXPECT_GE(right, right_before) << planted_filters[u].name;
  }
}

TEST(Polarity, OfFiltersOfOtherForms) {
  // A damped oscillation and three Gaussians: their first lobes are 0.8 and 0.35 of the largest.
  Filter ringing(40), three(40);
  for (std::size_t lag = 0; lag < 40; ++lag) {
    const double t = static_cast<double>(lag);
    ringing[lag] = std::exp(-0.05 * t) * std::sin(0.45 * t);
    three[lag] = 0.35 * std::exp(-0.3 * std::pow(t - 5, 2)) - std::exp(-0.08 * std::pow(t - 12, 2)) +
                 0.8 * std::exp(-0.04 * std::pow(t - 22, 2));
  }
  for (const Filter& filter : {ringing, three}) {
    EXPECT_EQ(polarity_of(filter), 1);
    core::Random random(11, core::Stream::probe, 3);
    int right = 0;
    for (int copy = 0; copy < 100; ++copy) right += polarity_of(with_noise(filter, random, 0.05)) == 1 ? 1 : 0;
    EXPECT_GE(right, 99);
  }
}

TEST(Polarity, LobesOfANoisyCopyAreThoseOfTheFilter) {
  // anticipation OFF_exc peaks at 60 ms; latency ON_inh has its lobes at 30 to 40 and near 145 ms.
  core::Random random(5, core::Stream::probe, 1);
  const auto monophasic = lobes(with_noise(filter_of(planted_filters[9]), random), threshold);
  ASSERT_GE(monophasic.size(), 1u);
  EXPECT_NEAR(monophasic[0].lag, 6, 1);
  const auto biphasic = lobes(with_noise(filter_of(planted_filters[7]), random), threshold);
  ASSERT_EQ(biphasic.size(), 2u);
  EXPECT_NEAR(biphasic[0].lag, 3.4, 1);
  EXPECT_NEAR(biphasic[0].height, 0.5, 0.2);
  EXPECT_NEAR(biphasic[1].lag, 14.5, 2.5);
  EXPECT_EQ(later_polarity(biphasic, 1.0), -1);
}

}  // namespace
}  // namespace amacrine::reduction
