// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/study.hpp"

#include "amacrine/core/paths.hpp"
#include "amacrine/core/version.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::core {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string text = R"(name = "first"   # line 1

[training]
learning_rate = 1e-2
batch = 16
epochs = 3
[simulation.cells.b]
kind = "osr"
[simulation.cells.a]
kind = "latency"
place = [25, 25.5]
[simulation]
names = ["x", "y"]
quick = true
)";

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const StudyError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "(no StudyError)";
}

TEST(Study, GivesTypedValuesAndDefaults) {
  Study study = Study::from_text(text);
  EXPECT_EQ(study.get<std::string>("name", ""), "first");
  EXPECT_EQ(study.get<double>("training.learning_rate", 0), 0.01);
  EXPECT_EQ(study.get<double>("training.batch", 0), 16.0) << "a whole number serves as a number";
  EXPECT_EQ(study.get<int>("training.epochs", 0), 3);
  EXPECT_EQ(study.get<std::int64_t>("training.seed", 7), 7);
  EXPECT_TRUE(study.get<bool>("simulation.quick", false));
  EXPECT_THAT(study.get<std::vector<double>>("simulation.cells.a.place", {}), ElementsAre(25.0, 25.5));
  EXPECT_THAT(study.get<std::vector<std::string>>("simulation.names", {}), ElementsAre("x", "y"));
  EXPECT_THAT(study.get<std::vector<int>>("simulation.seeds", {1, 2}), ElementsAre(1, 2));
}

TEST(Study, ListsSubTablesInTheFilesOrder) {
  const Study study = Study::from_text(text, "study", {"simulation.cells.c.kind=step"});
  EXPECT_THAT(study.tables("simulation.cells"), ElementsAre("b", "a", "c"));
  EXPECT_THAT(study.tables("training"), testing::IsEmpty());
  EXPECT_TRUE(study.has("simulation.cells"));
  EXPECT_TRUE(study.has("training.epochs"));
  EXPECT_FALSE(study.has("training.epoch"));
}

TEST(Study, OverridesAreTomlOrPlainWords) {
  Study study = Study::from_text(
      text, "study",
      {"training.learning_rate=3e-3", "training.preset=deep-retina", "simulation.names=[osr, latency]", "training.note=\"a b\"",
       "simulation.cells.b.place=[1, 2]", "probe.when=2024-01-01", "training.epochs=5"});
  EXPECT_EQ(study.get<double>("training.learning_rate", 0), 3e-3);
  EXPECT_EQ(study.get<std::string>("training.preset", ""), "deep-retina");
  EXPECT_THAT(study.get<std::vector<std::string>>("simulation.names", {}), ElementsAre("osr", "latency"));
  EXPECT_EQ(study.get<std::string>("training.note", ""), "a b");
  EXPECT_THAT(study.get<std::vector<int>>("simulation.cells.b.place", {}), ElementsAre(1, 2));
  EXPECT_EQ(study.get<std::string>("probe.when", ""), "2024-01-01");
  EXPECT_EQ(study.where("training.epochs"), "command line");
}

TEST(Study, RefusesWrongOverrides) {
  EXPECT_THAT(message_of([] { Study::from_text(text, "s", {"training"}); }), HasSubstr("expected table.key=value"));
  EXPECT_THAT(message_of([] { Study::from_text(text, "s", {"=3"}); }), HasSubstr("expected table.key=value"));
  EXPECT_THAT(message_of([] { Study::from_text(text, "s", {"training=3"}); }), HasSubstr("it is a table"));
  EXPECT_THAT(message_of([] { Study::from_text(text, "s", {"training.epochs.x=3"}); }),
              HasSubstr("'training.epochs' is a value"));
}

TEST(Study, WrongTypesNameFileLineAndExpectation) {
  Study study = Study::from_text(text, "dir/s.toml", {"training.rate=fast"});
  EXPECT_THAT(message_of([&] { study.get<int>("training.learning_rate", 0); }),
              testing::AllOf(HasSubstr("dir/s.toml:4:"), HasSubstr("'training.learning_rate' must be a whole number"),
                             HasSubstr("0.01")));
  EXPECT_THAT(message_of([&] { study.get<std::string>("training.batch", ""); }), HasSubstr("must be a text"));
  EXPECT_THAT(message_of([&] { study.get<bool>("training.batch", false); }), HasSubstr("must be true or false"));
  EXPECT_THAT(message_of([&] { study.get<double>("training.rate", 0); }),
              HasSubstr("command line: 'training.rate' must be a number"));
  EXPECT_THAT(message_of([&] { study.get<double>("training", 0); }), HasSubstr("but is a table"));
  EXPECT_THAT(message_of([&] { study.get<std::vector<int>>("simulation.names", {}); }), HasSubstr("list"));
  EXPECT_THAT(message_of([&] { study.need<int>("training.missing"); }), HasSubstr("'training.missing' is missing"));
}

TEST(Study, NumbersWithoutAFractionAreWholeNumbers) {
  Study study = Study::from_text("a = 1e5\nb = [1e0, 2.0]\nc = 1.5\nd = 1e300\nf = nan", "s.toml", {"e=2e3"});
  EXPECT_EQ(study.get<int>("a", 0), 100000);
  EXPECT_EQ(study.integer("a", 0, 0, 200000), 100000);
  EXPECT_EQ(study.get<std::int64_t>("e", 0), 2000) << "on the command line, too";
  EXPECT_THAT(study.get<std::vector<int>>("b", {}), ElementsAre(1, 2));
  for (const char* key : {"c", "d", "f"})
    EXPECT_THAT(message_of([&] { study.get<std::int64_t>(key, 0); }), HasSubstr("must be a whole number"));
  EXPECT_THAT(study.resolved(), HasSubstr("a = 100000\n"));
}

TEST(Study, AFolderIsNoStudy) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(message_of([&] { Study::from_file(folder / ""); }),
              testing::AllOf(HasSubstr("is a folder"), HasSubstr("study.toml")));
}

TEST(Paths, InputsAreLookedForHereThenBesideTheStudy) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "movie.h5") << "x";
  const std::string study = folder / "s.toml";
  EXPECT_EQ(input_path("movie.h5", study), folder / "movie.h5");
  EXPECT_EQ(input_path("elsewhere.h5", study), "elsewhere.h5");
  EXPECT_EQ(input_path("", study), "");
  EXPECT_EQ(input_path(folder / "movie.h5", "other/s.toml"), folder / "movie.h5");
  std::ofstream("here_first.h5") << "x";
  std::ofstream(folder / "here_first.h5") << "x";
  EXPECT_EQ(input_path("here_first.h5", study), "here_first.h5");
  std::filesystem::remove("here_first.h5");
}

TEST(Paths, TheTildeIsTheHomeFolder) {
  ::setenv("HOME", "/somewhere", 1);
  EXPECT_EQ(expand_home("~/results"), "/somewhere/results");
  EXPECT_EQ(expand_home("~"), "/somewhere");
  EXPECT_EQ(expand_home("a~b"), "a~b");
  EXPECT_EQ(input_path("~/movie.h5", "x/s.toml"), "/somewhere/movie.h5");
  EXPECT_THROW(expand_home("~other/results"), StudyError);
}

TEST(Study, ChecksRangesAndWords) {
  Study study = Study::from_text("a = 3\nb = nan\nc = \"midpiont\"", "s.toml");
  EXPECT_EQ(study.integer("a", 0, 1, 3), 3);
  EXPECT_THAT(message_of([&] { study.integer("a", 0, 4, 9); }),
              HasSubstr("s.toml:1: 'a' is 3; expected a whole number from 4 to 9"));
  EXPECT_THAT(message_of([&] { study.number("b", 0, 0, 1); }), HasSubstr("s.toml:2:")) << "NaN is in no range";
  EXPECT_THAT(message_of([&] {
                study.choose("c", "x", {"right", "midpoint"});
              }),
              testing::AllOf(HasSubstr("right, midpoint"), HasSubstr("did you mean \"midpoint\"")));
  EXPECT_EQ(study.choose("d", "right", {"right"}), "right");
}

TEST(Study, UnreadKeysAreErrorsWithTheNearestKey) {
  Study study = Study::from_text("[training]\nlearning_rte = 1\nepochs = 2\n", "s.toml", {"training.epoch=1"});
  study.get<double>("training.learning_rate", 0.1);
  study.get<int>("training.epochs", 1);
  const std::string message = message_of([&] { study.require_all_read(); });
  EXPECT_THAT(message, HasSubstr("s.toml:2: unknown key 'training.learning_rte'; did you mean 'training.learning_rate'?"));
  EXPECT_THAT(message, HasSubstr("command line: unknown key 'training.epoch'; did you mean 'training.epochs'?"));
  study.get<int>("training.learning_rte", 0);
  study.get<int>("training.epoch", 0);
  EXPECT_NO_THROW(study.require_all_read());
}

TEST(Study, EmptyTablesNobodyReadsAreErrorsWithTheNearestTable) {
  const auto read = [](const char* toml) {
    Study study = Study::from_text(toml, "s.toml");
    study.get<int>("training.epochs", 1);
    study.get<int>("simulation.cells.osr.y", 1);
    study.require_all_read();
  };
  EXPECT_THAT(message_of([&] { read("a = 1\n[training]\n"); }), testing::Not(HasSubstr("training")));
  EXPECT_THAT(message_of([&] { read("\n[trainin]\n"); }),
              HasSubstr("s.toml:2: unknown table 'trainin'; did you mean 'training'?"));
  EXPECT_THAT(message_of([&] { read("[simulation.cell]\n"); }), HasSubstr("did you mean 'simulation.cells'?"));
  EXPECT_THAT(message_of([&] { read("[training.epochs]\n"); }), HasSubstr("s.toml:1: unknown table 'training.epochs'"));
  EXPECT_NO_THROW(read(""));
  EXPECT_NO_THROW(read("[training]\n[simulation]\n[simulation.cells.osr]\n"));
}

TEST(Study, BrokenTomlNamesTheLine) {
  EXPECT_THAT(message_of([] { Study::from_text("a = 1\nb = = 2\n", "s.toml"); }), HasSubstr("s.toml:2:"));
  EXPECT_THAT(message_of([] { Study::from_text("a = 1\na = 2\n", "s.toml"); }), HasSubstr("s.toml:2:"));
  EXPECT_THAT(message_of([] { Study::from_text("[[a]]\nb = 2\n", "s.toml"); }), HasSubstr("s.toml:1:"));
  EXPECT_THAT(message_of([] { Study::from_file("/nowhere/s.toml"); }), HasSubstr("/nowhere/s.toml"));
}

TEST(Study, ResolvedHoldsDefaultsAndReadsBackTheSame) {
  const auto read = [](Study& study) {
    study.get<double>("b.rate", 3);
    study.get<std::string>("b.note", "a \"quoted\"\\ line\n\x01");
    study.get<double>("b.big", 1e300);
    study.get<double>("b.third", 1.0 / 3.0);
    study.get<std::vector<double>>("a.list", {1, 2.5});
    study.get<std::vector<std::string>>("a.sub.words", {});
    study.get<bool>("top", true);
  };
  Study study = Study::from_text("[b]\nrate = 4\n");
  read(study);
  Study again = Study::from_text(study.resolved());
  read(again);
  again.require_all_read();
  EXPECT_EQ(study.resolved(), again.resolved());
  EXPECT_EQ(again.get<double>("b.third", 0), 1.0 / 3.0);
  EXPECT_EQ(again.get<std::string>("b.note", ""), "a \"quoted\"\\ line\n\x01");
  EXPECT_THAT(study.resolved(), HasSubstr("rate = 4.0\n"));
  EXPECT_EQ(study.resolved({"a"}), "[a]\nlist = [1.0, 2.5]\n\n[a.sub]\nwords = []\n");
}

TEST(Study, HashDependsOnTheNamedTablesOnly) {
  const auto make = [](const std::string& more) {
    Study study = Study::from_text("[a]\nx = 1\n", "study", {more});
    study.get<double>("a.x", 1);
    study.get<double>("b.y", 2);
    return study;
  };
  const Study first = make("a.x=1.0"), second = make("b.y=3"), third = make("a.x=2");
  EXPECT_EQ(first.hash({"a"}).size(), 16u);
  EXPECT_EQ(first.hash({"a"}), second.hash({"a"}));
  EXPECT_NE(first.hash({"a"}), third.hash({"a"}));
  EXPECT_NE(first.hash({"a", "b"}), second.hash({"a", "b"}));
  EXPECT_THAT(study_differences(first.resolved(), second.resolved()), ElementsAre("b.y: 2.0 -> 3.0"));
}

TEST(Study, PartsAreTablesAndKeysLessWhatIsLeftOut) {
  Study study = Study::from_text("[a]\nx = 1\nxy = 2\nfile = \"f\"\n[a.sub]\nz = 3\n[ab]\nw = 4\n");
  for (const char* key : {"a.x", "a.xy", "a.sub.z", "ab.w"}) study.get<int>(key, 0);
  study.get<std::string>("a.file", "");
  EXPECT_EQ(study.resolved({"a", "!a.file"}), "[a]\nx = 1\nxy = 2\n\n[a.sub]\nz = 3\n");
  EXPECT_EQ(study.resolved({"!a.file", "a.x", "a.file"}), "[a]\nx = 1\n");
  EXPECT_EQ(study.resolved({"a.sub", "ab"}), "[a.sub]\nz = 3\n\n[ab]\nw = 4\n");
  EXPECT_EQ(study.resolved({"a", "!a.sub", "!a.x"}), "[a]\nfile = \"f\"\nxy = 2\n");
}

/// Two neighbouring letters in the wrong order are one slip: nearer than two letters too many.
TEST(Words, LettersInTheWrongOrderAreOneSlip) {
  EXPECT_EQ(nearest_word("rtae", {"rtaexy", "rate"}), "rate");
  EXPECT_EQ(nearest_word("learning_rtae", {"learning_rt", "learning_rate"}), "learning_rate");
}

TEST(Study, ListsOfAnyTypeAreReadAsTexts) {
  Study study = Study::from_text("[a]\nx = [1, 2.5, true]\ny = [\"[4, 4]\", \"mse\"]\nz = 3\n");
  EXPECT_THAT(study.texts("a.x"), testing::ElementsAre("1", "2.5", "true"));
  EXPECT_THAT(study.texts("a.y"), testing::ElementsAre("[4, 4]", "mse"));
  EXPECT_THROW(study.texts("a.z"), StudyError);
  EXPECT_THROW(study.texts("a.none"), StudyError);
  EXPECT_THAT(study.resolved(), testing::HasSubstr("y = [\"[4, 4]\", \"mse\"]"));
}

TEST(Study, KeysBelowATableAreNamed) {
  const Study study = Study::from_text("[a]\nb.c = { low = 1, high = 2 }\nb.d = 3\n[ab]\nx = 1\n");
  EXPECT_THAT(study.keys("a"), testing::ElementsAre("b.c.high", "b.c.low", "b.d"));
  EXPECT_THAT(study.keys("none"), testing::IsEmpty());
}

TEST(Words, NearestIsFoundOnlyWhenNear) {
  EXPECT_EQ(nearest_word("trainig", {"training", "probe"}), "training");
  EXPECT_EQ(nearest_word("evaluation.epochs", {"training.epochs"}), "training.epochs");
  EXPECT_EQ(nearest_word("training.epoch", {"evaluation.epoch", "training.epochs"}), "training.epochs");
  EXPECT_EQ(nearest_word("trainin.x", {"simulation.cells.anticipation.x"}), "");
  EXPECT_EQ(nearest_word("zzzzzz", {"training", "probe"}), "");
}

TEST(Hash, IsXxHash64) {
  // XXH64 of the empty input and of "abc" with seed 0, from the specification's test vectors.
  EXPECT_EQ(hash_bytes("", 0), "ef46db3751d8e999");
  EXPECT_EQ(hash_bytes("abc", 3), "44bc2cf5ad770999");
}

TEST(Hash, OfAFileIsThatOfItsBytes) {
  const test::TemporaryFolder folder;
  std::string bytes(5'000'003, 'x');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 % 251);
  std::ofstream(folder / "f", std::ios::binary) << bytes;
  EXPECT_EQ(hash_file(folder / "f"), hash_bytes(bytes.data(), bytes.size()));
  EXPECT_THROW(hash_file(folder / "missing"), InputError);
}

}  // namespace
}  // namespace amacrine::core
