// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/adam.hpp"
#include "amacrine/training/initialise.hpp"
#include "amacrine/training/schedule.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

model::Architecture tiny() {
  model::Architecture a;
  a.history = 2, a.height = 4, a.width = 4, a.cells = 1;
  a.hidden = {{1, 2, 2}};
  return a;
}

/// The first step moves every parameter by the rate against its gradient's sign (up to epsilon); later ones follow the formula.
TEST(Adam, FollowsItsFormula) {
  TrainingSettings settings;
  settings.l2 = 0.05, settings.l2_readout = 0.3, settings.adam.weight_decay = 0.01, settings.adam.beta2 = 0.99;
  const model::ParameterLayout layout = model::make_layout(tiny());
  const Adam<double> adam = make_adam<double>(layout, settings);
  std::vector<double> p(layout.parameter_count), g(p.size()), m(p.size(), 0.0), v(p.size(), 0.0);
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = 0.5 - 0.03 * static_cast<double>(i);
  const auto parameters = core::to_device("test::parameters", p);
  for (int step = 1; step <= 4; ++step) {
    const double rate = 0.01 * step;
    for (std::size_t i = 0; i < p.size(); ++i) g[i] = std::sin(static_cast<double>(i * static_cast<std::size_t>(step)) + 0.3);
    adam_step(core::Exec(), settings.adam, rate, static_cast<std::uint64_t>(step), core::to_device("test::gradient", g), adam,
              parameters);
    for (const model::ParameterEntry& entry : layout.parameters)
      for (std::size_t i = entry.offset; i < entry.offset + entry.size; ++i) {
        const double l2 = entry.name == "hidden0.kernel" ? 0.05 : entry.name == "readout.weight" ? 0.3 : 0.0;
        const double gradient = g[i] + (2 * l2 + 0.01) * p[i];
        m[i] = 0.9 * m[i] + 0.1 * gradient;
        v[i] = 0.99 * v[i] + 0.01 * gradient * gradient;
        p[i] -= rate * (m[i] / (1 - std::pow(0.9, step))) / (std::sqrt(v[i] / (1 - std::pow(0.99, step))) + 1e-8);
      }
    Kokkos::fence();
    const std::vector<double> now = core::to_host(parameters);
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_TRUE(std::abs(now[i] - p[i]) <= 1e-13) << step << " " << i;
  }
}

TEST(Adam, PenaltyIsTheSumOfSquares) {
  TrainingSettings settings;
  settings.l2 = 0.5, settings.l2_readout = 0.25;
  const model::ParameterLayout layout = model::make_layout(tiny());
  const std::vector<float> ones(layout.parameter_count, 2.0F);
  EXPECT_DOUBLE_EQ(l2_penalty(layout, settings, ones), 4.0 * (0.5 * 8 + 0.25 * 9));
}

TEST(Schedule, OneCycleRisesAndFalls) {
  const ScheduleSettings s{.kind = Schedule::one_cycle, .warm_fraction = 0.25, .start_divisor = 10, .end_divisor = 100};
  EXPECT_NEAR(scheduled_rate(s, 1.0, 0, 401), 0.1, 1e-12);
  EXPECT_NEAR(scheduled_rate(s, 1.0, 50, 401), 0.55, 1e-12);
  EXPECT_NEAR(scheduled_rate(s, 1.0, 100, 401), 1.0, 1e-12);
  EXPECT_NEAR(scheduled_rate(s, 1.0, 250, 401), 0.505, 1e-12);
  EXPECT_NEAR(scheduled_rate(s, 1.0, 400, 401), 0.01, 1e-12);
  for (std::size_t step = 100; step < 400; ++step)
    EXPECT_GT(scheduled_rate(s, 1.0, step, 401), scheduled_rate(s, 1.0, step + 1, 401));
}

TEST(Schedule, ConstantIsConstant) {
  const ScheduleSettings s{.kind = Schedule::constant};
  EXPECT_EQ(scheduled_rate(s, 0.3, 0, 10), 0.3);
  EXPECT_EQ(scheduled_rate(s, 0.3, 9, 10), 0.3);
}

/// Waiting counts up over epochs (a counter that starts anew at every look would never reach its patience).
TEST(Watch, CountsEpochsWithoutImprovement) {
  Watch loss;
  EXPECT_TRUE(loss.update(1.0, Metric::loss, 0.1));
  EXPECT_FALSE(loss.update(0.95, Metric::loss, 0.1));
  EXPECT_EQ(loss.waiting, 1);
  EXPECT_FALSE(loss.update(0.9, Metric::loss, 0.1));  // exactly min_delta is not more than it
  EXPECT_FALSE(loss.update(std::nan(""), Metric::loss, 0.1));
  EXPECT_EQ(loss.waiting, 3);
  EXPECT_TRUE(loss.update(0.8, Metric::loss, 0.1));
  EXPECT_EQ(loss.waiting, 0);
  Watch r;  // a correlation improves upwards
  EXPECT_FALSE(r.update(std::nan(""), Metric::correlation, 0.0));
  EXPECT_TRUE(r.update(0.2, Metric::correlation, 0.0));
  EXPECT_TRUE(r.update(0.3, Metric::correlation, 0.0));
  EXPECT_FALSE(r.update(0.1, Metric::correlation, 0.0));
}

TEST(Plateau, LowersTheRateAfterPatienceAndNotBelowItsFloor) {
  ScheduleSettings s{
      .kind = Schedule::plateau, .factor = 0.1, .min_rate = 1e-4, .threshold = 0.0, .patience = 2, .metric = Metric::correlation};
  Plateau plateau;
  for (const double r : {0.1, 0.2, 0.3}) plateau.update(s, r, 1e-2);
  EXPECT_EQ(plateau.scale, 1.0);  // a rising correlation is improvement
  plateau.update(s, 0.3, 1e-2);
  EXPECT_EQ(plateau.scale, 1.0);
  plateau.update(s, 0.3, 1e-2);
  EXPECT_NEAR(plateau.scale, 0.1, 1e-15);
  for (int i = 0; i < 10; ++i) plateau.update(s, 0.3, 1e-2);
  EXPECT_NEAR(plateau.scale, 1e-2, 1e-15);
}

/// Closed forms: a large beta makes softplus a ReLU, whose Gaussian mean is known; gamma 0 leaves softplus itself.
TEST(Initialise, MeanOfSoftplus) {
  const double g = 4.0, b = 1.5, z = b / g;
  const double relu = b * 0.5 * (1 + std::erf(z / std::sqrt(2.0))) + g * std::exp(-0.5 * z * z) / std::sqrt(2 * M_PI);
  EXPECT_NEAR(mean_softplus(g, b, 2000.0), relu, 1e-5);
  EXPECT_NEAR(mean_softplus(0.0, 1.5, 1.0), std::log1p(std::exp(1.5)), 1e-9);
}

TEST(Initialise, BetaGivesTheMeanRate) {
  const model::Architecture a = tiny();
  const model::ParameterLayout layout = model::make_layout(a);
  for (const double mean : {0.2, 3.0, 40.0}) {
    std::vector<float> parameters = initial_parameters(a, layout, 1);
    start_from_rates(a, layout, {mean}, 0.5, parameters);
    const double gamma = parameters[layout.parameter("output.gamma").offset],
                 beta = parameters[layout.parameter("output.beta").offset];
    EXPECT_NEAR(gamma, 0.5 * mean, 1e-5 * mean);
    EXPECT_NEAR(mean_softplus(gamma, beta, 1.0), mean, 1e-4 * mean);
  }
}

/// With a rate scale, a parameter's first step is that many times the rate.
TEST(Adam, PaceMultipliesTheRate) {
  const model::ParameterLayout layout = model::make_layout(tiny());
  TrainingSettings settings;
  settings.l2 = 0;
  const std::vector<float> rate_scale = rate_scales(layout, {7.0});
  const Adam<double> adam = make_adam<double>(layout, settings, rate_scale);
  const auto parameters = core::to_device("test::parameters", std::vector<double>(layout.parameter_count, 0.0));
  adam_step(core::Exec(), settings.adam, 0.01, 1,
            core::to_device("test::gradient", std::vector<double>(layout.parameter_count, 2.0)), adam, parameters);
  Kokkos::fence();
  const std::vector<double> now = core::to_host(parameters);
  EXPECT_NEAR(now[layout.parameter("output.gamma").offset], -0.07, 1e-8);
  EXPECT_NEAR(now[layout.parameter("output.beta").offset], -0.07, 1e-8);
  EXPECT_NEAR(now[layout.parameter("readout.weight").offset], -0.01, 1e-9);
  EXPECT_NEAR(now[layout.parameter("hidden0.gamma").offset], -0.01, 1e-9);
}

/// Kernels fill +-1 / sqrt(inputs) evenly; another seed gives other weights.
TEST(Initialise, KernelsAreUniform) {
  model::Architecture a;
  a.cells = 2;
  const model::ParameterLayout layout = model::make_layout(a);
  const std::vector<float> p = initial_parameters(a, layout, 3), other = initial_parameters(a, layout, 4);
  const model::ParameterEntry& kernel = layout.parameter("hidden0.kernel");
  const double bound = 1.0 / std::sqrt(40.0 * 15 * 15);
  double mean = 0, square = 0, same = 0;
  for (std::size_t i = 0; i < kernel.size; ++i) {
    const double value = p[kernel.offset + i] / bound;
    ASSERT_LE(std::abs(value), 1.0 + 1e-6);
    mean += value / static_cast<double>(kernel.size), square += value * value / static_cast<double>(kernel.size);
    same += p[kernel.offset + i] == other[kernel.offset + i];
  }
  EXPECT_NEAR(mean, 0.0, 5 / std::sqrt(3.0 * static_cast<double>(kernel.size)));
  EXPECT_NEAR(square, 1.0 / 3.0, 0.01);
  EXPECT_LT(same, 10);
  EXPECT_EQ(p[layout.parameter("hidden0.gamma").offset], 1.0F);
  EXPECT_EQ(p[layout.parameter("hidden1.beta").offset], 0.0F);
}

}  // namespace
}  // namespace amacrine::training
