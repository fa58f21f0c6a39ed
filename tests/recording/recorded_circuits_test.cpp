// SPDX-License-Identifier: Apache-2.0
// The circuits that a recording carries.
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/simulation.hpp"
#include "circuit_texts.hpp"
#include "support/compare.hpp"

namespace amacrine::recording {
namespace {

using namespace definitions;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

SimulationSettings short_recording(const std::vector<std::string>& circuits, const std::string& own) {
  SimulationSettings settings;
  settings.train_minutes = 1.0 / 30;
  settings.test_seconds = 1;
  settings.repeats = 10;
  settings.circuits = own.empty() ? std::vector<Circuit>{} : parse_circuits(own, "own");
  for (const std::string& name : circuits) settings.cells.push_back({"cell of " + name, name, 25, 24});
  return settings;
}

std::string simulate(const test::TemporaryFolder& folder, const SimulationSettings& settings) {
  const std::string path = folder / "recording.h5";
  simulate_recording(parallel::Communicator::world(), settings, path, io::Provenance{});
  return path;
}

/// A file with attributes of a recording, and nothing else.
std::string attributes(const test::TemporaryFolder& folder, const std::map<std::string, std::string>& texts) {
  const std::string path = folder / "attributes.h5";
  io::ResultWriter writer(parallel::Communicator::world(), path, "recording", io::Provenance{});
  for (const auto& [name, text] : texts) writer.attribute(name, text);
  writer.create();
  writer.finish();
  return path;
}

TEST(RecordedCircuits, AreThoseOfTheSimulationForEveryCell) {
  const test::TemporaryFolder folder;
  const SimulationSettings settings =
      short_recording({"mine", "osr", "deep", "mine", "tired", "gain"}, mine + two_layered + depressing + adapting);
  const io::Reader file(simulate(folder, settings));
  const std::vector<Circuit> recorded = recorded_circuits(file);
  ASSERT_EQ(recorded.size(), settings.cells.size());
  for (std::size_t n = 0; n < recorded.size(); ++n) expect_equal(recorded[n], settings.circuit_of(settings.cells[n]));
  EXPECT_THAT(file.text_attribute("circuit_definitions"),
              AllOf(HasSubstr("[simulation.circuits.osr]"), HasSubstr("kind = \"two_layers\"")));
  // What was planted, unit by unit, and the rates are those of these circuits.
  EXPECT_EQ(file.read_strings("unit")[1], "cell of mine/a_wide");
  EXPECT_EQ(file.read<std::int32_t>("simulated/unit_sign")[1], -1);
  const Recording recording = load_recording(file.path(), {});
  core::Array<float, 3> contrast({recording.test.movie.frames(), 50, 50});
  for (std::size_t t = 0; t < recording.test.movie.frames(); ++t)
    recording.test.movie.contrast(t, recording.coding, contrast.row(t).data());
  for (std::size_t n = 0; n < recorded.size(); ++n)
    EXPECT_LE(
        test::relative_error(recording.test.noiseless.row(n), respond(recorded[n], contrast, recording.screen, {25, 24}).rate_hz),
        1e-6)
        << recorded[n].name;
}

// Attributes of the first file formats end at 64 KB.
TEST(RecordedCircuits, AreReadHoweverManyUnitsTheyHave) {
  const test::TemporaryFolder folder;
  std::string many = "[simulation.circuits.many]\nkind = \"feed_forward\"\n";
  for (int i = 0; i < 500; ++i)
    many += "[simulation.circuits.many.units.U" + std::to_string(i) +
            "]\npolarity = \"ON\"\nweight_hz = 0.1\norder = 3\npeak_ms = " + std::to_string(50 + i % 7) + "\nsigma_px = 1.5\n";
  const SimulationSettings settings = short_recording({"many"}, many);
  const io::Reader file(simulate(folder, settings));
  EXPECT_GT(file.text_attribute("circuit_definitions").size(), 65536u);
  expect_equal(recorded_circuits(file).at(0), settings.circuits[0]);
}

TEST(RecordedCircuits, AnOlderRecordingHasTheProgramsOwn) {
  const test::TemporaryFolder folder;
  const std::vector<Circuit> found = recorded_circuits(io::Reader(attributes(folder, {{"circuits", "latency,osr"}})));
  ASSERT_EQ(found.size(), 2u);
  expect_equal(found[0], circuit("latency"));
  expect_equal(found[1], circuit("osr"));
  EXPECT_TRUE(recorded_circuits(io::Reader(attributes(folder, {{"cells", "one,two"}}))).empty());
}

TEST(RecordedCircuits, AreNotTheProgramsOwnOfTheSameName) {
  const test::TemporaryFolder folder;
  std::string changed = circuit_text(circuit("osr"));
  changed = replaced(changed, "weight_hz = -478.0", "weight_hz = -400.0");
  const auto found = recorded_circuits(io::Reader(attributes(folder, {{"circuits", "osr"}, {"circuit_definitions", changed}})));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].units[0].weight, -400);
}

TEST(RecordedCircuits, AreRefusedByName) {
  const test::TemporaryFolder folder;
  const auto refused = [&](const std::map<std::string, std::string>& texts) {
    return [&folder, texts] { recorded_circuits(io::Reader(attributes(folder, texts))); };
  };
  EXPECT_THAT(refused({{"circuits", "osr,mine"}}),
              ThrowsMessage<core::InputError>(AllOf(HasSubstr("attributes.h5: cell 1 was simulated with the circuit 'mine'"),
                                                    HasSubstr("run `amacrine simulate` again with a study that defines it"))));
  EXPECT_THAT(refused({{"circuits", "mine"}, {"circuit_definitions", replaced(mine, "order = 4", "order = -4")}}),
              ThrowsMessage<core::InputError>(
                  AllOf(HasSubstr("attributes.h5: attribute circuit_definitions:8"), HasSubstr("order' is -4"))));
  EXPECT_THAT(refused({{"circuits", "mine"}, {"circuit_definitions", "[simulation"}}),
              ThrowsMessage<core::InputError>(HasSubstr("not valid TOML")));
}

TEST(RecordedCircuits, ACellOffTheScreenIsRefusedBeforeItIsSimulated) {
  const SimulationSettings settings = short_recording({"mine"}, replaced(mine, "dx_px = -1.5", "dx_px = -90"));
  EXPECT_THAT([&] { plan_simulation(settings); },
              ThrowsMessage<core::InputError>(AllOf(HasSubstr("off the 50 x 50 screen"), HasSubstr("place the cell on it"))));
  const auto with_surround = [](const std::string& share) {
    return short_recording({"mine"}, replaced(mine, "surround = 0.3", "surround = " + share));
  };
  EXPECT_THAT([&] { plan_simulation(with_surround("9")); },
              ThrowsMessage<core::InputError>(
                  HasSubstr("or its surround outweighs its centre; place the cell on it, or make the surround smaller")));
  EXPECT_NO_THROW(plan_simulation(with_surround("0.9")));  // the advice
}

}  // namespace
}  // namespace amacrine::recording
