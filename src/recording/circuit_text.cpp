// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/circuit_definition.hpp"
#include "circuit_fields.hpp"

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

/// A number with all its digits, as TOML.
std::string digits(double value) {
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

template <class Part>
void write_number(std::string& text, const Part& part, const CircuitField<Part>& field) {
  text += fmt::format("{} = {}\n", field.key, digits(part.*field.value));
}

/// Those that count where the first is not zero.
template <class Part, std::size_t N>
void write_numbers(std::string& text, const Part& part, const std::array<CircuitField<Part>, N>& fields) {
  if (part.*fields[0].value == 0) return;
  for (const auto& field : fields) write_number(text, part, field);
}

std::string unit_text(const Circuit& circuit, const CircuitUnit& unit) {
  std::string text = fmt::format("\n[simulation.circuits.{}.units.{}]\npolarity = \"{}\"\n", circuit.name, unit.name,
                                 unit.polarity > 0 ? "ON" : "OFF");
  if (has_sign(circuit)) text += fmt::format("sign = \"{}\"\n", unit.excitatory ? "excitatory" : "inhibitory");
  if (has_weight(circuit, unit.excitatory)) write_number(text, unit, weight_field);
  if (has_threshold(circuit)) write_number(text, unit, bias_field);
  for (const auto& field : shape_fields) write_number(text, unit, field);
  write_numbers(text, unit, undershoot_fields);
  write_numbers(text, unit, surround_fields);
  for (const auto& field : place_fields) write_number(text, unit, field);
  return text + fmt::format("window_px = {}\n", unit.window_px);
}

std::string second_text(const Circuit& circuit, const SecondUnit& unit) {
  std::string text = fmt::format("\n[simulation.circuits.{}.second_layer.{}]\n", circuit.name, unit.name);
  for (const auto& field : second_fields) write_number(text, unit, field);
  std::vector<std::string> weights;
  for (const double weight : unit.weights) weights.push_back(digits(weight));
  return text + fmt::format("weights = [{}]\n", fmt::join(weights, ", "));
}

}  // namespace

std::string circuit_text(const Circuit& circuit) {
  std::string text = fmt::format("[simulation.circuits.{}]\nkind = \"{}\"\n", circuit.name,
                                 circuit_kind_words()[static_cast<std::size_t>(circuit.kind)]);
  if (has_offset(circuit)) text += fmt::format("offset_hz = {}\n", digits(circuit.offset_hz));
  for (const auto& field : dynamic_fields(circuit.kind)) write_number(text, circuit.dynamics, field);
  for (const CircuitUnit& unit : circuit.units) text += unit_text(circuit, unit);
  for (const SecondUnit& unit : circuit.second) text += second_text(circuit, unit);
  return text;
}

}  // namespace amacrine::recording
