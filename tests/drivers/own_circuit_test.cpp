// SPDX-License-Identifier: Apache-2.0
// Circuits of a study's own, from the simulation to the probe and the attribution.
#include "amacrine/recording/circuit_definition.hpp"
#include "amacrine/stimulus/phenomena.hpp"
#include "drivers/small_study.hpp"
#include "drivers/subjects.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using namespace test_study;
using testing::HasSubstr;

/// One without a state, whose second unit is displaced, and one with a state.
const std::string circuits = R"(
[simulation.circuits.mine]
kind = "feed_forward"
offset_hz = 1.5
[simulation.circuits.mine.units.exc]
polarity = "OFF"
weight_hz = 120
order = 4
peak_ms = 70
sigma_px = 1.5
[simulation.circuits.mine.units.inh]
polarity = "OFF"
weight_hz = -60
bias = 0.05
order = 3
peak_ms = 120
sigma_px = 2.5
dx_px = 3
[simulation.circuits.tired]
kind = "depressing_inhibition"
offset_hz = -30
recovery_ms = 250
[simulation.circuits.tired.units.inh]
polarity = "OFF"
sign = "inhibitory"
bias = -0.2
order = 9
peak_ms = 44
sigma_px = 1.6
[simulation.circuits.tired.units.exc]
polarity = "ON"
sign = "excitatory"
weight_hz = 200
bias = 0.15
order = 2
peak_ms = 40
sigma_px = 1.6
)";
const std::string cells = R"(
[simulation.cells.first]
circuit = "mine"
y = 22.5
x = 26.5
[simulation.cells.second]
circuit = "tired"
[simulation.cells.third]
circuit = "latency"
)";
const std::string probes = R"(
[probe]
subjects = ["circuit"]
families = ["osr", "anticipation"]
osr_periods_ms = [80, 100]
flash_positions_px = [0.0]
[attribution]
subjects = ["circuit"]
stimuli = ["osr/period_ms=100"]
panels = 8
after_ms = 100
)";
const std::string sizes = "train_minutes = 0.05\ntest_seconds = 2\nrepeats = 10\n";

class OwnCircuit : public testing::Test {
 protected:
  Context context(const std::string& tables) const {
    return make_context(parallel::Communicator::world(), folder_.path(), tables);
  }
  std::string study_hash() const { return io::Reader(folder_ / "recording.h5").provenance().study_hash; }
  /// The hash of a recording made anew.
  std::string simulated(const std::string& tables) const {
    Context made = context(tables);
    made.options.overwrite = true;
    simulate(made);
    return study_hash();
  }
  test::TemporaryFolder folder_;
};

/// Compares every answer of the probed circuits with the circuits themselves, simulated apart from any network.
void expect_answers(const std::string& path, const Context& context, const std::vector<PlantedCell>& planted) {
  const io::Reader file(path);
  const auto rates = file.read<float>("rate");
  const auto shape = file.shape("rate");  // (condition, cell, time)
  const auto shown = stimulus::catalogue(context.settings.probe, stimulus::Screen{});
  ASSERT_EQ(shape[0], shown.size());
  ASSERT_EQ(shape[1], planted.size());
  std::vector<double> largest(planted.size(), 0.0);
  for (std::size_t k = 0; k < shown.size(); ++k)
    for (std::size_t n = 0; n < planted.size(); ++n) {
      const auto movie = stimulus::render(shown[k], stimulus::Screen{}, planted[n].centre).contrast;
      const auto wanted = recording::respond(planted[n].circuit, movie, stimulus::Screen{}, planted[n].centre).rate_hz;
      const float* ours = &rates[(k * shape[1] + n) * shape[2]];
      EXPECT_LE(test::relative_error(std::vector<float>(ours, ours + wanted.size()), wanted), 1e-5)
          << shown[k].name << ", cell " << n;
      largest[n] = std::max(largest[n], *std::max_element(wanted.begin(), wanted.end()));
    }
  for (std::size_t n = 0; n < planted.size(); ++n) EXPECT_GT(largest[n], 10) << "cell " << n << " answers nothing";
}

TEST_F(OwnCircuit, IsProbedAsTheRecordingHasItWhateverTheStudySaysLater) {
  Context first = context("[simulation]\n" + sizes + cells + circuits + probes);
  simulate(first);
  // The verbs after it have a study without the circuits: the recording is all they need.
  Context later = context(probes);
  probe(later);
  const auto own = recording::parse_circuits(circuits, "own");
  expect_answers(folder_ / "responses_circuit.h5", later,
                 {{own[0], {22.5, 26.5}}, {own[1], {24.5, 24.5}}, {recording::circuit("latency"), {24.5, 24.5}}});
}

// Kernels that are not cut, displaced both ways, and units of the second layer that inhibit.
TEST_F(OwnCircuit, OfTwoLayersAndOfGainControlAreProbed) {
  const std::string deep = R"(
[simulation.circuits.deep]
kind = "two_layers"
offset_hz = 3
[simulation.circuits.deep.units.E]
polarity = "OFF"
sign = "excitatory"
order = 3
peak_ms = 70
sigma_px = 1.3
dx_px = 1.5
dy_px = -2
[simulation.circuits.deep.units.I]
polarity = "ON"
sign = "inhibitory"
bias = 0.1
order = 6
peak_ms = 110
sigma_px = 2.2
[simulation.circuits.deep.second_layer.plus]
weight_hz = 300
weights = [1, -0.5]
[simulation.circuits.deep.second_layer.minus]
weight_hz = -40
bias = -0.05
weights = [0.3, 1]
[simulation.circuits.gain]
kind = "gain_control"
gain_hz = 250
[simulation.circuits.gain.units.in]
polarity = "OFF"
order = 2
peak_ms = 60
sigma_px = 2
surround = 0.4
surround_sigma_px = 5
)";
  Context made = context("[simulation]\n" + sizes +
                         "[simulation.cells.deep]\ny = 23\n[simulation.cells.gain]\n[simulation.cells.osr]\n" + deep + probes);
  simulate(made);
  probe(made);
  const auto own = recording::parse_circuits(deep, "own");
  expect_answers(folder_ / "responses_circuit.h5", made,
                 {{own[0], {23, 24.5}}, {own[1], {24.5, 24.5}}, {recording::circuit("osr"), {24.5, 24.5}}});
}

TEST_F(OwnCircuit, IsAttributedExactly) {
  Context made = context("[simulation]\n" + sizes + cells + circuits + probes);
  simulate(made);
  attribute(made);
  const io::Reader file(folder_ / "attributions_circuit.h5");
  // The cell with a state is left out; the others' units are channels of one network.
  EXPECT_THAT(file.read_strings("cell"), testing::ElementsAre("first", "third"));
  EXPECT_THAT(file.read_strings("channel"), testing::ElementsAre("first/exc", "first/inh", "third/OFF_exc", "third/ON_inh"));
  // Each row against the exact attribution, which has one unit for each channel.
  const auto ours = file.read<double>("attribution");  // (window, cell, channel)
  const auto frames = file.read<std::int32_t>("window_frame"), stimulus_of = file.read<std::int32_t>("window_stimulus");
  const auto names = file.read_strings("stimulus");
  const recording::Circuit own = recording::parse_circuits(circuits, "own")[0];
  ASSERT_EQ(names.size(), 1U);
  const auto shown = stimulus::catalogue(made.settings.probe, stimulus::Screen{});
  const auto condition = std::find_if(shown.begin(), shown.end(), [&](const auto& each) { return each.name == names[0]; });
  ASSERT_NE(condition, shown.end());
  const stimulus::Centre centre{22.5, 26.5};
  const auto movie = stimulus::render(*condition, stimulus::Screen{}, centre).contrast;
  double largest = 0;
  for (std::size_t w = 0; w < frames.size(); ++w) {
    const auto wanted =
        recording::attribute(own, movie, stimulus::Screen{}, centre, static_cast<std::size_t>(frames[w])).attribution_hz;
    for (std::size_t u = 0; u < 2; ++u) {
      EXPECT_TRUE(std::abs(ours[(w * 2 + 0) * 4 + u] - wanted[u]) <= 0.01 * (std::abs(wanted[0]) + std::abs(wanted[1])) + 0.1)
          << "window " << w << ", unit " << u;
      largest = std::max(largest, std::abs(wanted[u]));
    }
  }
  EXPECT_GT(largest, 5);
}

TEST_F(OwnCircuit, ItsDefinitionIsPartOfWhatTheRecordingIs) {
  const std::string study = "[simulation]\n" + sizes + cells;
  const std::string inside = simulated(study + circuits);
  const auto with_file = [&](const std::string& text, const std::string& name) {
    std::ofstream(folder_ / name) << text;
    return simulated("[simulation]\ncircuit_files = [\"" + folder_ / name + "\"]\n" + sizes + cells);
  };
  EXPECT_EQ(with_file(circuits, "a.toml"), inside);
  EXPECT_EQ(with_file(circuits, "b.toml"), inside);
  std::string changed = circuits;
  changed.replace(changed.find("recovery_ms = 250"), 17, "recovery_ms = 251");
  EXPECT_NE(with_file(changed, "c.toml"), inside);
  EXPECT_NE(simulated(study + changed), inside);
  // One that no cell has makes no difference.
  const std::string more =
      "[simulation.circuits.more]\nkind = \"gain_control\"\n[simulation.circuits.more.units.in]\npolarity = \"ON\"\n"
      "order = 2\npeak_ms = 60\nsigma_px = 2\n";
  EXPECT_EQ(simulated(study + circuits + more), inside);
  Context other = context(study + changed);
  EXPECT_THROW(simulate(other), core::RefusedError);
}

TEST_F(OwnCircuit, ACircuitThatNobodyDefinesAnyMoreIsRefusedByName) {
  const std::string path = folder_ / "recording.h5";
  io::ResultWriter writer(parallel::Communicator::world(), path, "recording", io::Provenance{});
  writer.attribute("circuits", "osr,mine");
  writer.create();
  writer.finish();
  try {
    planted_cells(path, {});
    FAIL();
  } catch (const core::InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cell 1 was simulated with the circuit 'mine'"));
  }
}

}  // namespace
}  // namespace amacrine::drivers
