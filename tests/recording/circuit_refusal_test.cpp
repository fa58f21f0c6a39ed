// SPDX-License-Identifier: Apache-2.0
// What no circuit can be made of is refused with its place, what was expected, and what to do.
#include "circuit_texts.hpp"

namespace amacrine::recording {
namespace {

using namespace definitions;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// `place`: file and line; of a table, the line of its first key in alphabetical order.
void expect_refused(const std::string& text, const std::string& place, const std::string& words) {
  SCOPED_TRACE(words);
  EXPECT_THAT([&] { parse_circuits(text, "my.toml"); },
              ThrowsMessage<core::StudyError>(AllOf(HasSubstr(place), HasSubstr(words))));
}

TEST(CircuitRefusal, NamesFileKeyAndExpectation) {
  const auto wrong = [](const std::string& what, const std::string& by, const std::string& place, const std::string& words) {
    expect_refused(replaced(mine, what, by), place, words);
  };
  wrong("sigma_px = 1.5", "sigma_px = -1.5", "my.toml:10",
        "'simulation.circuits.mine.units.exc.sigma_px' is -1.5; expected a number from 0.2 to 1000 px");
  wrong("peak_ms = 70", "peak_ms = -70", "my.toml:9", "peak_ms' is -70; expected a number from 0.1 to 10000 ms");
  wrong("peak_ms = 70", "peak_ms = \"70\"", "my.toml:9", "must be a number, but is the text");
  wrong("order = 4", "order = 0", "my.toml:8", "order' is 0; expected a number from 0.01 to 100");
  wrong("order = 4", "order = inf", "my.toml:8", "order' is inf");
  wrong("weight_hz = 120", "weight_hz = nan", "my.toml:7", "weight_hz' is nan; expected a number from -1000000 to 1000000 Hz");
  wrong("weight_hz = 120", "weight_hz = 0", "my.toml:7", "is 0, so the unit does nothing; give it a weight, or leave it out");
  wrong("bias = -0.1", "bias = nan", "my.toml:14", "bias' is nan; expected a number from -1000 to 1000 (contrast)");
  wrong("offset_hz = 1.5", "offset_hz = nan", "my.toml:4", "offset_hz' is nan");
  wrong("offset_hz = 1.5", "ofset_hz = 1.5", "my.toml:4",
        "unknown key 'simulation.circuits.mine.ofset_hz'; did you mean 'simulation.circuits.mine.offset_hz'?");
  wrong("order = 4", "ordr = 4", "my.toml:8",
        "'simulation.circuits.mine.units.exc.order' is missing; expected a number from 0.01 to 100");
  wrong("polarity = \"ON\"", "polarity = \"on\"", "my.toml:6", "expected one of ON, OFF (did you mean \"ON\"?)");
  wrong("polarity = \"ON\"\n", "", "my.toml:7",
        "'simulation.circuits.mine.units.exc.polarity' is missing; expected one of ON, OFF");
  wrong("undershoot_peak_ms = 210\n", "", "my.toml:14", "undershoot_peak_ms' is missing");
  wrong("surround_sigma_px = 5\n", "", "my.toml:14", "surround_sigma_px' is missing");
  wrong("surround_sigma_px = 5", "surround_sigma_px = 0", "my.toml:22",
        "surround_sigma_px' is 0; expected a number from 0.2 to 1000 px");
  wrong("window_px = 21", "window_px = 2.5", "my.toml:25", "must be a whole number");
  wrong("window_px = 21", "window_px = -1", "my.toml:25", "window_px' is -1; expected a number from 0 to 1000 px");
  wrong("dx_px = -1.5", "dx_px = inf", "my.toml:23", "dx_px' is inf");
  wrong("weight_hz = 120", "weight_hz = 120\nsign = \"excitatory\"", "my.toml:8",
        "unknown key 'simulation.circuits.mine.units.exc.sign'");
}

TEST(CircuitRefusal, OfWhatACircuitIsMadeOf) {
  expect_refused("[simulation.circuits.none]\nkind = \"feed_forward\"\n", "my.toml:2",
                 "the circuit has no units; give it tables [simulation.circuits.none.units.NAME]");
  expect_refused(replaced(mine, "kind = \"feed_forward\"", "kind = \"feedforward\""), "my.toml:3",
                 "did you mean \"feed_forward\"?");
  expect_refused(replaced(mine, "kind = \"feed_forward\"\n", ""), "my.toml:3",
                 "'simulation.circuits.mine.kind' is missing; expected one of feed_forward, two_layers");
  expect_refused(replaced(mine, "kind = \"feed_forward\"", "kind = \"feed_forward\"\nunit_order = [\"exc\", \"exc\"]"),
                 "my.toml:4", "unit_order' is [exc, exc]; expected every one of exc, a_wide once: leave it out");
  expect_refused("[simulation.circuits.\"a b\"]\nkind = \"feed_forward\"\n", "my.toml:2",
                 "'a b' cannot name a circuit; expected letters, digits, _ and - only");
  expect_refused(replaced(two_layered, "units.I]", "units.\"I,1\"]"), "my.toml:13", "'I,1' cannot name a unit");
  expect_refused(mine + "[simulation.circuits.mine.second_layer.M]\nweight_hz = 1\n", "my.toml:27",
                 "but the circuit's kind is \"feed_forward\"; set kind = \"two_layers\", or remove it");
  expect_refused(replaced(two_layered, "[1, -1.25]", "[1, -1, 2]"), "my.toml:19",
                 "weights' holds 3 numbers; expected 2, one for each unit in their order");
  expect_refused(replaced(two_layered, "[1, -1.25]", "[1, nan]"), "my.toml:19", "weights' is nan");
  expect_refused(replaced(two_layered, "weights = [1, -1.25]\n", ""), "my.toml:18", "weights' holds 0 numbers");
  expect_refused(replaced(two_layered, "second_layer.M", "second_layer.E"), "my.toml:18",
                 "'E' is a unit of the first layer, too; give units of the second names of their own");
  expect_refused(two_layered.substr(0, two_layered.find("[simulation.circuits.deep.second")), "my.toml:3",
                 "the circuit has no second layer; give it tables [simulation.circuits.deep.second_layer.NAME]");
  expect_refused(replaced(two_layered, "sign = \"inhibitory\"\n", ""), "my.toml:12",
                 "sign' is missing; expected one of excitatory, inhibitory");
  expect_refused(replaced(two_layered, "sign = \"inhibitory\"", "sign = \"inhibitory\"\nweight_hz = -3"), "my.toml:13",
                 "unknown key");
  // Both bumps alike: nothing is left of the time course.
  expect_refused(
      replaced(replaced(replaced(mine, "undershoot = 0.4", "undershoot = 1"), "undershoot_order = 7", "undershoot_order = 2.5"),
               "undershoot_peak_ms = 210", "undershoot_peak_ms = 110"),
      "my.toml:14", "the time course of 'a_wide' is zero at every lag up to 390 ms; change order, peak_ms or undershoot");
}

TEST(CircuitRefusal, OfDynamicKinds) {
  const std::string roles =
      "has two units, one with sign = \"inhibitory\" and one with sign = \"excitatory\" and weight_hz above 0; found ";
  expect_refused(replaced(depressing, "sign = \"inhibitory\"", "sign = \"excitatory\"\nweight_hz = 2"), "my.toml",
                 roles + "2 units");
  expect_refused(replaced(depressing, "weight_hz = 200", "weight_hz = -200"), "my.toml", roles + "2 units");
  expect_refused(depressing.substr(0, depressing.find("[simulation.circuits.tired.units.inh")), "my.toml", roles + "1 units");
  expect_refused(replaced(depressing, "recovery_ms = 300", "recovery_ms = -300"), "my.toml:5",
                 "recovery_ms' is -300; expected a number from 0.1 to 1000000 ms");
  expect_refused(replaced(depressing, "recovery_ms = 300", "gain_hz = 300"), "my.toml:5",
                 "unknown key 'simulation.circuits.tired.gain_hz'");
  expect_refused(replaced(adapting, "order = 2", "order = 2\nbias = 1"), "my.toml:8",
                 "unknown key 'simulation.circuits.gain.units.in.bias'");
  expect_refused(replaced(adapting, "gain_hz = 250", "offset_hz = 250"), "my.toml:4",
                 "unknown key 'simulation.circuits.gain.offset_hz'");
  expect_refused(
      adapting + replaced(adapting.substr(adapting.find("[simulation.circuits.gain.units")), "units.in", "units.other"),
      "my.toml", "a circuit of kind \"gain_control\" has one unit, its input; found 2");
}

void expect_taken(const std::string& text) {
  SCOPED_TRACE(text);
  EXPECT_NO_THROW(parse_circuits(text, "my.toml"));
}

// Each refusal above that says what to do, mended so.
TEST(CircuitRefusal, AdviceHelps) {
  expect_taken("[simulation.circuits.none]\nkind = \"gain_control\"\n[simulation.circuits.none.units.in]\n" +
               adapting.substr(adapting.find("polarity")));
  expect_taken(replaced(mine, "weight_hz = 120", "weight_hz = 12"));
  const auto unit = mine.find("[simulation.circuits.mine.units.exc]"),
             next = mine.find("[simulation.circuits.mine.units.a_wide]");
  expect_taken(mine.substr(0, unit) + mine.substr(next));
  expect_taken(replaced(mine, "kind = \"feed_forward\"", "kind = \"feed_forward\"\nunit_order = [\"a_wide\", \"exc\"]"));
  expect_taken(replaced(two_layered, "second_layer.M", "second_layer.N"));
  expect_taken(two_layered.substr(0, two_layered.find("[simulation.circuits.deep.second")) +
               "[simulation.circuits.deep.second_layer.M]\nweight_hz = 3\nweights = [1, 2]\n");
  for (const std::string changed : {"order = 3", "undershoot = 0.9"}) {
    const std::string key = changed.substr(0, changed.find(' ')), was = key == "order" ? "order = 2.5" : "undershoot = 0.4";
    std::string text = replaced(replaced(mine, "undershoot_order = 7", "undershoot_order = 2.5"), "undershoot_peak_ms = 210",
                                "undershoot_peak_ms = 110");
    if (key == "order") text = replaced(text, "undershoot = 0.4", "undershoot = 1");
    expect_taken(replaced(text, was, changed));
  }
}

}  // namespace
}  // namespace amacrine::recording
