// SPDX-License-Identifier: Apache-2.0
// A study's own circuits: in its tables, and in files.
#include "amacrine/recording/settings.hpp"
#include "circuit_texts.hpp"
#include "support/compare.hpp"

#include <fstream>

namespace amacrine::recording {
namespace {

using namespace definitions;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// A study beside a folder of files, as a user has them.
class CircuitFiles : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  core::Study study(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    write("study.toml", text);
    return core::Study::from_file(folder_ / "study.toml", overrides);
  }
  SimulationSettings read(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    core::Study made = study(text, overrides);
    SimulationSettings settings = read_simulation(made);
    made.require_all_read();
    return settings;
  }
  std::string hash(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    core::Study made = study(text, overrides);
    read_simulation(made);
    return made.hash({"simulation", "!simulation.circuit_files"});
  }
  void expect_refused(const std::string& text, const std::string& place, const std::string& words) const {
    EXPECT_THAT([&] { read(text); }, ThrowsMessage<core::StudyError>(AllOf(HasSubstr(place), HasSubstr(words))));
  }
  test::TemporaryFolder folder_;
  const std::string named_ = "[simulation]\ncircuit_files = [\"my.toml\"]\n",
                    cell_ = "[simulation.cells.a]\ncircuit = \"mine\"\n";
};

TEST_F(CircuitFiles, AStudyDefinesItsOwnOrNamesTheirFile) {
  const SimulationSettings inside = read(cell_ + mine);
  write("my.toml", mine + adapting);
  const SimulationSettings beside = read(named_ + cell_);
  ASSERT_EQ(beside.circuits.size(), 2u);
  expect_equal(beside.circuits[0], inside.circuit_of(inside.cells[0]));
  expect_equal(beside.circuit_of(beside.cells[0]), inside.circuits[0]);
  EXPECT_EQ(beside.circuit_of({"b", "osr", 0, 0}).units[0].weight, -478);
  EXPECT_THROW(beside.circuit_of({"b", "nobody", 0, 0}), core::InputError);
  // A cell of the circuit's name needs no key.
  EXPECT_EQ(read("[simulation.cells.mine]\n" + mine).cells[0].circuit, "mine");
  EXPECT_EQ(read(named_ + "[simulation.cells.gain]\ny = 20\n").cells[0].circuit, "gain");
}

TEST_F(CircuitFiles, OverridesApplyToThemToo) {
  write("my.toml", mine);
  const std::vector<std::string> change{"simulation.circuits.mine.units.exc.weight_hz=77"};
  EXPECT_EQ(read(named_ + cell_, change).circuits[0].units[0].weight, 77);
  EXPECT_THAT([&] { read(named_ + cell_, {"simulation.circuits.mine.units.exc.weight_hz=nan"}); },
              ThrowsMessage<core::StudyError>(AllOf(HasSubstr("command line"), HasSubstr("weight_hz' is nan"))));
  EXPECT_THAT([&] { read(named_ + cell_, {"simulation.circuits.mine.units.exc.wight_hz=7"}); },
              ThrowsMessage<core::StudyError>(AllOf(HasSubstr("command line"), HasSubstr("unknown key"))));
  EXPECT_EQ(read(named_ + cell_, {"simulation.circuits.mine.unit_order=[a_wide, exc]"}).circuits[0].units[0].name, "a_wide");
}

TEST_F(CircuitFiles, TheHashIsThatOfTheDefinitionWhereverItStands) {
  const std::string inside = hash(cell_ + mine);
  write("my.toml", "# a comment\n" + mine);
  write("same.toml", mine);
  const std::string other = "[simulation]\ncircuit_files = [\"same.toml\"]\n" + cell_;
  EXPECT_EQ(hash(named_ + cell_), inside);
  EXPECT_EQ(hash(other), inside);
  EXPECT_NE(hash(named_ + cell_, {"simulation.circuits.mine.units.exc.weight_hz=119"}), inside);
  write("my.toml", replaced(mine, "sigma_px = 1.5", "sigma_px = 1.50001"));
  EXPECT_NE(hash(named_ + cell_), inside);
  // The order of the units is the order in which their drives are added up.
  const auto unit = mine.find("[simulation.circuits.mine.units.exc]"),
             next = mine.find("[simulation.circuits.mine.units.a_wide]");
  write("my.toml", mine.substr(0, unit) + mine.substr(next) + mine.substr(unit, next - unit));
  EXPECT_NE(hash(named_ + cell_), inside);
  write("my.toml", replaced(mine, "kind = \"feed_forward\"", "kind = \"feed_forward\"\nunit_order = [\"exc\", \"a_wide\"]"));
  EXPECT_EQ(hash(named_ + cell_), inside);
}

TEST_F(CircuitFiles, TheResolvedStudyNeedsNoFiles) {
  write("my.toml", mine + two_layered);
  core::Study made = study(named_ + cell_ + "[simulation.cells.b]\ncircuit = \"deep\"\n");
  const SimulationSettings first = read_simulation(made);
  core::Study again = core::Study::from_text(made.resolved({"simulation", "!simulation.circuit_files"}), "resolved");
  const SimulationSettings second = read_simulation(again);
  EXPECT_NO_THROW(again.require_all_read());
  ASSERT_EQ(second.cells.size(), 2u);
  for (const SimulatedCell& cell : first.cells) expect_equal(second.circuit_of(cell), first.circuit_of(cell));
}

TEST_F(CircuitFiles, NamesThatAreTakenAreRefused) {
  expect_refused(replaced(mine, "circuits.mine]", "circuits.osr]"), "study.toml",
                 "the program has a circuit 'osr' of its own; give yours another name");
  write("my.toml", mine);
  write("more.toml", mine);
  expect_refused(named_ + cell_ + mine, "my.toml:3", "the circuit 'mine' is defined in");
  expect_refused("[simulation]\ncircuit_files = [\"my.toml\", \"more.toml\"]\n", "more.toml",
                 "another file defines the circuit 'mine', too; give one of them another name");
}

TEST_F(CircuitFiles, FilesThatAreNoneAreRefused) {
  expect_refused(named_, "study.toml:2",
                 "names my.toml, but there is no such file; write its path as seen from the folder the program runs in");
  write("my.toml", "");
  expect_refused(named_, "my.toml", "expected tables [simulation.circuits.NAME], but there is none");
  write("my.toml", mine + "[simulation]\nseed = 3\n");
  expect_refused(named_ + cell_, "my.toml:27", "unknown key 'simulation.seed'");
  write("my.toml", mine + "[[simulation.circuits.mine.list]]\na = 1\n");
  expect_refused(named_, "my.toml", "lists of tables are not used");
  expect_refused("[simulation]\ncircuit_files = \"my.toml\"\n", "study.toml:2", "must be a list");
  expect_refused("[simulation.cells.a]\ncircuit = \"mien\"\n" + mine, "study.toml:2",
                 "two_layers, mine (did you mean \"mine\"?)");
}

TEST_F(CircuitFiles, AdviceHelps) {
  const std::string renamed = [] {
    std::string text = mine;
    for (auto at = text.find("circuits.mine"); at != std::string::npos; at = text.find("circuits.mine", at + 1))
      text.replace(at, 13, "circuits.yours");
    return text;
  }();
  write("my.toml", mine);
  write("more.toml", renamed);
  EXPECT_NO_THROW(read(named_ + cell_ + renamed));
  EXPECT_NO_THROW(read("[simulation]\ncircuit_files = [\"my.toml\", \"more.toml\"]\n" + cell_));
  EXPECT_NO_THROW(read("[simulation]\ncircuit_files = [\"" + folder_ / "my.toml" + "\"]\n" + cell_));
}

}  // namespace
}  // namespace amacrine::recording
