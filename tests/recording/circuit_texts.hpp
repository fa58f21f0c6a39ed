// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/circuit_definition.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// Circuits of one's own in TOML, one of each kind, and equality of circuits to the last bit.
namespace amacrine::recording::definitions {

inline void expect_equal(const CircuitUnit& a, const CircuitUnit& b) {
  SCOPED_TRACE(a.name);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.excitatory, b.excitatory);
  EXPECT_EQ(a.polarity, b.polarity);
  EXPECT_EQ(a.window_px, b.window_px);
  EXPECT_EQ(a.rho, b.rho);
  EXPECT_EQ(a.kappa, b.kappa);
  for (const auto field : {&CircuitUnit::n1, &CircuitUnit::p1_ms, &CircuitUnit::bias, &CircuitUnit::weight,
                           &CircuitUnit::sigma_centre_px, &CircuitUnit::dx_px, &CircuitUnit::dy_px})
    EXPECT_EQ(a.*field, b.*field);
  if (a.rho != 0) {
    EXPECT_EQ(a.n2, b.n2);
    EXPECT_EQ(a.p2_ms, b.p2_ms);
  }
  if (a.kappa != 0) {
    EXPECT_EQ(a.sigma_surround_px, b.sigma_surround_px);
  }
}

inline void expect_equal(const Circuit& a, const Circuit& b) {
  SCOPED_TRACE(a.name);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.offset_hz, b.offset_hz);
  ASSERT_EQ(a.units.size(), b.units.size());
  for (std::size_t i = 0; i < a.units.size(); ++i) expect_equal(a.units[i], b.units[i]);
  ASSERT_EQ(a.second.size(), b.second.size());
  for (std::size_t j = 0; j < a.second.size(); ++j) {
    EXPECT_EQ(a.second[j].name, b.second[j].name);
    EXPECT_EQ(a.second[j].bias, b.second[j].bias);
    EXPECT_EQ(a.second[j].weight_hz, b.second[j].weight_hz);
    EXPECT_EQ(a.second[j].weights, b.second[j].weights);
  }
  using D = CircuitDynamics;
  for (const auto field : {&D::recovery_ms, &D::release_per_ms, &D::inhibition_ms, &D::inhibition_hz, &D::membrane_ms,
                           &D::adaptation_ms, &D::feedback_per_ms, &D::gain_hz, &D::threshold})
    EXPECT_EQ(a.dynamics.*field, b.dynamics.*field);
}

/// A cell of one layer: excitation, and inhibition with everything said.
inline const std::string mine = R"(
[simulation.circuits.mine]
kind = "feed_forward"
offset_hz = 1.5
[simulation.circuits.mine.units.exc]
polarity = "ON"
weight_hz = 120
order = 4
peak_ms = 70
sigma_px = 1.5
[simulation.circuits.mine.units.a_wide]
polarity = "OFF"
weight_hz = -80.5
bias = -0.1
order = 2.5
peak_ms = 110
undershoot = 0.4
undershoot_order = 7
undershoot_peak_ms = 210
sigma_px = 2
surround = 0.3
surround_sigma_px = 5
dx_px = -1.5
dy_px = 2
window_px = 21
)";
inline const std::string two_layered = R"(
[simulation.circuits.deep]
kind = "two_layers"
[simulation.circuits.deep.units.E]
polarity = "ON"
sign = "excitatory"
order = 2
peak_ms = 110
sigma_px = 1.2
[simulation.circuits.deep.units.I]
polarity = "ON"
sign = "inhibitory"
order = 7
peak_ms = 110
sigma_px = 1.6
[simulation.circuits.deep.second_layer.M]
weight_hz = 100
bias = -0.1
weights = [1, -1.25]
)";
inline const std::string depressing = R"(
[simulation.circuits.tired]
kind = "depressing_inhibition"
offset_hz = -30
recovery_ms = 300
[simulation.circuits.tired.units.exc]
polarity = "ON"
sign = "excitatory"
weight_hz = 200
bias = 0.1
order = 2
peak_ms = 40
sigma_px = 1.6
[simulation.circuits.tired.units.inh]
polarity = "OFF"
sign = "inhibitory"
bias = -0.2
order = 9
peak_ms = 44
sigma_px = 1.6
)";
inline const std::string adapting = R"(
[simulation.circuits.gain]
kind = "gain_control"
gain_hz = 250
[simulation.circuits.gain.units.in]
polarity = "OFF"
order = 2
peak_ms = 60
sigma_px = 2
)";

inline std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

}  // namespace amacrine::recording::definitions
