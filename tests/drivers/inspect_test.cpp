// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/result_file.hpp"
#include "amacrine/training/checkpoint.hpp"
#include "drivers/verbs.hpp"
#include "support/compare.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace amacrine::drivers {
namespace {

using parallel::Communicator;
using testing::AllOf;
using testing::HasSubstr;

struct Told {
  int code = 0;
  nlohmann::json facts;
};

Told told_of(const std::string& path) {
  testing::internal::CaptureStdout();
  const int code = inspect(Communicator::self(), path, true);
  return {code, nlohmann::json::parse(testing::internal::GetCapturedStdout())};
}

void write_movie(const std::string& path, std::size_t frames, double frame_ms) {
  io::ResultWriter writer(Communicator::self(), path, "recording", io::Provenance{});
  for (const auto& [name, size] : {std::pair<const char*, std::size_t>{"frame", frames}, {"row", 2}, {"column", 2}})
    writer.dimension({name, size, "1", "", {}, {}});
  writer.variable({"train/stimulus", io::Type::uint8, {"frame", "row", "column"}, "1", "", {}});
  writer.attribute("frame_ms", frame_ms);
  writer.create();
  writer.write<std::uint8_t>("train/stimulus", std::vector<std::uint8_t>(4 * frames));
  writer.finish();
}

TEST(Inspect, RecordingsLastAsLongAsTheirFramesSay) {
  const test::TemporaryFolder folder(Communicator::self());
  write_movie(folder / "recording.h5", 60, 100.0 / 3.0);  // 30 Hz
  const Told told = told_of(folder / "recording.h5");
  EXPECT_EQ(told.code, 0);
  EXPECT_NEAR(told.facts["recording"]["frame_interval_ms"].get<double>(), 33.3333, 1e-3);
  EXPECT_NEAR(told.facts["recording"]["parts"]["train"]["seconds"].get<double>(), 2.0, 1e-6);
}

/// Counts of one cell that follow the brightness of 3 x 3 pixels around (4, 6) two frames later; movie (T, Y, X), under names of
/// its own.
void write_foreign_recording(const std::string& path) {
  constexpr std::size_t frames = 3000, height = 9, width = 12;
  std::vector<std::uint8_t> movie(frames * height * width);
  std::uint32_t random = 7;
  for (std::uint8_t& value : movie) value = ((random = random * 1664525U + 1013904223U) >> 31) != 0 ? 1 : 0;
  std::vector<std::int32_t> counts(frames);
  for (std::size_t t = 2; t < frames; ++t)
    for (std::size_t k = 0; k < 9; ++k) counts[t] += movie[((t - 2) * height + 3 + k / 3) * width + 5 + k % 3];
  io::ResultWriter writer(Communicator::self(), path, "", io::Provenance{});
  for (const auto& [name, size] :
       {std::pair<const char*, std::size_t>{"frame", frames}, {"row", height}, {"column", width}, {"cell", 1}})
    writer.dimension({name, size, "1", "", {}, {}});
  writer.variable({"film", io::Type::uint8, {"frame", "row", "column"}, "1", "", {}});
  writer.variable({"spikes", io::Type::int32, {"frame", "cell"}, "1", "", {}});
  writer.create();
  writer.write<std::uint8_t>("film", movie);
  writer.write<std::int32_t>("spikes", counts);
  writer.finish();
}

TEST(Inspect, AStudyShowsItsRecordingAndItsReceptiveFields) {
  const test::TemporaryFolder folder(Communicator::self());
  write_foreign_recording(folder / "mine.h5");
  EXPECT_THAT(told_of(folder / "mine.h5").facts["formats_looked_for"].get<std::string>(),
              AllOf(HasSubstr("[recording.mapping]"), HasSubstr("train/stimulus"), HasSubstr("responses_NAME")));
  const std::string mapping =
      "target = \"binned\"\nframe_ms = 10\n[recording.mapping]\ntrain_stimulus = \"film\"\nstimulus_axes = \"thw\"\n"
      "train_response = \"spikes\"\nresponse_axes = \"tn\"\n";
  // As every verb, in the output folder where no file is named; but not of several recordings at once.
  const std::string output = "[study]\noutput = \"" + (folder / "out") + "\"\n";
  std::ofstream(folder / "study.toml") << output << "[recording]\n" << mapping;
  EXPECT_EQ(told_of(folder / "study.toml").code, 3);
  std::filesystem::create_directory(folder / "out");
  std::filesystem::copy(folder / "mine.h5", folder / "out/recording.h5");
  EXPECT_EQ(told_of(folder / "study.toml").code, 0);
  std::ofstream(folder / "joint.toml") << "[sessions.a]\nfile = \"" << (folder / "mine.h5") << "\"\n[sessions.b]\nfile = \""
                                       << (folder / "out/recording.h5") << "\"\n";
  EXPECT_THROW(inspect(Communicator::self(), folder / "joint.toml", false), core::StudyError);
  std::ofstream(folder / "study.toml") << "[recording]\nfile = \"" << (folder / "mine.h5") << "\"\n" << mapping;
  const Told told = told_of(folder / "study.toml");
  ASSERT_EQ(told.code, 0) << told.facts;
  const nlohmann::json& recording = told.facts["recording"];
  EXPECT_EQ(recording["format"], "declared mapping");
  EXPECT_EQ(recording["parts"]["train"]["cells"], 1);
  EXPECT_NEAR(recording["parts"]["train"]["seconds"].get<double>(), 30.0, 1e-9);
  EXPECT_NEAR(recording["cells"][0]["centre"]["y"].get<double>(), 4.0, 0.5);
  EXPECT_NEAR(recording["cells"][0]["centre"]["x"].get<double>(), 6.0, 0.5);
}

TEST(Inspect, CheckpointsAreKnownAndChecked) {
  const test::TemporaryFolder folder(Communicator::self());
  training::TrainState state;
  state.step = 17;
  state.parameters = {1.0f, 2.0f};
  std::string bytes = training::encode_checkpoint(state, "a = 1\n");
  std::ofstream(folder / "train.checkpoint", std::ios::binary) << bytes;
  const Told whole = told_of(folder / "train.checkpoint");
  EXPECT_EQ(whole.code, 0);
  EXPECT_EQ(whole.facts["kind"], "training checkpoint");
  EXPECT_EQ(whole.facts["steps"], 17);
  std::ofstream(folder / "cut.checkpoint", std::ios::binary) << bytes.substr(0, bytes.size() - 3);
  const Told cut = told_of(folder / "cut.checkpoint");
  EXPECT_EQ(cut.code, 3);
  EXPECT_EQ(cut.facts["kind"], "training checkpoint");
  EXPECT_THAT(cut.facts["fault"].get<std::string>(), HasSubstr("checksum"));
}

TEST(Inspect, CheckpointsOfAnotherFormatAreCalledThat) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string path = folder / "old.checkpoint";
  std::ofstream(path, std::ios::binary) << "amacrine-training-checkpoint 1 4 0123456789abcdef\nbody";
  const Told told = told_of(path);
  EXPECT_EQ(told.code, 3);
  EXPECT_EQ(told.facts["kind"], "training checkpoint");
  EXPECT_THAT(told.facts["fault"].get<std::string>(), HasSubstr("in format 1, and this program reads format 4"));
  EXPECT_THROW(training::read_checkpoint(Communicator::self(), path, "a = 1\n"), core::RefusedError);
}

TEST(Inspect, DamagedCheckpointsAreStillKnown) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string whole = training::encode_checkpoint(training::TrainState{}, "a = 1\n");
  for (const std::size_t at : {std::size_t{0}, std::size_t{29}, std::size_t{35}, whole.size() - 1}) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    std::ofstream(folder / "train.checkpoint", std::ios::binary) << bytes;
    const Told told = told_of(folder / "train.checkpoint");
    EXPECT_EQ(told.code, 3) << at;
    EXPECT_EQ(told.facts["kind"], "training checkpoint") << at;
    EXPECT_EQ(told.facts["integrity"]["state"], "damaged") << at;
    EXPECT_THAT(told.facts["fault"].get<std::string>(), HasSubstr("damaged")) << at;
  }
}

TEST(Inspect, TellsWhatTheChecksumsSay) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string path = folder / "recording.h5";
  write_movie(path, 5000, 10.0);  // 20000 bytes of movie
  const Told whole = told_of(path);
  EXPECT_EQ(whole.code, 0);
  EXPECT_EQ(whole.facts["integrity"]["state"], "verified");
  EXPECT_GE(whole.facts["integrity"]["blocks"].get<int>(), 5);
  const auto flip = [&](std::size_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at)).put(byte);
  };
  const auto extent = io::Reader(path).extent("train/stimulus");
  flip(extent.first + 10'000);
  const Told values = told_of(path);
  EXPECT_EQ(values.code, 3);
  EXPECT_EQ(values.facts["kind"], "recording") << "what is not damaged is still told";
  EXPECT_EQ(values.facts["integrity"]["state"], "damaged");
  EXPECT_EQ(values.facts["integrity"]["damaged_datasets"], nlohmann::json({"train/stimulus"}));
  EXPECT_EQ(values.facts["integrity"]["damaged_blocks"][0], (extent.first + 10'000) / 4096);
  flip(40);
  const Told structures = told_of(path);
  EXPECT_EQ(structures.code, 3);
  EXPECT_EQ(structures.facts["integrity"]["structures_whole"], false);
  EXPECT_THAT(structures.facts["fault"].get<std::string>(), HasSubstr("is damaged"));
  testing::internal::CaptureStdout();
  inspect(Communicator::self(), path, false);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("the file's structures among them"));
}

TEST(Inspect, OtherFilesAreNotCalledDamaged) {
  const test::TemporaryFolder folder(Communicator::self());
  std::ofstream(folder / "curves.csv") << "epoch,windows\n1,400\n";
  const Told told = told_of(folder / "curves.csv");
  EXPECT_EQ(told.code, 3);
  EXPECT_THAT(told.facts["fault"].get<std::string>(),
              testing::AllOf(HasSubstr("nor a result file of amacrine"), testing::Not(HasSubstr("damaged"))));
}

}  // namespace
}  // namespace amacrine::drivers
