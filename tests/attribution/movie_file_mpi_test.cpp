// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/baseline.hpp"
#include "amacrine/attribution/movie.hpp"
#include "amacrine/attribution/run.hpp"
#include "amacrine/core/numbers.hpp"
#include "attribution/small_model.hpp"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

constexpr std::size_t movie_frames = 60, movie_pixels = 13 * 12;

std::string movie_folder(const parallel::Communicator& world) {
  const auto folder = std::filesystem::temp_directory_path() / ("amacrine_movies_" + std::to_string(world.size()));
  if (world.root()) std::filesystem::create_directories(folder);
  world.barrier();
  return folder.string() + "/";
}

std::uint8_t movie_pixel(std::size_t i) {
  return static_cast<std::uint8_t>(100 + core::Random(9, core::Stream::test, i).uniform() * 60);
}

/// A movie of random bytes that stand for contrast = (value - 127) / 42.
std::string write_movie(const parallel::Communicator& world, const std::string& path) {
  io::ResultWriter writer(world, path, "movie", {});
  writer.dimension({"time", movie_frames, "1", "frame", {}, {}});
  writer.dimension({"y", 13, "px", "row", {}, {}});
  writer.dimension({"x", 12, "px", "column", {}, {}});
  writer.variable({"scene", io::Type::uint8, {"time", "y", "x"}, "1", "pixel value", {}});
  writer.create();
  std::vector<int> values(movie_frames * movie_pixels);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = movie_pixel(i);
  if (world.root()) writer.write<int>("scene", values);
  writer.finish();
  return path;
}

/// Attributes a file's movie and returns the path of the attributions.
std::string attribute_movie(const parallel::Communicator& communicator, AttributionSettings settings, const std::string& movie,
                            const std::string& path) {
  const model::Model model = small_model();
  settings.source = Source::file;
  settings.movie = {movie, "scene", 127, 42};
  settings.panels = 4;
  settings.block_windows = 5;
  const Plan plan = make_plan(settings, {}, model, open_movie(settings, "", {}, model));
  Attributor<float> attributor(core::Exec(), model::make_inference<float>(model), settings);
  AttributionFile file(communicator, path, "network", plan, model, first_layer_facts(attributor.plain()), settings, {});
  file.create();
  if (communicator.root()) file.write_frame();
  run_plan(communicator, plan, attributor, file);
  file.finish();
  return path;
}

void expect_equal_values(const std::vector<float>& a, const std::vector<float>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0) << what;
}

AttributionSettings every_window() {
  AttributionSettings settings;
  settings.levels = "unit";
  return settings;
}

TEST(MovieFile, RowsAreThoseOfTheMovieInMemory) {
  const auto world = parallel::Communicator::world();
  const std::string folder = movie_folder(world), movie = write_movie(world, folder + "movie.h5");
  const io::Reader file(attribute_movie(world, every_window(), movie, folder + "rows.h5"));
  core::Array<float, 3> contrast({movie_frames, 13, 12});
  for (std::size_t i = 0; i < contrast.size(); ++i) contrast.values()[i] = (static_cast<float>(movie_pixel(i)) - 127.0F) / 42.0F;
  AttributionSettings settings;
  settings.panels = 4;
  BlockAttributor<float> engine(core::Exec(), model::make_inference<float>(small_model()), settings);
  const Block& block = engine.attribute(contrast, 5, movie_frames - 5, {0, 1, 2}, Level::unit);
  const std::vector<float> rate = file.read<float>("rate"), attribution = file.read<float>("unit_attribution");
  ASSERT_EQ(rate.size(), block.rate.size());
  ASSERT_EQ(attribution.size(), block.unit_attribution.size());
  for (std::size_t i = 0; i < rate.size(); ++i) EXPECT_NEAR(rate[i], block.rate.values()[i], 1e-4);
  for (std::size_t i = 0; i < attribution.size(); ++i) EXPECT_NEAR(attribution[i], block.unit_attribution[i], 1e-4);
  EXPECT_EQ(file.read<std::int32_t>("window_frame").front(), 5);
}

TEST(MovieFile, ChosenFramesHaveTheBitsTheyHaveAmongAll) {
  const auto world = parallel::Communicator::world();
  const std::string folder = movie_folder(world), movie = write_movie(world, folder + "movie.h5");
  const io::Reader all(attribute_movie(world, every_window(), movie, folder + "all.h5"));
  std::map<std::string, FrameSettings> choices;
  choices["every"].every = 7;
  choices["range"].from_s = 0.30;
  choices["range"].to_s = 0.45;
  choices["times"].times_s = {0.07, 0.08, 0.59};
  for (const auto& [name, frames] : choices) {
    AttributionSettings settings = every_window();
    settings.frames = frames;
    const io::Reader some(attribute_movie(world, settings, movie, folder + name + ".h5"));
    const auto chosen = some.read<std::int32_t>("window_frame");
    EXPECT_GT(chosen.size(), 2U);
    for (std::size_t w = 0; w < chosen.size(); ++w) {
      const auto at = static_cast<std::size_t>(chosen[w] - 5);
      expect_equal_values(some.read<float>("unit_attribution", {w, 0, 0, 0, 0}, {1, 3, 3, 9, 9}),
                          all.read<float>("unit_attribution", {at, 0, 0, 0, 0}, {1, 3, 3, 9, 9}), name);
      expect_equal_values(some.read<float>("rate", {w, 0}, {1, 3}), all.read<float>("rate", {at, 0}, {1, 3}), name);
    }
  }
}

TEST(MovieFile, PixelsOfChosenFramesAreThoseOfTheirWindows) {
  const auto world = parallel::Communicator::world();
  const std::string folder = movie_folder(world), movie = write_movie(world, folder + "movie.h5");
  AttributionSettings settings;
  settings.levels = "pixel";
  const io::Reader all(attribute_movie(world, settings, movie, folder + "all_pixels.h5"));
  for (int every : {4, 9}) {  // windows that overlap, and that do not
    settings.frames.every = every;
    const io::Reader some(attribute_movie(world, settings, movie, folder + "pixels" + std::to_string(every) + ".h5"));
    const std::size_t windows = some.shape("window_frame")[0];
    EXPECT_GT(windows, 5U);
    for (std::size_t w = 0; w < windows; ++w)
      expect_equal_values(some.read<float>("pixel_attribution", {w, 0, 0, 0, 0}, {1, 3, 6, 13, 12}),
                          all.read<float>("pixel_attribution", {w * core::as_size(every), 0, 0, 0, 0}, {1, 3, 6, 13, 12}),
                          "pixels");
  }
}

TEST(MovieFile, TheLargestAreKeptAndTheRestCompletesTheRow) {
  const auto world = parallel::Communicator::world();
  const std::string folder = movie_folder(world), movie = write_movie(world, folder + "movie.h5");
  AttributionSettings settings = every_window();
  settings.frames.every = 11;
  const io::Reader whole(attribute_movie(world, settings, movie, folder + "whole.h5"));
  settings.storage = Storage::top;
  settings.top = 20;
  const io::Reader kept(attribute_movie(world, settings, movie, folder + "kept.h5"));
  const auto index = kept.read<std::int32_t>("unit_top_index");
  const auto rate = kept.read<float>("rate"), baseline = kept.read<float>("baseline_rate"),
             residual = kept.read<float>("residual"), rest = kept.read<float>("unit_rest_attribution"),
             largest = kept.read<float>("unit_top_attribution");
  EXPECT_EQ(index.size(), rate.size() * 20);
  EXPECT_FALSE(kept.has("unit_attribution"));
  for (const char* figure : {"attribution", "downstream_weight", "response_weight", "drive", "response_change"}) {
    const auto all = whole.read<float>(std::string("unit_") + figure), some = kept.read<float>(std::string("unit_top_") + figure);
    std::vector<float> taken;
    for (std::size_t i = 0; i < index.size(); ++i) taken.push_back(all[i / 20 * 243 + static_cast<std::size_t>(index[i])]);
    expect_equal_values(some, taken, figure);
  }
  for (std::size_t row = 0; row < rate.size(); ++row) {
    float sum = rest[row];
    for (std::size_t i = 0; i < 20; ++i) sum += largest[row * 20 + i];
    EXPECT_NEAR(sum, rate[row] - baseline[row] + residual[row], 1e-4);
  }
}

TEST(MovieFile, OnlyTheQuantitiesAskedForAreStored) {
  const auto world = parallel::Communicator::world();
  const std::string folder = movie_folder(world), movie = write_movie(world, folder + "movie.h5");
  AttributionSettings settings = every_window();
  settings.quantities = {"attribution"};
  settings.weights = false;
  settings.frames.every = 20;
  const io::Reader file(attribute_movie(world, settings, movie, folder + "quantities.h5"));
  for (const char* prefix : {"", "unit_"}) {
    EXPECT_TRUE(file.has(std::string(prefix) + "attribution"));
    EXPECT_FALSE(file.has(std::string(prefix) + "downstream_weight"));
    EXPECT_FALSE(file.has(std::string(prefix) + "drive"));
  }
}

TEST(MovieFile, HasTheSameBitsOnAnyNumberOfRanks) {
  const auto world = parallel::Communicator::world();
  const std::string folder = movie_folder(world), movie = write_movie(world, folder + "movie.h5");
  AttributionSettings settings = every_window();
  settings.storage = Storage::top;
  settings.top = 9;
  settings.frames.every = 3;
  const std::string together = attribute_movie(world, settings, movie, folder + "together.h5");
  if (world.root()) {
    const io::Reader a(together), b(attribute_movie(parallel::Communicator::self(), settings, movie, folder + "alone.h5"));
    for (const char* name :
         {"rate", "residual", "attribution", "unit_top_attribution", "unit_rest_attribution", "unit_top_drive"})
      expect_equal_values(a.read<float>(name), b.read<float>(name), name);
    EXPECT_EQ(a.read<std::int32_t>("unit_top_index"), b.read<std::int32_t>("unit_top_index"));
  }
  world.barrier();
}

/// From a frame of the movie itself, a movie that stands still at that frame has nothing to attribute, and F[s0] is its rate.
TEST(MovieFile, ABaselineIsReadFromAFile) {
  const auto world = parallel::Communicator::world();
  const std::string folder = movie_folder(world), movie = write_movie(world, folder + "movie.h5");
  AttributionSettings settings;
  settings.baseline = Baseline::given;
  settings.baseline_frame = {movie, "scene", 30, 127, 42, {}};
  settings.panels = 4;
  const model::Model model = small_model();
  core::Array<float, 3> still({8, 13, 12});
  for (std::size_t i = 0; i < still.size(); ++i)
    still.values()[i] = (static_cast<float>(movie_pixel(30 * movie_pixels + i % movie_pixels)) - 127.0F) / 42.0F;
  BlockAttributor<float> engine(core::Exec(), model::make_inference<float>(model), with_baseline(settings, model));
  const Block block = engine.attribute(still, 5, 3, {0, 1, 2});
  BlockAttributor<float> from_grey(core::Exec(), model::make_inference<float>(model), AttributionSettings{});
  const Block grey = from_grey.attribute(still, 5, 3, {0, 1, 2});
  for (std::size_t i = 0; i < block.rate.size(); ++i) {
    EXPECT_NEAR(block.baseline_rate.values()[i], grey.rate.values()[i], 1e-4);
    EXPECT_NEAR(block.rate.values()[i], grey.rate.values()[i], 1e-4);
  }
  for (double a : block.attribution.values()) EXPECT_NEAR(a, 0.0, 1e-4);
  EXPECT_GT(std::abs(grey.rate.values()[0] - grey.baseline_rate.values()[0]), 1e-3);
}

TEST(MovieFile, FramesOfAnotherSizeAreRefused) {
  const auto world = parallel::Communicator::world();
  const std::string folder = movie_folder(world), movie = write_movie(world, folder + "movie.h5");
  AttributionSettings settings;
  settings.source = Source::file;
  settings.movie = {movie, "scene", 127, 42};
  model::Model model = small_model();
  model.architecture.width = 14;
  try {
    open_movie(settings, "", {}, model);
    ADD_FAILURE() << "nothing was refused";
  } catch (const core::InputError& error) {
    EXPECT_THAT(std::string(error.what()), testing::HasSubstr("13 x 12"));
  }
}

}  // namespace
}  // namespace amacrine::attribution
