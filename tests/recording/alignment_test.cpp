// SPDX-License-Identifier: Apache-2.0
// Responses that are shifted against their movie, and trials against each other: found where they are, never where they are not.
#include "amacrine/recording/alignment.hpp"

#include "amacrine/core/random.hpp"
#include "amacrine/recording/circuit.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/simulation.hpp"
#include "support/compare.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

using testing::HasSubstr;

/// Values moved by `shift` places, the ends around.
template <class T>
std::vector<T> rolled(std::span<const T> values, int shift) {
  const int size = static_cast<int>(values.size());
  std::vector<T> moved(values.size());
  for (int t = 0; t < size; ++t)
    moved[static_cast<std::size_t>(((t + shift) % size + size) % size)] = values[static_cast<std::size_t>(t)];
  return moved;
}

Part shifted(const Part& part, int frames) {
  Part moved{part.movie, part.target, {}, {}};
  for (std::size_t n = 0; n < part.target.extent(0); ++n) {
    const auto row = rolled<float>(part.target.row(n), frames);
    std::copy(row.begin(), row.end(), moved.target.row(n).begin());
  }
  return moved;
}

std::string said(const Recording& recording, const Part& part, double smoothing_ms = 0) {
  testing::internal::CaptureStderr();
  check_alignment(recording, part, "train", smoothing_ms);
  return testing::internal::GetCapturedStderr();
}

std::size_t count_of(const std::string& text, const std::string& piece) {
  std::size_t count = 0;
  for (std::size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

/// A recording of all circuits.
SimulationSettings all_circuits(const std::string& ensemble, double minutes) {
  SimulationSettings settings;
  settings.seed = 11;
  settings.ensemble = ensemble;
  settings.train_minutes = minutes;
  settings.test_seconds = 1;
  settings.repeats = 10;
  for (std::size_t i = 0; i < circuit_names().size(); ++i) {
    const auto at = static_cast<double>(i);
    settings.cells.push_back({circuit_names()[i], circuit_names()[i], 20.5 + 1.5 * at, 28.5 - at});
  }
  return settings;
}

Recording simulated(const std::string& ensemble, double minutes) {
  const SimulationSettings settings = all_circuits(ensemble, minutes);
  const test::TemporaryFolder folder;
  simulate_recording(parallel::Communicator::world(), settings, folder / "recording.h5", io::Provenance{});
  return load_recording(folder / "recording.h5", {}, Load::train);
}

/// The same on a display of 60 Hz: the frame shown at its beginning, and the spikes of its duration.
Recording at_sixty_hertz(const Recording& recording) {
  const auto& pixels = std::get<core::SharedArray<std::uint8_t, 3>>(recording.train.movie.pixels);
  const std::size_t frames = pixels.extent(0) * 3 / 5, cells = recording.cells.size();
  Recording other = recording;
  other.screen.frame_ms = 1000.0 / 60;
  core::Array<std::uint8_t, 3> shown({frames, pixels.extent(1), pixels.extent(2)});
  other.train.target = core::Array<float, 2>({cells, frames});
  for (std::size_t f = 0; f < frames; ++f) {
    std::copy_n(pixels.row(5 * f / 3).begin(), shown.row(f).size(), shown.row(f).begin());
    for (std::size_t n = 0; n < cells; ++n)
      for (std::size_t third = 5 * f; third < 5 * f + 5; ++third)  // of a bin
        other.train.target(n, f) += recording.train.target(n, third / 3) / 5;
  }
  other.train.movie.pixels = std::move(shown);
  return other;
}

/// Nothing is said of the recording as it is; each shift moves what is found by as much, and is told.
void expect_shifts_found(const Recording& recording, std::size_t least_found) {
  const double frame_ms = recording.screen.frame_ms;
  EXPECT_EQ(said(recording, recording.train), "");
  const auto lags = response_lags(recording.train.movie, recording.coding, recording.train.target, frame_ms);
  std::size_t found = 0;
  for (const ResponseLag& lag : lags) found += lag.found ? 1 : 0;
  EXPECT_GE(found, least_found);
  for (int frames : {-10, -3, 30, 60}) {
    const std::string words = said(recording, shifted(recording.train, frames));
    EXPECT_THAT(words, HasSubstr(frames < 0 ? "come too early" : "come too late"));
    // The slowest circuits may rise after a shift of three frames as others do without.
    EXPECT_GE(count_of(words, "rises at"), frames == -3 ? least_found / 2 : least_found - 1) << frames << ": " << words;
  }
}

/// A shift of the responses moves what is found by as much.
void expect_lags_follow(const Recording& recording, int frames) {
  const double frame_ms = recording.screen.frame_ms;
  const Part moved = shifted(recording.train, frames);
  const auto lags = response_lags(recording.train.movie, recording.coding, recording.train.target, frame_ms);
  const auto now = response_lags(moved.movie, recording.coding, moved.target, frame_ms);
  for (std::size_t n = 0; n < lags.size(); ++n) {
    if (!lags[n].found || !now[n].found) continue;
    const double error = std::hypot(lags[n].rise_error_ms, now[n].rise_error_ms);
    EXPECT_NEAR(now[n].rise_ms - lags[n].rise_ms, frames * frame_ms, 3 * error) << recording.cells[n].name << ' ' << frames;
    EXPECT_LE(error, 25) << recording.cells[n].name;
  }
}

TEST(FullAlignment, OfSimulatedCellsOnNaturalScenesIsRightAndShiftsAreFound) {
  const Recording recording = simulated("natural", 5);
  expect_shifts_found(recording, 5);
  expect_shifts_found(at_sixty_hertz(recording), 5);
  expect_lags_follow(recording, -10);
}

TEST(FullAlignment, OfSimulatedCellsOnWhiteNoiseIsRightAndShiftsAreFound) {
  const Recording recording = simulated("white", 4);
  expect_shifts_found(recording, 5);
  expect_shifts_found(at_sixty_hertz(recording), 5);
}

/// 40 s of a flickering screen whose picture is held for `hold` frames, and a cell that answers `lag` frames later.
Recording flicker(std::size_t hold, std::size_t lag) {
  constexpr std::size_t frames = 4000;
  core::Array<float, 3> pixels({frames, 2, 3});
  core::Random random(5, core::Stream::test);
  for (std::size_t t = 0; t < frames; ++t)
    for (std::size_t p = 0; p < 6; ++p)
      pixels.row(t)[p] = t % hold > 0 ? pixels.row(t - 1)[p] : static_cast<float>(random.normal());
  Recording recording;
  recording.path = "flicker.h5";
  recording.coding = {0, 1};
  recording.cells.resize(1);
  recording.train.target = core::Array<float, 2>({1, frames}, 20.0F);
  for (std::size_t t = lag; t < frames; ++t) recording.train.target(0, t) += 5.0F * pixels.row(t - lag)[4];
  recording.train.movie.pixels = std::move(pixels);
  return recording;
}

TEST(Alignment, LagsOfALinearCellAreItsOwn) {
  const auto lag_of = [](const Recording& r) { return response_lags(r.train.movie, r.coding, r.train.target, 10).at(0); };
  const ResponseLag sharp = lag_of(flicker(1, 7));
  EXPECT_TRUE(sharp.found);
  EXPECT_NEAR(sharp.peak_ms, 70, 0.1);
  EXPECT_NEAR(sharp.rise_ms, 70 - 10 * std::sqrt(2 * std::log(2.0)), 1) << "half of a Gaussian of one frame";
  // A picture that is held for 100 ms is answered for 100 ms from the lag on; not before, although each frame is like the one
  // before.
  const ResponseLag held = lag_of(flicker(10, 7));
  EXPECT_TRUE(held.found);
  EXPECT_NEAR(held.rise_ms, 65, 6);
  EXPECT_EQ(said(flicker(10, 7), flicker(10, 7).train), "");
  EXPECT_THAT(said(flicker(10, 0), flicker(10, 0).train), HasSubstr("too early"));
}

TEST(Alignment, NothingIsSaidOfNoiseSilenceStillnessAndShortMovies) {
  Recording recording = flicker(1, 0);
  core::Random random(6, core::Stream::test);
  for (float& rate : recording.train.target.values()) rate = static_cast<float>(random.poisson(0.1));
  EXPECT_EQ(said(recording, recording.train), "");
  for (float& rate : recording.train.target.values()) rate = 0;
  EXPECT_EQ(said(recording, recording.train), "");
  Recording still = flicker(1, 0);
  still.train.movie.pixels = core::Array<float, 3>(std::get<1>(still.train.movie.pixels).shape(), 1.0F);
  EXPECT_EQ(said(still, still.train), "");
  Recording brief = flicker(1, 0);
  brief.train.movie.pixels = core::Array<float, 3>({1000, 2, 3}, 1.0F);
  brief.train.target = core::Array<float, 2>({1, 1000}, 1.0F);
  EXPECT_EQ(said(brief, brief.train), "");
}

TEST(Alignment, SmoothingOfTheResponsesIsAllowedFor) {
  Recording recording = flicker(1, 2);  // rises at 8 ms
  EXPECT_THAT(said(recording, recording.train), HasSubstr("too early"));
  EXPECT_EQ(said(recording, recording.train, 20), "");
}

/// Trials (R, N, T) of two cells that fire at random times common to all trials, every spike with probability 0.5.
core::Array<float, 3> trials(std::size_t count, std::size_t frames) {
  core::Array<float, 3> repeats({count, 2, frames});
  core::Random random(7, core::Stream::test);
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t t = 0; t < frames; ++t) {
      const bool event = random.uniform() < 0.08;
      for (std::size_t r = 0; r < count; ++r) repeats(r, n, t) = event && random.uniform() < 0.5 ? 100.0F : 0.0F;
    }
  return repeats;
}

void move(core::Array<float, 3>& repeats, std::size_t trial, std::size_t cell, int frames) {
  const auto row = repeats.row(trial).subspan(cell * repeats.extent(2), repeats.extent(2));
  const auto moved = rolled<float>(row, frames);
  std::copy(moved.begin(), moved.end(), row.begin());
}

TEST(TrialAlignment, ShiftedTrialsAreFoundWithTheirShiftAndNoOthers) {
  for (std::size_t count : {3, 5, 20}) {
    core::Array<float, 3> repeats = trials(count, 1500);
    EXPECT_TRUE(shifted_trials(repeats, 10).empty()) << count;
    for (int frames : {-60, -3, 5, 90}) {
      core::Array<float, 3> wrong = repeats;
      move(wrong, 1, 0, frames), move(wrong, 1, 1, frames);
      const auto found = shifted_trials(wrong, 10);
      ASSERT_EQ(found.size(), 1) << count << " trials, " << frames;
      EXPECT_EQ(found[0].trial, 1);
      EXPECT_EQ(found[0].frames, frames);
      EXPECT_TRUE(found[0].cells.empty());
    }
  }
}

TEST(FullTrialAlignment, TrialsOfSimulatedCellsAreAlignedAndAShiftIsFound) {
  const test::TemporaryFolder folder;
  for (const char* ensemble : {"natural", "white"})
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      SimulationSettings settings = all_circuits(ensemble, 0.1);
      settings.seed = seed;
      settings.test_seconds = 6;
      simulate_recording(parallel::Communicator::world(), settings, folder / "recording.h5", io::Provenance{});
      const Recording recording = load_recording(folder / "recording.h5", {}, Load::test);
      EXPECT_TRUE(shifted_trials(recording.test.repeats, 10).empty()) << ensemble << ' ' << seed;
      core::Array<float, 3> wrong = recording.test.repeats;
      for (std::size_t n = 0; n < recording.cells.size(); ++n) move(wrong, 3, n, 40);
      const auto found = shifted_trials(wrong, 10);
      ASSERT_EQ(found.size(), 1) << ensemble << ' ' << seed;
      EXPECT_EQ(found[0].trial, 3);
      EXPECT_NEAR(found[0].frames, 40, 4);
    }
}

TEST(TrialAlignment, OneCellAloneIsNamed) {
  core::Array<float, 3> repeats = trials(6, 1500);
  move(repeats, 4, 1, 25);
  const auto found = shifted_trials(repeats, 10);
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].trial, 4);
  EXPECT_EQ(found[0].frames, 25);
  EXPECT_THAT(found[0].cells, testing::ElementsAre(1));
}

TEST(TrialAlignment, TrialsThatHaveNothingInCommonOrAreTooFewTellNothing) {
  core::Array<float, 3> repeats({8, 3, 1000});
  core::Random random(9, core::Stream::test);
  for (float& rate : repeats.values()) rate = static_cast<float>(random.poisson(0.1));
  EXPECT_TRUE(shifted_trials(repeats, 10).empty());
  EXPECT_TRUE(shifted_trials(core::Array<float, 3>({8, 3, 1000}), 10).empty());
  core::Array<float, 3> two = trials(2, 1500);
  move(two, 1, 0, 20), move(two, 1, 1, 20);
  EXPECT_TRUE(shifted_trials(two, 10).empty()) << "of two trials nobody knows which is wrong";
}

}  // namespace
}  // namespace amacrine::recording
