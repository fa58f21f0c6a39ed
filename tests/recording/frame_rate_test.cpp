// SPDX-License-Identifier: Apache-2.0
// Everything that turns seconds into frames follows the recording's own frame interval.
#include "amacrine/recording/reader.hpp"
#include "lab_file.hpp"
#include "support/compare.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

class FrameRate : public testing::Test {
 protected:
  Recording load(double frame_ms, const RecordingSettings& settings) {
    lab::LabFile file;
    file.frame_s = frame_ms / 1000;
    file.train_frames = 240;
    file.with_rates = false;
    file.write(folder_ / "lab.h5");
    return load_recording(folder_ / "lab.h5", settings, Load::both);
  }
  amacrine::test::TemporaryFolder folder_;
};

TEST_F(FrameRate, SecondsSkippedAreFramesOfTheRecording) {
  RecordingSettings settings;
  settings.target = "binned";
  settings.skip_seconds = 0.5;
  EXPECT_EQ(load(10, settings).skip_frames, 50U);
  EXPECT_EQ(load(20, settings).skip_frames, 25U);
  EXPECT_EQ(load(1000.0 / 60, settings).skip_frames, 30U);
  EXPECT_EQ(load(5, settings).skip_frames, 100U);
  settings.blocks = 3;
  const Recording recording = load(20, settings);
  EXPECT_EQ(recording.block_starts, (std::vector<std::size_t>{0, 80, 160}));
  EXPECT_EQ(recording.skip_frames, 25U);
  settings.skip_seconds = 1.5;  // 75 frames of blocks of 80
  EXPECT_EQ(load(20, settings).skip_frames, 75U);
  settings.skip_seconds = 1.6;
  EXPECT_THROW(load(20, settings), core::InputError);
}

TEST_F(FrameRate, CountsBecomeRatesOfTheRecordingsBins) {
  RecordingSettings settings;
  settings.target = "binned";
  // Counts 0 1 0 2 0 of the first cell, trials of 2 spikes in every fourth frame.
  for (const double frame_ms : {5.0, 20.0, 1000.0 / 60}) {
    const Recording recording = load(frame_ms, settings);
    EXPECT_NEAR(static_cast<double>(recording.train.target(0, 1)), 1000 / frame_ms, 1e-4);
    EXPECT_NEAR(static_cast<double>(recording.train.target(0, 3)), 2000 / frame_ms, 1e-4);
    EXPECT_NEAR(static_cast<double>(recording.test.repeats(0, 0, 0)), 2000 / frame_ms, 1e-4);
  }
}

}  // namespace
}  // namespace amacrine::recording
