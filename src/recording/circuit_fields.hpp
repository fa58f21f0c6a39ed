// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/circuit.hpp"

#include <array>
#include <string>
#include <vector>

/// The numbers of a circuit's tables: one list for reading and writing them. Private to the definitions.
namespace amacrine::recording {

/// A number of a table. A needed one has no fallback.
template <class Part>
struct CircuitField {
  const char* key;
  double Part::*value;
  double low, high;
  const char* unit;
  bool needed = true;
  double fallback = 0;
};

/// Of every interneuron: when it answers, and where. The Gaussian's sd is wide enough not to fall between two pixels.
inline constexpr std::array<CircuitField<CircuitUnit>, 3> shape_fields{
    {{"order", &CircuitUnit::n1, 0.01, 100, ""},
     {"peak_ms", &CircuitUnit::p1_ms, 0.1, 1e4, " ms"},
     {"sigma_px", &CircuitUnit::sigma_centre_px, 0.2, 1000, " px"}}};
inline constexpr std::array<CircuitField<CircuitUnit>, 2> place_fields{
    {{"dx_px", &CircuitUnit::dx_px, -1000, 1000, " px", false}, {"dy_px", &CircuitUnit::dy_px, -1000, 1000, " px", false}}};
/// Of interneurons with a threshold of their own.
inline constexpr CircuitField<CircuitUnit> bias_field{"bias", &CircuitUnit::bias, -1000, 1000, " (contrast)", false};
inline constexpr CircuitField<CircuitUnit> weight_field{"weight_hz", &CircuitUnit::weight, -1e6, 1e6, " Hz"};
/// Needed where the first of them is not zero.
inline constexpr std::array<CircuitField<CircuitUnit>, 3> undershoot_fields{
    {{"undershoot", &CircuitUnit::rho, -100, 100, "", false},
     {"undershoot_order", &CircuitUnit::n2, 0.01, 100, ""},
     {"undershoot_peak_ms", &CircuitUnit::p2_ms, 0.1, 1e4, " ms"}}};
inline constexpr std::array<CircuitField<CircuitUnit>, 2> surround_fields{
    {{"surround", &CircuitUnit::kappa, -100, 100, "", false},
     {"surround_sigma_px", &CircuitUnit::sigma_surround_px, 0.2, 1000, " px"}}};

inline constexpr std::array<CircuitField<SecondUnit>, 2> second_fields{
    {{"weight_hz", &SecondUnit::weight_hz, -1e6, 1e6, " Hz"}, {"bias", &SecondUnit::bias, -1000, 1000, " (contrast)", false}}};

/// Constants of a dynamic circuit; none of the others.
inline std::vector<CircuitField<CircuitDynamics>> dynamic_fields(CircuitKind kind) {
  const CircuitDynamics d;
  if (kind == CircuitKind::depressing_inhibition)
    return {{"recovery_ms", &CircuitDynamics::recovery_ms, 0.1, 1e6, " ms", false, d.recovery_ms},
            {"release_per_ms", &CircuitDynamics::release_per_ms, 0, 1e3, " per ms and unit of contrast", false, d.release_per_ms},
            {"inhibition_ms", &CircuitDynamics::inhibition_ms, 0.1, 1e6, " ms", false, d.inhibition_ms},
            {"inhibition_hz", &CircuitDynamics::inhibition_hz, 0, 1e6, " Hz", false, d.inhibition_hz},
            {"membrane_ms", &CircuitDynamics::membrane_ms, 0.1, 1e6, " ms", false, d.membrane_ms}};
  if (kind == CircuitKind::gain_control)
    return {
        {"adaptation_ms", &CircuitDynamics::adaptation_ms, 0.1, 1e6, " ms", false, d.adaptation_ms},
        {"feedback_per_ms", &CircuitDynamics::feedback_per_ms, 0, 1e3, " per ms and unit of contrast", false, d.feedback_per_ms},
        {"gain_hz", &CircuitDynamics::gain_hz, 0, 1e6, " Hz", false, d.gain_hz},
        {"threshold", &CircuitDynamics::threshold, -1000, 1000, " (contrast)", false, d.threshold}};
  return {};
}

inline const std::vector<std::string>& circuit_kind_words() {
  static const std::vector<std::string> words{"feed_forward", "two_layers", "depressing_inhibition", "gain_control"};
  return words;
}

/// What a kind reads of an interneuron: a weight onto the cell in Hz, else only its sign; a threshold.
inline bool has_weight(const Circuit& circuit, bool excitatory) {
  return circuit.feed_forward() || (circuit.kind == CircuitKind::depressing_inhibition && excitatory);
}
inline bool has_sign(const Circuit& circuit) {
  return circuit.kind == CircuitKind::two_layers || circuit.kind == CircuitKind::depressing_inhibition;
}
inline bool has_threshold(const Circuit& circuit) { return circuit.kind != CircuitKind::gain_control; }
inline bool has_offset(const Circuit& circuit) { return circuit.kind != CircuitKind::gain_control; }

}  // namespace amacrine::recording
