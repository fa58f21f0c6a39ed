// SPDX-License-Identifier: Apache-2.0
#include "circuit_table.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace amacrine::recording {

std::string CircuitTable::where(const std::string& key) const {
  if (study_ && study_->has(full(key))) return study_->where(full(key));
  return file_.where(file_.has(full(key)) ? full(key) : name_);
}

std::string CircuitTable::word(const std::string& key, const std::vector<std::string>& words) const {
  core::require<core::StudyError>(has(key), "{}: '{}' is missing; expected one of {}", where(), full(key),
                                  fmt::join(words, ", "));
  const std::string said = file_.choose(full(key), words.front(), words);
  return study_ ? study_->choose(full(key), said, words) : said;
}

void CircuitTable::require_there(const std::string& key, bool needed, double low, double high, const std::string& unit) const {
  core::require<core::StudyError>(!needed || has(key), "{}: '{}' is missing; expected a number from {} to {}{}", where(),
                                  full(key), low, high, unit);
}

double CircuitTable::in_range(const std::string& key, double value, double low, double high, const std::string& unit) const {
  core::require<core::StudyError>(value >= low && value <= high, "{}: '{}' is {}; expected a number from {} to {}{}", where(key),
                                  full(key), value, low, high, unit);
  return value;
}

namespace {

/// Names end up in lists, labels and TOML keys.
void check_name(const CircuitTable& table, const std::string& name, const char* what) {
  constexpr const char* letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  core::require<core::StudyError>(!name.empty() && name.find_first_not_of(letters) == std::string::npos,
                                  "{}: '{}' cannot name a {}; expected letters, digits, _ and - only", table.where(), name, what);
}

/// Names of the sub-tables of `key`, in the order that `order_key` gives, or the file's.
std::vector<std::string> names_in_order(const CircuitTable& table, const std::string& key, const std::string& order_key) {
  const std::vector<std::string> names = table.tables(key);
  auto order = table.get<std::vector<std::string>>(order_key, names);
  core::require<core::StudyError>(std::is_permutation(order.begin(), order.end(), names.begin(), names.end()),
                                  "{}: '{}' is [{}]; expected every one of {} once: leave it out for the order of the file",
                                  table.where(order_key), table.full(order_key), fmt::join(order, ", "), fmt::join(names, ", "));
  for (const std::string& name : names) check_name(table.below(key + "." + name), name, "unit");
  return order;
}

void read_sign(const CircuitTable& table, const Circuit& circuit, CircuitUnit& unit) {
  if (has_sign(circuit)) unit.excitatory = table.word("sign", {"excitatory", "inhibitory"}) == "excitatory";
  unit.weight = unit.excitatory ? 1 : -1;
  if (!has_weight(circuit, unit.excitatory)) return;
  table.number(unit, weight_field);
  core::require<core::StudyError>(unit.weight != 0, "{}: '{}' is 0, so the unit does nothing; give it a weight, or leave it out",
                                  table.where("weight_hz"), table.full("weight_hz"));
  if (circuit.feed_forward()) unit.excitatory = unit.weight > 0;
}

CircuitUnit read_unit(const CircuitTable& table, const Circuit& circuit, const std::string& name) {
  CircuitUnit unit;
  unit.name = name;
  unit.polarity = table.word("polarity", {"ON", "OFF"}) == "ON" ? 1 : -1;
  read_sign(table, circuit, unit);
  if (has_threshold(circuit)) table.number(unit, bias_field);
  for (const auto& field : shape_fields) table.number(unit, field);
  for (const auto& field : place_fields) table.number(unit, field);
  unit.sigma_surround_px = 2 * unit.sigma_centre_px;
  table.numbers(unit, undershoot_fields);
  table.numbers(unit, surround_fields);
  unit.window_px =
      static_cast<int>(table.in_range("window_px", table.get<int>("window_px", 0), 0, 1000, " px (0: the whole screen)"));
  for (const double value : unit.temporal())
    core::require<core::StudyError>(
        std::isfinite(value),
        "{}: the time course of '{}' is zero at every lag up to 390 ms; change order, peak_ms or undershoot, so that it is not",
        table.where(), name);
  return unit;
}

SecondUnit read_second(const CircuitTable& table, const Circuit& circuit, const std::string& name) {
  SecondUnit unit;
  unit.name = name;
  for (const auto& field : second_fields) table.number(unit, field);
  unit.weights = table.get<std::vector<double>>("weights", {});
  core::require<core::StudyError>(unit.weights.size() == circuit.units.size(),
                                  "{}: '{}' holds {} numbers; expected {}, one for each unit in their order",
                                  table.where("weights"), table.full("weights"), unit.weights.size(), circuit.units.size());
  for (const double weight : unit.weights) table.in_range("weights", weight, -1e6, 1e6, "");
  const auto same = [&](const CircuitUnit& other) { return other.name == name; };
  core::require<core::StudyError>(std::none_of(circuit.units.begin(), circuit.units.end(), same),
                                  "{}: '{}' is a unit of the first layer, too; give units of the second names of their own",
                                  table.where(), name);
  return unit;
}

void read_second_layer(const CircuitTable& table, Circuit& circuit) {
  const bool wanted = circuit.kind == CircuitKind::two_layers;
  core::require<core::StudyError>(wanted || !table.has("second_layer"),
                                  "{}: '{}' is there, but the circuit's kind is \"{}\"; set kind = \"two_layers\", or remove it",
                                  table.where("second_layer"), table.full("second_layer"),
                                  circuit_kind_words()[static_cast<std::size_t>(circuit.kind)]);
  if (!wanted) return;
  for (const std::string& name : names_in_order(table, "second_layer", "second_layer_order"))
    circuit.second.push_back(read_second(table.below("second_layer." + name), circuit, name));
  core::require<core::StudyError>(!circuit.second.empty(), "{}: the circuit has no second layer; give it tables [{}.NAME]",
                                  table.where(), table.full("second_layer"));
}

/// The dynamic kinds have units of fixed roles.
void check_roles(const CircuitTable& table, Circuit& circuit) {
  core::require<core::StudyError>(!circuit.units.empty(), "{}: the circuit has no units; give it tables [{}.NAME]", table.where(),
                                  table.full("units"));
  if (circuit.kind == CircuitKind::depressing_inhibition) {
    std::stable_partition(circuit.units.begin(), circuit.units.end(), [](const CircuitUnit& unit) { return !unit.excitatory; });
    core::require<core::StudyError>(
        circuit.units.size() == 2 && !circuit.units[0].excitatory && circuit.units[1].excitatory && circuit.units[1].weight > 0,
        "{}: a circuit of kind \"depressing_inhibition\" has two units, one with sign = \"inhibitory\" and one with "
        "sign = \"excitatory\" and weight_hz above 0; found {} units",
        table.where(), circuit.units.size());
  }
  core::require<core::StudyError>(circuit.kind != CircuitKind::gain_control || circuit.units.size() == 1,
                                  "{}: a circuit of kind \"gain_control\" has one unit, its input; found {}", table.where(),
                                  circuit.units.size());
}

}  // namespace

Circuit read_circuit(core::Study& file, core::Study* study, const std::string& name) {
  const CircuitTable table(file, study, "simulation.circuits." + name);
  check_name(table, name, "circuit");
  Circuit circuit;
  circuit.name = name;
  const std::string kind = table.word("kind", circuit_kind_words());
  const auto found = std::find(circuit_kind_words().begin(), circuit_kind_words().end(), kind);
  circuit.kind = static_cast<CircuitKind>(found - circuit_kind_words().begin());
  if (has_offset(circuit)) circuit.offset_hz = table.in_range("offset_hz", table.get<double>("offset_hz", 0.0), -1e6, 1e6, " Hz");
  for (const auto& field : dynamic_fields(circuit.kind)) table.number(circuit.dynamics, field);
  for (const std::string& unit : names_in_order(table, "units", "unit_order"))
    circuit.units.push_back(read_unit(table.below("units." + unit), circuit, unit));
  check_roles(table, circuit);
  read_second_layer(table, circuit);
  return circuit;
}

}  // namespace amacrine::recording
