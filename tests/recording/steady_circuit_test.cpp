// SPDX-License-Identifier: Apache-2.0
// Circuits with state under a constant drive: where they settle follows from their equations.
#include "amacrine/recording/circuit_state.hpp"
#include "amacrine/recording/smoothing.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

double softplus(double z) { return std::log1p(std::exp(0.3 * z)) / 0.3; }

/// The rate after ten seconds of a constant drive, in frames of 10 ms.
double settled_rate(const Circuit& circuit, const std::vector<double>& drive, const Lesion& lesion = {}) {
  CircuitState state(circuit, lesion);
  double rate = 0;
  for (int frame = 0; frame < 1000; ++frame) rate = state.step(drive.data());
  return rate;
}

/// a = a exp(-h / tau) + f d g h each substep of h = 2 ms, gain g = 1 / (1 + a^4) of the a before it.
TEST(SteadyCircuit, GainControlSettlesWhereFeedbackBalancesDecay) {
  const Circuit& circuit = recording::circuit("anticipation_gain_control");
  const CircuitDynamics& c = circuit.dynamics;
  for (const double drive : {0.1, 0.3, 0.8}) {
    double low = 0, high = 1000;
    for (int i = 0; i < 200; ++i) {
      const double a = (low + high) / 2, gain = 1 / (1 + std::pow(a, 4));
      (a * (1 - std::exp(-2 / c.adaptation_ms)) < c.feedback_per_ms * drive * gain * 2 ? low : high) = a;
    }
    const double gain = 1 / (1 + std::pow(low, 4)), expected = softplus(c.gain_hz * (drive * gain - c.threshold));
    const double found = settled_rate(circuit, {drive});
    EXPECT_TRUE(std::abs(found - expected) <= 1e-3 * expected) << drive << ": " << found << " " << expected;
    const double without = softplus(c.gain_hz * (drive - c.threshold));
    EXPECT_NEAR(settled_rate(circuit, {drive}, {.no_feedback = true}), without, 1e-9 * without);
  }
}

/// The store settles at its refilling over all that changes it, the conductance where each substep's release replaces its decay.
TEST(SteadyCircuit, DepressingInhibitionSettlesWhereReleaseBalancesRecovery) {
  const Circuit& circuit = recording::circuit("osr_depressing");
  const CircuitDynamics& c = circuit.dynamics;
  for (const double drive : {-0.5, 0.2, 1.0}) {
    const double amacrine = std::max(0.0, circuit.units[0].bias + drive);
    const double excitation = circuit.units[1].weight * std::max(0.0, circuit.units[1].bias + 0.4);
    const double store = (1 / c.recovery_ms) / (1 / c.recovery_ms + c.release_per_ms * amacrine);
    const double conductance = c.inhibition_hz * c.release_per_ms * amacrine * store * 2 / (1 - std::exp(-2 / c.inhibition_ms));
    const double expected = softplus(circuit.offset_hz + excitation - conductance), found = settled_rate(circuit, {drive, 0.4});
    EXPECT_TRUE(std::abs(found - expected) <= 1e-6 * (expected + 1e-6)) << drive << ": " << found << " " << expected;
  }
}

/// The same on grey of a cell whose inhibition never sleeps and whose synapse takes seconds to settle.
TEST(SteadyCircuit, RestingRateWaitsForASlowSynapse) {
  Circuit slow = recording::circuit("osr_depressing");
  slow.units[0].bias = 0.002;
  CircuitDynamics& c = slow.dynamics;
  c.recovery_ms = 20000, c.inhibition_ms = 900, c.membrane_ms = 400;
  const double store = (1 / c.recovery_ms) / (1 / c.recovery_ms + c.release_per_ms * 0.002);
  const double conductance = c.inhibition_hz * c.release_per_ms * 0.002 * store * 2 / (1 - std::exp(-2 / c.inhibition_ms));
  const double expected = softplus(slow.offset_hz + slow.units[1].weight * slow.units[1].bias - conductance);
  const double found = resting_rate(slow);
  EXPECT_TRUE(std::abs(found - expected) <= 1e-9 * expected) << found << " " << expected;
}

/// Bins of 10 ms and a width of 5 ms: five weights, exp(-z^2 / 2) at z = -4, -2, 0, 2, 4, that sum to one.
TEST(SmoothingWeights, SumToOneHoweverCoarseTheBins) {
  const double two = std::exp(-2.0), four = std::exp(-8.0), sum = 1 + 2 * two + 2 * four;
  const std::vector<double> found = gaussian_weights(5, 10), expected{four / sum, two / sum, 1 / sum, two / sum, four / sum};
  ASSERT_EQ(found.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(found[i], expected[i], 1e-14);
}

}  // namespace
}  // namespace amacrine::recording
