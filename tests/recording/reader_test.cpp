// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/reader.hpp"

#include "amacrine/recording/smoothing.hpp"
#include "lab_file.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

using lab::LabFile;
using testing::ElementsAre;

class Reading : public testing::Test {
 protected:
  Recording load(const LabFile& file, const RecordingSettings& settings = {}, Load what = Load::both) {
    file.write(folder_ / "lab.h5");
    return load_recording(folder_ / "lab.h5", settings, what);
  }
  amacrine::test::TemporaryFolder folder_;
};

RecordingSettings with_target(const std::string& name) {
  RecordingSettings settings;
  settings.target = name;
  return settings;
}

TEST_F(Reading, CountsBecomeHzAndBytesStayBytes) {
  const Recording recording = load({});
  ASSERT_EQ(recording.cells.size(), 3u);
  EXPECT_THAT(recording.train.target.row(0).first(5), ElementsAre(0.0f, 100.0f, 0.0f, 200.0f, 0.0f));
  EXPECT_THAT(recording.train.target.row(1).first(5), ElementsAre(100.0f, 0.0f, 200.0f, 0.0f, 0.0f));
  ASSERT_TRUE((std::holds_alternative<core::SharedArray<std::uint8_t, 3>>(recording.train.movie.pixels)));
  EXPECT_EQ(std::get<0>(recording.train.movie.pixels)(2, 1, 3), (7 * 2 + 3 * 8) % 251);
  EXPECT_EQ(recording.screen.height, 4);
  EXPECT_EQ(recording.screen.width, 5);
  EXPECT_EQ(recording.screen.frame_ms, 10.0);
  EXPECT_EQ(recording.cells[2].name, "cell03");
  EXPECT_FALSE(recording.cells[0].silent);
  EXPECT_FALSE(recording.cells[0].no_ceiling);
}

TEST_F(Reading, OtherNumberTypesBecomeFloat) {
  LabFile file;
  file.movie_type = io::Type::float64;
  const Recording recording = load(file);
  ASSERT_TRUE((std::holds_alternative<core::SharedArray<float, 3>>(recording.train.movie.pixels)));
  EXPECT_EQ(std::get<1>(recording.train.movie.pixels)(2, 1, 3), 38.0f);
}

TEST_F(Reading, LabContrastIsTheZScoreOfTheTrainingMovie) {
  LabFile file;
  file.pixel = [](std::size_t t, std::size_t) { return t % 2 == 0 ? 60.0 : 100.0; };
  for (const Load what : {Load::both, Load::test}) {
    const Recording recording = load(file, {}, what);
    EXPECT_NEAR(recording.coding.zero, 80.0, 1e-12);
    EXPECT_NEAR(recording.coding.unit, 20.0, 1e-12);
  }
}

TEST_F(Reading, CodingAndScreenAttributesWin) {
  LabFile file;
  file.attributes = {{"contrast_zero", 127.0}, {"contrast_unit", 42.0}, {"pixel_um", 50.0}, {"frame_ms", 10.0}};
  const Recording recording = load(file);
  EXPECT_EQ(recording.coding.zero, 127.0);
  EXPECT_EQ(recording.coding.unit, 42.0);
  EXPECT_EQ(recording.screen.pixel_um, 50.0);
}

TEST_F(Reading, FrameIntervalComesFromTheTimeAxisOrTheStudy) {
  LabFile file;
  file.frame_s = 1.0 / 60.0;
  file.rate = [](std::size_t, std::size_t) { return 36.0; };
  EXPECT_EQ(load(file).screen.frame_ms, 1000.0 / 60.0);
  file.frame_s = 1000.0 / 60.0;
  file.time_units = "ms";
  EXPECT_EQ(load(file).screen.frame_ms, 1000.0 / 60.0);
  file.frame_s = 1.0;
  file.time_units = "1";  // an index, not seconds
  RecordingSettings settings;
  settings.frame_ms = 20.0;
  EXPECT_EQ(load(file, settings).screen.frame_ms, 20.0);
  file.with_time = false;
  testing::internal::CaptureStderr();
  EXPECT_EQ(load(file).screen.frame_ms, 10.0);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("10 ms is assumed"));
}

TEST_F(Reading, CellsAreSelectedInTheOrderAskedFor) {
  RecordingSettings settings;
  settings.cells = {2, 0};
  settings.centres = "given";
  settings.centre_y = {1.0, 2.0};
  settings.centre_x = {3.0, 4.0};
  const Recording recording = load({}, settings);
  ASSERT_EQ(recording.cells.size(), 2u);
  EXPECT_EQ(recording.cells[0].id, 2);
  EXPECT_EQ(recording.cells[1].centre->x, 4.0);
  EXPECT_THAT(recording.train.target.row(0).first(5), ElementsAre(0.0f, 200.0f, 0.0f, 0.0f, 100.0f));
  EXPECT_THAT(recording.test.target.row(1).first(4), ElementsAre(50.0f, 50.0f, 50.0f, 50.0f));
}

TEST_F(Reading, RepeatsByCellAreCountsInHz) {
  const Recording recording = load({});
  ASSERT_EQ(recording.test.repeats.shape(), (std::array<std::size_t, 3>{4, 3, 100}));
  EXPECT_EQ(recording.test.repeats(0, 0, 0), 200.0f);
  EXPECT_EQ(recording.test.repeats(1, 0, 0), 0.0f);
  EXPECT_EQ(recording.test.repeats(3, 0, 1), 200.0f);
  EXPECT_THAT(recording.test.target.row(2), testing::Each(50.0f));  // one of four trials has two spikes
}

TEST_F(Reading, RepeatsByCellAreSmoothedForASmoothTarget) {
  const Recording recording = load({}, with_target("firing_rate_10ms"));
  std::vector<float> counts(100);
  for (std::size_t t = 0; t < 100; t += 4) counts[t] = 2;
  EXPECT_EQ(amacrine::test::relative_error(recording.test.repeats.row(0).first(100), firing_rate(counts, 10.0, 10.0)), 0.0);
  EXPECT_EQ(recording.test.target(0, 0), 59.75f);  // the file's own trial mean
}

TEST_F(Reading, RepeatsByRateAreTakenAsTheyAre) {
  LabFile file;
  file.repeats_by_cell = false;
  file.trial = [](std::size_t r, std::size_t n, std::size_t t) {
    return 10.5 * static_cast<double>(r) + static_cast<double>(n) + 0.5 * static_cast<double>(t);
  };
  RecordingSettings settings = with_target("firing_rate_10ms");
  settings.cells = {1};
  const Recording recording = load(file, settings);
  ASSERT_EQ(recording.test.repeats.shape(), (std::array<std::size_t, 3>{4, 1, 100}));
  EXPECT_EQ(recording.test.repeats(3, 0, 10), 31.5f + 1.0f + 5.0f);
  const Recording binned = load(file, {}, Load::test);  // nothing else is there to stand in
  EXPECT_NEAR(binned.test.target(0, 0), 10.5 * 1.5, 1e-5);
}

TEST_F(Reading, BlocksAndSkippedSeconds) {
  RecordingSettings settings;
  settings.blocks = 4;
  settings.skip_seconds = 0.2;
  const Recording recording = load({}, settings);
  EXPECT_THAT(recording.block_starts, ElementsAre(0u, 50u, 100u, 150u));
  EXPECT_EQ(recording.skip_frames, 20u);
}

TEST_F(Reading, RepeatsAreFoundByNumber) {
  LabFile file;
  file.trial = [](std::size_t r, std::size_t n, std::size_t t) { return t == 10 * n && r == 0 ? 1.0 : 0.0; };
  for (const auto& [name, first] : {std::pair<const char*, std::size_t>{"cell{:02d}", 1}, {"cell{:d}", 1}, {"cell{:02d}", 0}}) {
    file.repeats_name = name;
    file.first_cell = first;
    testing::internal::CaptureStderr();
    const Recording recording = load(file);
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_EQ(told.find("counts cells from 0 (cell00)") != std::string::npos, first == 0) << told;
    for (std::size_t n = 0; n < 3; ++n)
      for (std::size_t t = 0; t < 100; ++t)
        ASSERT_EQ(recording.test.repeats.row(0)[n * 100 + t], t == 10 * n ? 100.0f : 0.0f) << name << " " << first;
  }
}

TEST_F(Reading, EmptyTrialsOfOneCellAreTold) {
  LabFile file;
  file.trial = [](std::size_t r, std::size_t n, std::size_t) { return n == 1 && r >= 2 ? 0.0 : 1.0; };
  testing::internal::CaptureStderr();
  load(file);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("2 of 4 repeats of cell 1 are empty (2, 3)"));
}

TEST_F(Reading, PartsAreLoadedAsAskedFor) {
  const Recording train = load({}, {}, Load::train);
  EXPECT_EQ(train.train.movie.frames(), 200u);
  EXPECT_EQ(train.test.movie.frames(), 0u);
  const Recording held = load({}, {}, Load::test);
  EXPECT_EQ(held.train.movie.frames(), 0u);
  EXPECT_EQ(held.test.movie.frames(), 100u);
}

TEST_F(Reading, FlagsSilentCellsAndMissingCeilings) {
  LabFile file;
  file.count = [](std::size_t n, std::size_t t) { return n == 1 ? 0.0 : static_cast<double>(t % 2); };
  file.repeats = 1;
  const Recording recording = load(file);
  EXPECT_FALSE(recording.cells[0].silent);
  EXPECT_TRUE(recording.cells[1].silent);
  EXPECT_TRUE(recording.cells[0].no_ceiling);
  file.with_repeats = false;
  file.with_rates = true;
  const Recording none = load(file, with_target("firing_rate_10ms"), Load::test);
  EXPECT_TRUE(none.test.repeats.empty());
  EXPECT_TRUE(none.cells[2].no_ceiling);
  EXPECT_EQ(none.test.target(0, 1), 60.0f);
}

}  // namespace
}  // namespace amacrine::recording
