// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/receptive_field.hpp"

#include "amacrine/core/random.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/simulation.hpp"
#include "support/compare.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

constexpr double pi = 3.14159265358979323846;

/// Independent standard normal pixels.
StoredMovie white_movie(std::size_t frames, std::size_t height, std::size_t width) {
  core::Array<float, 3> pixels({frames, height, width});
  core::Random random(77, core::Stream::test);
  for (float& value : pixels.values()) value = static_cast<float>(random.normal());
  StoredMovie movie;
  movie.pixels = std::move(pixels);
  return movie;
}

/// A linear cell: 50 Hz + gain x the stimulus `lag` frames ago through a Gaussian.
std::vector<float> linear_cell(const StoredMovie& movie, double y0, double x0, double sigma, std::size_t lag, double gain) {
  const auto& pixels = std::get<1>(movie.pixels);
  std::vector<float> rate(movie.frames(), 50.0f);
  for (std::size_t t = lag; t < movie.frames(); ++t) {
    double sum = 0;
    for (std::size_t y = 0; y < movie.height(); ++y)
      for (std::size_t x = 0; x < movie.width(); ++x) {
        const double dy = static_cast<double>(y) - y0, dx = static_cast<double>(x) - x0;
        sum += std::exp(-0.5 * (dy * dy + dx * dx) / (sigma * sigma)) / (2 * pi * sigma * sigma) * pixels(t - lag, y, x);
      }
    rate[t] += static_cast<float>(gain * sum);
  }
  return rate;
}

TEST(ReceptiveField, OfLinearCellsOnWhiteNoiseIsTheirGaussian) {
  const StoredMovie movie = white_movie(6000, 20, 24);
  core::Array<float, 2> rates({3, 6000});
  const std::vector<std::vector<float>> cells{linear_cell(movie, 9.3, 13.7, 2.0, 7, 100),
                                              linear_cell(movie, 1.2, 21.5, 1.5, 12, -100), std::vector<float>(6000, 0.0f)};
  for (std::size_t n = 0; n < 3; ++n) std::copy(cells[n].begin(), cells[n].end(), rates.row(n).begin());
  const std::vector<ReceptiveField> fields = fit_receptive_fields(movie, {0.0, 1.0}, rates);
  EXPECT_TRUE(fields[0].found);
  EXPECT_NEAR(fields[0].centre.y, 9.3, 0.1);
  EXPECT_NEAR(fields[0].centre.x, 13.7, 0.1);
  EXPECT_NEAR(fields[0].radius_px, 2.0, 0.1);
  EXPECT_LE(fields[0].centre_error_px, 0.1);
  EXPECT_EQ(fields[0].peak_lag, 7);
  EXPECT_EQ(fields[0].polarity, 1);
  EXPECT_TRUE(fields[1].found);  // cut by the border of the field
  EXPECT_NEAR(fields[1].centre.y, 1.2, 0.15);
  EXPECT_NEAR(fields[1].centre.x, 21.5, 0.15);
  EXPECT_EQ(fields[1].peak_lag, 12);
  EXPECT_EQ(fields[1].polarity, -1);
  EXPECT_FALSE(fields[2].found);  // silent
}

TEST(ReceptiveField, IsNotFoundInNoiseOrInMoviesTooShort) {
  const StoredMovie movie = white_movie(3000, 12, 12);
  core::Array<float, 2> rates({20, 3000});
  core::Random random(78, core::Stream::test);
  for (float& rate : rates.values()) rate = 100.0f * static_cast<float>(random.poisson(0.2));
  for (const ReceptiveField& field : fit_receptive_fields(movie, {0.0, 1.0}, rates)) EXPECT_FALSE(field.found);
  EXPECT_FALSE(fit_receptive_fields(white_movie(60, 4, 4), {0.0, 1.0}, core::Array<float, 2>({1, 60}, 1.0f))[0].found);
}

/// Simulated spikes of two circuits, their centres as fitted.
void expect_centres(const std::string& ensemble, double minutes, double largest_error) {
  SimulationSettings settings;
  settings.seed = 5;
  settings.ensemble = ensemble;
  settings.train_minutes = minutes;
  settings.test_seconds = 1;
  settings.repeats = 10;
  settings.cells = {{"a", "latency", 22.3, 27.6}, {"b", "anticipation", 26.0, 20.5}};
  const test::TemporaryFolder folder;
  simulate_recording(parallel::Communicator::world(), settings, folder / "recording.h5", io::Provenance{});
  RecordingSettings fitted;
  fitted.centres = "sta";
  Recording recording = load_recording(folder / "recording.h5", fitted, Load::train);
  EXPECT_FALSE(recording.cells[0].centre.has_value());
  fit_centres(recording, fitted);
  for (std::size_t n = 0; n < 2; ++n) {
    const Cell& cell = recording.cells[n];
    ASSERT_TRUE(cell.centre.has_value()) << ensemble << ' ' << cell.name;
    EXPECT_LE(cell.centre_error_px, largest_error);
    EXPECT_LE(std::abs(cell.centre->y - settings.cells[n].y), 4 * cell.centre_error_px) << ensemble << ' ' << cell.name;
    EXPECT_LE(std::abs(cell.centre->x - settings.cells[n].x), 4 * cell.centre_error_px) << ensemble << ' ' << cell.name;
  }
  if (ensemble == "white") {
    EXPECT_NEAR(recording.cells[0].radius_px, 1.6, 0.25);
  }
  Recording given = load_recording(folder / "recording.h5", {}, Load::train);
  fit_centres(given, {});
  EXPECT_EQ(given.cells[0].centre->y, 22.3);  // the file's own centres win
  EXPECT_EQ(given.cells[0].centre_error_px, 0.0);
}

TEST(FullReceptiveField, OfCircuitsOnWhiteNoise) { expect_centres("white", 4.0, 0.3); }
TEST(FullReceptiveField, OfCircuitsOnNaturalMovies) { expect_centres("natural", 12.0, 1.0); }

}  // namespace
}  // namespace amacrine::recording
