// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/random.hpp"
#include "amacrine/pathway/pathway_file.hpp"

#include <cmath>
#include <filesystem>
#include <numeric>
#include <unistd.h>

#include <gtest/gtest.h>

/// Fits of a recording's cells: the same on any number of ranks, and the file says what they are.
namespace amacrine::pathway {
namespace {

constexpr std::size_t frames = 9000, extent = 9;

/// Binary checks of 3 x 3 pixels, new in every frame.
std::uint8_t pixel(std::size_t part, std::size_t f, std::size_t y, std::size_t x) {
  core::Random random(5 + part, core::Stream::test, (f * extent + y / 3) * extent + x / 3);
  return random.uniform() < 0.5 ? 85 : 169;
}

recording::Part part(std::size_t number, std::size_t cells) {
  core::Array<std::uint8_t, 3> movie({frames, extent, extent});
  for (std::size_t f = 0; f < frames; ++f)
    for (std::size_t y = 0; y < extent; ++y)
      for (std::size_t x = 0; x < extent; ++x) movie(f, y, x) = pixel(number, f, y, x);
  recording::Part made;
  made.target = core::Array<float, 2>({cells, frames});
  // An ON and an OFF cell that answer the middle check three frames later.
  for (std::size_t n = 0; n < cells; ++n)
    for (std::size_t f = 3; f < frames; ++f) {
      const bool light = movie(f - 3, extent / 2, extent / 2) > 127;
      core::Random spikes(9 + number, core::Stream::test, n * frames + f);
      made.target(n, f) = 100.0F * static_cast<float>(spikes.poisson(light == (n % 2 == 0) ? 0.6 : 0.05));
    }
  made.movie.pixels = core::SharedArray<std::uint8_t, 3>(std::move(movie));
  return made;
}

recording::Recording made_recording() {
  recording::Recording recording;
  recording.path = "made";
  recording.screen.frame_ms = 10;
  for (int n = 0; n < 4; ++n) {
    recording::Cell cell;
    cell.id = n, cell.name = "cell" + std::to_string(n), cell.centre = stimulus::Centre{4, 4};
    recording.cells.push_back(cell);
  }
  recording.cells[2].centre.reset();
  recording.cells[3].silent = true;
  recording.train = part(0, 4), recording.test = part(1, 4);
  recording.block_starts = {0};
  return recording;
}

/// A quick fit of two cells.
struct Small {
  recording::Recording recording = made_recording();
  recording::RecordingSettings recording_settings;
  PathwaySettings settings;
  Small() {
    settings.most = 1, settings.candidates = 2, settings.short_steps = 20, settings.long_steps = 60;
    settings.radius_px = 3, settings.spacing_px = 1.5;
  }
  Study study() const { return {recording, recording_settings, settings, 12}; }
};

TEST(FitMpi, HasTheSameBitsOnAnyNumberOfRanks) {
  const Small small;
  const auto shared = fit_cells(parallel::Communicator::world(), small.study());
  const auto alone = fit_cells(parallel::Communicator::self(), small.study());
  ASSERT_EQ(shared.size(), 4u);
  for (std::size_t n = 0; n < 2; ++n) {
    EXPECT_EQ(shared[n].scale, alone[n].scale);
    EXPECT_EQ(shared[n].shape.unit_hz, alone[n].shape.unit_hz);
    for (std::size_t fold = 0; fold < fold_count; ++fold) {
      ASSERT_EQ(shared[n].folds[fold].size(), alone[n].folds[fold].size());
      ASSERT_GE(shared[n].folds[fold].size(), 2u);
      for (std::size_t k = 0; k < alone[n].folds[fold].size(); ++k) {
        const Step &a = shared[n].folds[fold][k], &b = alone[n].folds[fold][k];
        EXPECT_EQ(a.model.values, b.model.values);
        EXPECT_EQ(a.runner_up.values, b.runner_up.values);
        EXPECT_EQ(a.held_out, b.held_out);
        EXPECT_EQ(a.loss, b.loss);
      }
    }
  }
  EXPECT_NE(shared[2].left_out.find("recording.centre_y"), std::string::npos);
  EXPECT_NE(shared[3].left_out.find("no spikes"), std::string::npos);
}

TEST(FitMpi, FindsOneExcitatoryPathwayOfEitherPolarity) {
  const Small small;
  const auto fits = fit_cells(parallel::Communicator::world(), small.study());
  for (std::size_t n = 0; n < 2; ++n) {
    const Mechanism mechanism = mechanism_of(small.study(), fits[n], n);
    ASSERT_GE(mechanism.number, 1u);
    const Pathway& main = mechanism.pathways[0];
    // An excitatory ON pathway, or an inhibitory OFF one that says the same of two contrasts.
    EXPECT_EQ(main.sign() * main.polarity, n == 0 ? 1 : -1);
    EXPECT_NEAR(main.peak_ms, 30, 10);
    EXPECT_NEAR(main.dy_px, 0, 0.7);
    EXPECT_NEAR(main.dx_px, 0, 0.7);
    EXPECT_GE(mechanism.agreement[0].fits, 2);
  }
}

TEST(FitMpi, ACellWithoutAReceptiveFieldIsFittedOnceItsCentreIsGiven) {
  Small small;
  small.settings.long_steps = 10;
  EXPECT_NE(fit_cells(parallel::Communicator::world(), small.study())[2].left_out.find("give recording.centre_y"),
            std::string::npos);
  small.recording.cells[2].centre = stimulus::Centre{4, 4};
  const auto fits = fit_cells(parallel::Communicator::world(), small.study());
  EXPECT_EQ(fits[2].left_out, "");
  EXPECT_FALSE(fits[2].folds[whole].empty());
}

/// The fits that a later run finds in the file are those that were made.
void expect_fits_again(const std::string& path, const Study& study, const std::vector<CellFit>& fits) {
  EXPECT_TRUE(holds_fits(path, io::Provenance{}));
  io::Provenance other;
  other.study_hash = "another";
  EXPECT_FALSE(holds_fits(path, other));
  other.study_hash = "", other.inputs = {{"recording", "r.h5", "another"}};
  EXPECT_FALSE(holds_fits(path, other));
  EXPECT_FALSE(holds_fits(path + ".none", io::Provenance{}));
  const std::vector<CellFit> again = fitted_before(path, study);
  ASSERT_EQ(again.size(), fits.size());
  for (std::size_t n = 0; n < fits.size(); ++n) {
    EXPECT_EQ(again[n].left_out, fits[n].left_out);
    EXPECT_EQ(again[n].scale, fits[n].scale);
    for (std::size_t fold = 0; fold < fold_count; ++fold) {
      ASSERT_EQ(again[n].folds[fold].size(), fits[n].folds[fold].size());
      for (std::size_t k = 0; k < fits[n].folds[fold].size(); ++k) {
        EXPECT_EQ(again[n].folds[fold][k].model.values, fits[n].folds[fold][k].model.values);
        EXPECT_EQ(again[n].folds[fold][k].held_out, fits[n].folds[fold][k].held_out);
      }
    }
  }
  PathwaySettings coarser = study.settings;
  coarser.spacing_px = 3;
  const Study other_study{study.recording, study.recording_settings, coarser, study.history};
  EXPECT_THROW(fitted_before(path, other_study), core::InputError);
  // What the message says to do: fit again.
  EXPECT_NO_THROW(unpacked_fits(other_study, packed_fits(fit_cells(parallel::Communicator::self(), other_study)), path));
}

/// What the file says of cell 0, and of the two that were not fitted.
void expect_curves_and_claims(const io::Reader& reader, const Mechanism& found, const std::vector<CellFit>& fits) {
  EXPECT_EQ(reader.read_strings("not_fitted"), (std::vector<std::string>{"", "", fits[2].left_out, fits[3].left_out}));
  EXPECT_EQ(reader.read_strings("claim"), (std::vector<std::string>{"sign", "polarity", "peak", "place"}));
  EXPECT_EQ(reader.read<double>("centre_y")[0], 4);
  EXPECT_TRUE(std::isnan(reader.read<double>("centre_x")[2]));
  // The loss of every number; its differences are the curve above the lowest.
  const auto loss = reader.read<double>("held_out_loss", {0, 0}, {1, 2}), above = reader.read<double>("held_out", {0, 0}, {1, 2});
  for (std::size_t k = 0; k < 2; ++k) {
    const std::vector<double>& blocks = fits[0].folds[whole][k].held_out;
    EXPECT_NEAR(loss[k], std::accumulate(blocks.begin(), blocks.end(), 0.0) / static_cast<double>(blocks.size()), 1e-9);
    EXPECT_NEAR(loss[k] - std::min(loss[0], loss[1]), above[k], 1e-9);
  }
  const auto agrees = reader.read<std::int32_t>("agrees", {0, 0, 0, 0}, {1, 1, 3, 4});
  const Agreement& of_main = found.agreement[0];
  int sign = 0, place = 0;
  for (std::size_t fit = 0; fit < 3; ++fit) {
    EXPECT_EQ(agrees[fit * 4] == -1, fit >= static_cast<std::size_t>(of_main.fits));
    sign += agrees[fit * 4] == 1 ? 1 : 0, place += agrees[fit * 4 + 3] == 1 ? 1 : 0;
  }
  EXPECT_EQ(sign, of_main.sign);
  EXPECT_EQ(place, of_main.place);
}

TEST(FitMpi, TheFileHoldsWhatWasFound) {
  const Small small;
  const auto world = parallel::Communicator::world();
  const auto fits = fit_cells(world, small.study());
  const auto folder = std::filesystem::temp_directory_path() / "amacrine_pathway_tests";
  std::filesystem::create_directories(folder);
  const std::string path = world.broadcast((folder / (std::to_string(getpid()) + ".h5")).string());
  PathwayFile file(world, path, small.study(), fits, {{"osr", "latency"}, {"channel 0", "channel 1"}, 3}, io::Provenance{});
  const parallel::Range mine = world.owned(fits.size());
  for (std::size_t n = mine.begin; n < mine.end; ++n) {
    Mechanism found = mechanism_of(small.study(), fits[n], n);
    const core::Array<std::int32_t, 2> group({2, 1}, {0, -1});
    if (found.number > 0) found.following = {{"latency", {0.5}, {0.75}, 0.25, group}};
    std::vector<float> rate;
    if (found.left_out.empty())
      rate = predict(small.study(), fits[n], fits[n].folds[whole][found.number].model, small.recording.cells[n],
                     small.recording.test.movie);
    file.write_cell(n, small.recording.cells[n], found, rate);
  }
  if (world.root()) file.write_fits();
  file.finish();
  const Mechanism found = mechanism_of(small.study(), fits[0], 0);
  const io::Reader reader(path);
  EXPECT_EQ(reader.kind(), "pathways");
  const auto number = reader.read<std::int32_t>("pathways");
  EXPECT_EQ(number[0], static_cast<std::int32_t>(found.number));
  EXPECT_EQ(number[2], -1);
  const auto weight = reader.read<double>("weight", {0, 0}, {1, 1}),
             course = reader.read<double>("time_course", {0, 0, 0}, {1, 1, 12});
  EXPECT_EQ(weight[0], found.pathways[0].weight_hz);
  EXPECT_EQ(course, found.pathways[0].course);
  expect_curves_and_claims(reader, found, fits);
  EXPECT_EQ(reader.read<double>("network_share", {0, 1, 0}, {1, 1, 1})[0], 0.75);
  EXPECT_EQ(reader.read<double>("network_rest", {0, 1}, {1, 1})[0], 0.25);
  EXPECT_TRUE(std::isnan(reader.read<double>("network_rest", {0, 0}, {1, 1})[0]));
  EXPECT_EQ(reader.read<std::int32_t>("network_pathway", {0, 1, 0, 0}, {1, 1, 2, 3}),
            (std::vector<std::int32_t>{0, -2, -2, -1, -2, -2}));
  expect_fits_again(path, small.study(), fits);
  const auto rate = reader.read<float>("rate", {0, 0}, {1, frames});
  EXPECT_TRUE(std::isnan(rate[10]));
  EXPECT_TRUE(std::isfinite(rate[11]));
  EXPECT_TRUE(std::isfinite(rate[frames - 1]));
  world.barrier();
  if (world.root()) std::filesystem::remove(path);
}

}  // namespace
}  // namespace amacrine::pathway
