// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/sampler.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

/// A recording of `frames` single-pixel frames in equal blocks.
Recording blocks_of(std::size_t frames, std::size_t blocks, std::size_t skip) {
  Recording recording;
  recording.path = "made.h5";
  recording.train.movie.pixels = core::Array<std::uint8_t, 3>({frames, 1, 1});
  for (std::size_t block = 0; block < blocks; ++block) recording.block_starts.push_back(block * frames / blocks);
  recording.skip_frames = skip;
  return recording;
}

RecordingSettings validating(double fraction) {
  RecordingSettings settings;
  settings.validation_fraction = fraction;
  return settings;
}

TEST(SegmentSampler, WindowsStayInTheirBlockAfterTheSkipAndBeforeValidation) {
  const Recording recording = blocks_of(3000, 3, 100);
  const Sampling sampling{40, 1, 4, 32, 11};
  const SegmentSampler sampler(recording, validating(0.1), sampling);
  for (std::size_t epoch = 0; epoch < 50; ++epoch)
    for (std::size_t step = 0; step < sampler.steps_per_epoch(); ++step)
      for (std::size_t first : sampler.batch(epoch, step)) {
        const std::size_t last = first + 31, block = first / 1000;
        ASSERT_EQ(last / 1000, block);          // no segment crosses a border
        ASSERT_GE(first - 1000 * block, 100u);  // nor reaches into the skipped frames
        ASSERT_GE(first - 40, 1000 * block);    // its oldest stimulus frame, first - 1 - 39, is of the same block
        ASSERT_LT(last, 2700u);                 // validation starts there
      }
  for (const parallel::Range& range : sampler.validation()) {
    EXPECT_GE(range.begin, 2700u + 40u);  // the oldest stimulus frame of validation is not one of training
    EXPECT_EQ(range.end, 3000u);
  }
  ASSERT_EQ(sampler.validation().size(), 1u);
}

TEST(SegmentSampler, AnEpochDrawsEachWindowAtMostOnceAndPhasesReachAll) {
  const Recording recording = blocks_of(1000, 1, 0);
  const SegmentSampler sampler(recording, validating(0.0), {40, 0, 3, 16, 5});
  EXPECT_TRUE(sampler.validation().empty());
  std::set<std::size_t> ever;
  for (std::size_t epoch = 0; epoch < 400; ++epoch) {
    std::set<std::size_t> windows;
    for (std::size_t step = 0; step < sampler.steps_per_epoch(); ++step)
      for (std::size_t first : sampler.batch(epoch, step))
        for (std::size_t t = first; t < first + 16; ++t) ASSERT_TRUE(windows.insert(t).second) << "frame " << t << " twice";
    EXPECT_EQ(windows.size(), sampler.windows_per_epoch());
    ever.insert(windows.begin(), windows.end());
  }
  EXPECT_EQ(*ever.begin(), 39u);  // the first frame with a whole history
  EXPECT_EQ(*ever.rbegin(), 999u);
  EXPECT_EQ(ever.size(), 961u);
  EXPECT_GE(sampler.windows_per_epoch(), 961u - 3 * 16u - 2 * 16u);  // what a phase and a last short batch can cost
}

TEST(SegmentSampler, SegmentsOfWindowsApartInterleaveAndKeepTheBorders) {
  const Recording recording = blocks_of(3000, 3, 100);
  for (const std::size_t spacing : {2u, 4u, 7u}) {  // 7 does not divide the history
    const SegmentSampler sampler(recording, validating(0.1), {40, 0, 4, 16, 5, spacing});
    std::set<std::size_t> ever;
    for (std::size_t epoch = 0; epoch < 300; ++epoch) {
      std::set<std::size_t> windows;
      for (std::size_t step = 0; step < sampler.steps_per_epoch(); ++step)
        for (std::size_t first : sampler.batch(epoch, step))
          for (std::size_t b = 0; b < 16; ++b) {
            const std::size_t t = first + spacing * b;
            ASSERT_TRUE(windows.insert(t).second) << "frame " << t << " twice";
            ASSERT_EQ(t / 1000, first / 1000);
            ASSERT_GE(t % 1000, 100u);
            ASSERT_LT(t, 2700u);
          }
      EXPECT_EQ(windows.size(), sampler.windows_per_epoch());
      ever.insert(windows.begin(), windows.end());
    }
    EXPECT_EQ(ever.size(), 2u * 900u + 600u) << "spacing " << spacing;
    // A round of segments, less one window, can be left in each block, and a short batch in all.
    EXPECT_GE(sampler.windows_per_epoch(), 2400u - 3 * (2 * 16 * spacing - 1) - 4 * 16);
  }
}

TEST(SegmentSampler, WindowsApartAtTheEndOfTheMovieReadNothingBeyondIt) {
  // Frames are read in rounds of 7: six of them hold the 40 of a history, and two frames more.
  const SegmentSampler sampler(blocks_of(1000, 1, 0), validating(0.0), {40, 0, 2, 8, 5, 7});
  std::size_t last = 0;
  for (std::size_t epoch = 0; epoch < 200; ++epoch)
    for (std::size_t step = 0; step < sampler.steps_per_epoch(); ++step)
      for (std::size_t first : sampler.batch(epoch, step)) last = std::max(last, first + 7 * 7);
  EXPECT_EQ(last, 997u);
}

TEST(SegmentSampler, DependsOnSeedEpochAndStepOnly) {
  const Recording recording = blocks_of(2000, 2, 0);
  const Sampling sampling{40, 0, 4, 32, 3};
  const SegmentSampler forward(recording, validating(0.05), sampling), backward(recording, validating(0.05), sampling);
  std::vector<std::vector<std::size_t>> seen;
  for (std::size_t epoch = 0; epoch < 3; ++epoch)
    for (std::size_t step = 0; step < forward.steps_per_epoch(); ++step) seen.push_back(forward.batch(epoch, step));
  for (std::size_t i = seen.size(); i-- > 0;)
    EXPECT_EQ(backward.batch(i / backward.steps_per_epoch(), i % backward.steps_per_epoch()), seen[i]);
  Sampling other = sampling;
  other.data_seed = 4;
  EXPECT_NE(SegmentSampler(recording, validating(0.05), other).batch(0, 0), seen[0]);
  EXPECT_NE(seen[0], seen[forward.steps_per_epoch()]);
}

TEST(SegmentSampler, ValidationIsEnumeratedWithoutGaps) {
  const SegmentSampler sampler(blocks_of(1000, 1, 0), validating(0.2), {40, 0, 2, 32, 1});
  std::size_t next = 839, windows = 0;  // 800 + 39
  for (const parallel::Range& run : sampler.validation_segments()) {
    EXPECT_EQ(run.begin, next);
    EXPECT_LE(run.size(), 32u);
    next = run.end;
    windows += run.size();
  }
  EXPECT_EQ(next, 1000u);
  EXPECT_EQ(windows, 161u);
}

TEST(SegmentSampler, SpreadSegmentsCoverTheWholeRecording) {
  const SegmentSampler sampler(blocks_of(100000, 1, 0), validating(0.05), {40, 0, 16, 32, 1});
  const std::vector<std::size_t> starts = sampler.spread(4096);
  ASSERT_EQ(starts.size(), 128u);
  EXPECT_LT(starts.front(), 1000u);
  EXPECT_GT(starts.back(), 94000u);
  EXPECT_LT(starts.back() + 32, 95001u);
  EXPECT_EQ(std::set<std::size_t>(starts.begin(), starts.end()).size(), starts.size());
  EXPECT_EQ(sampler.spread(1000000).size(), sampler.segments_per_epoch());  // no more than there is
}

TEST(SegmentSampler, RefusesRecordingsShorterThanABatch) {
  EXPECT_THAT(
      [] {
        SegmentSampler(blocks_of(100, 1, 0), validating(0.0), {40, 0, 16, 32, 1});
      },
      testing::ThrowsMessage<core::InputError>(testing::AllOf(testing::HasSubstr("made.h5: dataset train/stimulus"),
                                                              testing::HasSubstr("61 windows"), testing::HasSubstr("needs 16"))));
}

}  // namespace
}  // namespace amacrine::recording
