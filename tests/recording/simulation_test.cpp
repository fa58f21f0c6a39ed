// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/simulation.hpp"

#include "amacrine/recording/circuit.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/recording/smoothing.hpp"
#include "amacrine/recording/spikes.hpp"
#include "amacrine/stimulus/ensemble.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

using testing::ElementsAre;

/// Forty seconds of two cells, made once.
class Simulation : public testing::Test {
 protected:
  static SimulationSettings settings() {
    SimulationSettings s;
    s.seed = 3;
    s.train_minutes = 0.5;
    s.test_seconds = 3;
    s.repeats = 12;
    s.cells = {{"a", "latency", 22.5, 26.0}, {"b", "osr_depressing", 27.0, 21.5}};
    return s;
  }
  static void SetUpTestSuite() {
    folder_ = new test::TemporaryFolder;
    activity_ = simulate_recording(parallel::Communicator::world(), settings(), path(), io::Provenance{});
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string path() { return *folder_ / "recording.h5"; }
  static test::TemporaryFolder* folder_;
  static std::vector<SimulatedActivity> activity_;
};
test::TemporaryFolder* Simulation::folder_ = nullptr;
std::vector<SimulatedActivity> Simulation::activity_;

/// A part's movie in contrast.
core::Array<float, 3> contrast_of_movie(const Recording& recording, const StoredMovie& movie) {
  core::Array<float, 3> contrast({movie.frames(), movie.height(), movie.width()});
  for (std::size_t t = 0; t < movie.frames(); ++t) movie.contrast(t, recording.coding, contrast.row(t).data());
  return contrast;
}

TEST_F(Simulation, IsALabFileWithItsMechanism) {
  const Recording recording = load_recording(path(), {});
  EXPECT_EQ(recording.train.movie.frames(), 3000u);
  EXPECT_EQ(recording.test.movie.frames(), 300u);
  EXPECT_EQ(recording.train.movie.bytes(), 3000u * 2500u);
  EXPECT_EQ(recording.coding.zero, 127.0);
  EXPECT_EQ(recording.coding.unit, 42.0);
  EXPECT_EQ(recording.screen.pixel_um, 55.0);
  EXPECT_EQ(recording.screen.frame_ms, 10.0);
  ASSERT_EQ(recording.cells.size(), 2u);
  EXPECT_EQ(recording.cells[1].name, "b");
  ASSERT_TRUE(recording.cells[1].centre.has_value());
  EXPECT_EQ(recording.cells[1].centre->y, 27.0);
  EXPECT_EQ(recording.cells[1].centre->x, 21.5);
  EXPECT_EQ(recording.test.repeats.shape(), (std::array<std::size_t, 3>{12, 2, 300}));
  const io::Reader reader(path());
  EXPECT_EQ(reader.text_attribute("circuits"), "latency,osr_depressing");
  for (const char* name : {"train/time", "test/time", "train/response/firing_rate_5ms", "train/response/firing_rate_20ms",
                           "test/repeats/firing_rate_10ms", "test/repeats/cell02", "test/response/binned"})
    EXPECT_TRUE(reader.has(name)) << name;
  EXPECT_EQ(reader.shape("test/repeats/firing_rate_10ms"), (std::vector<std::size_t>{12, 2, 300}));
}

TEST_F(Simulation, CellsSeeTheQuantisedMovie) {
  const Recording recording = load_recording(path(), {});
  for (const Part* part : {&recording.train, &recording.test}) {
    const core::Array<float, 3> contrast = contrast_of_movie(recording, part->movie);
    for (std::size_t n = 0; n < 2; ++n) {
      const SimulatedCell cell = settings().cells[n];
      const CircuitResponse response = respond(circuit(cell.circuit), contrast, recording.screen, {cell.y, cell.x});
      EXPECT_LE(test::relative_error(part->noiseless.row(n), response.rate_hz), 1e-5) << cell.circuit;
    }
  }
}

TEST_F(Simulation, MovieIsTheEnsemblesAndTestIsAnother) {
  const Recording recording = load_recording(path(), {});
  const auto& train = std::get<0>(recording.train.movie.pixels);
  const auto& held = std::get<0>(recording.test.movie.pixels);
  EXPECT_FALSE(std::equal(held.row(0).begin(), held.row(0).end(), train.row(0).begin()));
  double sum = 0, squares = 0;
  for (std::uint8_t value : train.values()) {
    const double contrast = (value - 127.0) / 42.0;
    sum += contrast;
    squares += contrast * contrast;
  }
  const double n = static_cast<double>(train.size()), mean = sum / n;
  EXPECT_NEAR(mean, 0.0, 0.4);  // 30 images of contrasts 0.4 to 1.4
  EXPECT_NEAR(std::sqrt(squares / n - mean * mean), 0.96, 0.3);
}

TEST_F(Simulation, CountsAreThePoissonTrainsOfTheRate) {
  const Recording recording = load_recording(path(), {});
  for (std::size_t n = 0; n < 2; ++n) {
    double expected = 0, found = 0;
    for (std::size_t t = 0; t < 3000; ++t) {
      expected += 0.01 * recording.train.noiseless(n, t);
      found += 0.01 * recording.train.target(n, t);
    }
    EXPECT_NEAR(found, expected, 5 * std::sqrt(expected));  // variance of a Poisson total
    EXPECT_EQ(activity_[n].spikes, std::round(found));
    EXPECT_NEAR(activity_[n].mean_hz, expected / 30.0, 1e-3 * expected);
  }
  // Trials scatter about the rate as Poisson counts do: mean squared deviation = mean count.
  double deviation = 0, counts = 0;
  for (std::size_t r = 0; r < 12; ++r)
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t t = 0; t < 300; ++t) {
        const double count = 0.01 * recording.test.repeats(r, n, t), mean = 0.01 * recording.test.noiseless(n, t);
        deviation += (count - mean) * (count - mean);
        counts += mean;
      }
  EXPECT_NEAR(deviation / counts, 1.0, 0.15);
}

TEST_F(Simulation, SmoothedRatesAreThoseOfTheWholeTrain) {
  const io::Reader reader(path());
  const std::vector<float> counts = reader.read<float>("train/response/binned");
  for (int width : smoothing_ms) {
    const std::vector<float> stored = reader.read<float>("train/response/firing_rate_" + std::to_string(width) + "ms");
    for (std::size_t n = 0; n < 2; ++n) {
      const std::vector<float> expected = firing_rate(std::span(counts).subspan(n * 3000, 3000), width, 10.0);
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), stored.begin() + static_cast<std::ptrdiff_t>(n * 3000)));
    }
  }
  RecordingSettings smooth;
  smooth.target = "firing_rate_10ms";
  const Recording by_rate = load_recording(path(), smooth, Load::test);
  double sum = 0;
  for (std::size_t r = 0; r < 12; ++r) sum += by_rate.test.repeats(r, 1, 150);
  EXPECT_NEAR(by_rate.test.target(1, 150), sum / 12, 1e-4 * (1 + sum));
}

TEST_F(Simulation, PlanPredictsTheBytes) {
  const SimulationPlan plan = plan_simulation(settings());
  EXPECT_EQ(plan.train_frames, 3000u);
  EXPECT_NEAR(plan.bytes / static_cast<double>(std::filesystem::file_size(path())), 1.0, 0.02);
}

TEST_F(Simulation, WhiteEnsembleAndOtherSeeds) {
  SimulationSettings white = settings();
  white.ensemble = "white";
  white.train_minutes = 1.0 / 30.0;
  white.test_seconds = 1;
  simulate_recording(parallel::Communicator::world(), white, *folder_ / "white.h5", io::Provenance{});
  const Recording recording = load_recording(*folder_ / "white.h5", {});
  for (std::uint8_t value : std::get<0>(recording.train.movie.pixels).values()) ASSERT_TRUE(value == 85 || value == 169);
  SimulationSettings other = white;
  other.seed = 4;
  simulate_recording(parallel::Communicator::world(), other, *folder_ / "other.h5", io::Provenance{});
  const Recording another = load_recording(*folder_ / "other.h5", {});
  const auto ours = std::get<0>(recording.train.movie.pixels).values(), theirs = std::get<0>(another.train.movie.pixels).values();
  EXPECT_FALSE(std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end()));
}

}  // namespace
}  // namespace amacrine::recording
