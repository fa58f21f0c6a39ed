// SPDX-License-Identifier: Apache-2.0
// Circuits as tables of TOML files: read, and written.
#include "circuit_support.hpp"
#include "circuit_texts.hpp"

#include <cmath>
#include <limits>
#include <map>

namespace amacrine::recording {
namespace {

using namespace definitions;

TEST(CircuitDefinition, EveryKeyMeansItsParameter) {
  const std::vector<Circuit> read = parse_circuits(mine + depressing, "mine.toml");
  ASSERT_EQ(read.size(), 2u);
  Circuit wanted;
  wanted.name = "mine";
  wanted.offset_hz = 1.5;
  wanted.units.resize(2);
  CircuitUnit &exc = wanted.units[0], &wide = wanted.units[1];
  exc.name = "exc", exc.weight = 120, exc.n1 = 4, exc.p1_ms = 70, exc.sigma_centre_px = 1.5;
  wide.name = "a_wide", wide.excitatory = false, wide.polarity = -1, wide.weight = -80.5, wide.bias = -0.1;
  wide.n1 = 2.5, wide.p1_ms = 110, wide.rho = 0.4, wide.n2 = 7, wide.p2_ms = 210;
  wide.sigma_centre_px = 2, wide.kappa = 0.3, wide.sigma_surround_px = 5, wide.dx_px = -1.5, wide.dy_px = 2, wide.window_px = 21;
  expect_equal(read[0], wanted);
  // The engine wants the inhibition first, whatever the file's order; what is not said has its default.
  EXPECT_EQ(read[1].units[0].name, "inh");
  EXPECT_EQ(read[1].units[1].name, "exc");
  EXPECT_EQ(read[1].dynamics.recovery_ms, 300);
  EXPECT_EQ(read[1].dynamics.membrane_ms, 30);
  EXPECT_EQ(parse_circuits(two_layered, "")[0].second[0].weights, (std::vector<double>{1, -1.25}));
  EXPECT_EQ(parse_circuits(adapting, "")[0].dynamics.gain_hz, 250);
}

TEST(CircuitDefinition, TextReadsBackAsTheSameNumbers) {
  for (const std::string& name : circuit_names()) {
    const std::vector<Circuit> again = parse_circuits(circuit_text(circuit(name)), name);
    ASSERT_EQ(again.size(), 1u) << name;
    expect_equal(again[0], circuit(name));
  }
  std::vector<Circuit> four = parse_circuits(mine + two_layered + depressing + adapting, "");
  // Numbers whose shortest decimal form is long, tiny or huge.
  four[0].offset_hz = 0.1 + 0.2, four[0].units[0].bias = -1.0 / 3, four[0].units[0].weight = 1e-300;
  four[0].units[1].dx_px = std::nextafter(3.0, 4.0), four[0].units[1].weight = -123456.789012345678;
  four[1].second[0].weights = {std::numeric_limits<double>::denorm_min(), -1e5}, four[3].dynamics.gain_hz = 1e6;
  std::string text;
  for (const Circuit& each : four) text += circuit_text(each);
  const std::vector<Circuit> again = parse_circuits(text, "");
  ASSERT_EQ(again.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) expect_equal(again[i], four[i]);
}

double constant(const CircuitDynamics& d, const std::string& key) {
  const std::map<std::string, double> all{{"recovery_ms", d.recovery_ms},
                                          {"release_per_ms", d.release_per_ms},
                                          {"inhibition_ms", d.inhibition_ms},
                                          {"inhibition_hz", d.inhibition_hz},
                                          {"membrane_ms", d.membrane_ms},
                                          {"adaptation_ms", d.adaptation_ms},
                                          {"feedback_per_ms", d.feedback_per_ms},
                                          {"gain_hz", d.gain_hz},
                                          {"threshold", d.threshold}};
  return all.at(key);
}

void expect_published(const CircuitUnit& unit, const nlohmann::json& wanted) {
  SCOPED_TRACE(unit.name);
  EXPECT_EQ(unit.name, wanted["name"]);
  EXPECT_EQ(unit.polarity, wanted["pol"]);
  EXPECT_EQ(unit.n1, wanted["n1"]);
  EXPECT_EQ(unit.p1_ms, wanted["p1"]);
  EXPECT_EQ(unit.rho, wanted["rho"]);
  if (unit.rho != 0) {
    EXPECT_EQ(unit.n2, wanted["n2"]);
    EXPECT_EQ(unit.p2_ms, wanted["p2"]);
  }
  EXPECT_EQ(unit.bias, wanted["bias"]);
  EXPECT_EQ(unit.weight, wanted.value("weight", unit.weight));
  EXPECT_EQ(unit.excitatory, wanted["role"] == "excitatory");
  EXPECT_EQ(unit.sigma_centre_px, wanted["sigma_c"]);
  EXPECT_EQ(unit.kappa, wanted["kappa"]);
  EXPECT_EQ(unit.sigma_surround_px, wanted["sigma_s"]);
  EXPECT_EQ(unit.dx_px, wanted["dx"]);
  EXPECT_EQ(unit.dy_px, wanted["dy"]);
  EXPECT_EQ(unit.window_px, wanted.value("window", 0));
}

// The files of circuits/ against the published parameters.
TEST(CircuitDefinition, TheProgramsOwnHaveThePublishedParameters) {
  const nlohmann::json parameters = published::test_data("circuit_parameters.json");
  ASSERT_EQ(circuit_names().size(), 10u);
  for (const std::string& name : circuit_names()) {
    SCOPED_TRACE(name);
    const nlohmann::json& wanted = parameters.at(name);
    const Circuit& ours = circuit(name);
    EXPECT_EQ(ours.offset_hz, wanted["c"]);
    ASSERT_EQ(ours.units.size(), wanted["units"].size());
    for (std::size_t i = 0; i < ours.units.size(); ++i) expect_published(ours.units[i], wanted["units"][i]);
    for (const auto& [key, value] : wanted["constants"].items()) EXPECT_EQ(constant(ours.dynamics, key), value) << key;
    ASSERT_EQ(ours.second.size(), wanted.value("layer2", nlohmann::json::array()).size());
    for (std::size_t j = 0; j < ours.second.size(); ++j) {
      const nlohmann::json& second = wanted["layer2"][j];
      EXPECT_EQ(ours.second[j].name, second["name"]);
      EXPECT_EQ(ours.second[j].bias, second["bias"]);
      EXPECT_EQ(ours.second[j].weight_hz, second["v"]);
      EXPECT_EQ(ours.second[j].weights, second["w"].get<std::vector<double>>());
    }
  }
}

}  // namespace
}  // namespace amacrine::recording
