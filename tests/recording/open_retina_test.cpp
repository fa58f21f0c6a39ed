// SPDX-License-Identifier: Apache-2.0
// Sessions as open-retina lays them out, and the NPY files of their movies, against the values that were written.
#include "foreign_file.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording::open_retina_test {
namespace {

using foreign::Hdf5;
using foreign::Shape;
using foreign::write_npy;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t height = 3, width = 4, cells = 2;

double movie_at(double seed, const Shape& cthw) {
  const auto [c, t, y, x] = std::array{cthw[0], cthw[1], cthw[2], cthw[3]};
  return static_cast<double>((11 * t + 5 * y + 3 * x + t * x + 50 * c) % 113) + seed;
}
double rate_at(double seed, std::size_t n, std::size_t t) { return (t + n) % 3 == 0 ? 20.5 + seed : 1.25; }

class OpenRetina : public testing::Test {
 protected:
  OpenRetina() { std::filesystem::create_directories(folder_ / "stimuli"); }

  void write_movie(const std::string& name, double seed, std::size_t frames, std::size_t channels = 1) {
    write_npy<float>(folder_ / ("stimuli/" + name + ".npy"), "<f4", {channels, frames, height, width},
                     [seed](const Shape& i) { return movie_at(seed, i); });
  }
  void add_responses(Hdf5& file, const std::string& name, double seed, std::size_t frames) {
    file.add("responses_" + name, H5T_NATIVE_FLOAT, {cells, frames},
             [seed](const Shape& i) { return rate_at(seed, i[0], i[1]); });
  }
  /// Three movies: b and noise are trained on, held_out is not.
  void write_session(const std::string& name = "session_1.hdf5") {
    write_movie("noise", 0.5, 30);
    write_movie("b", 100.25, 25);
    write_movie("held_out", 30, 20);
    Hdf5 file(folder_ / name);
    add_responses(file, "noise", 0, 30);
    add_responses(file, "b", 10, 25);
    add_responses(file, "held_out", 5, 20);
    file.add("session_info/place", H5T_NATIVE_DOUBLE, {2}, [](const Shape&) { return 1.0; });
  }
  std::string study(const std::string& mapping = "test_name = \"held_out\"\n", const std::string& more = "") const {
    return "[recording]\nfile = \"" + folder_.path() + "\"\ntarget = \"firing_rate_10ms\"\nframe_ms = 10\n" + more +
           "[recording.mapping]\n" + mapping;
  }
  Recording load(const std::string& text, Load what = Load::both) {
    const RecordingSettings settings = foreign::settings(text);
    return load_recording(settings.file, settings, what);
  }
  std::string message(const std::string& text) {
    try {
      load(text);
    } catch (const core::Error& error) {
      return error.what();
    }
    return "nothing was refused";
  }
  static void expect_movie(const StoredMovie& movie, std::size_t first, std::size_t frames, double seed,
                           std::size_t channel = 0) {
    for (std::size_t t = 0; t < frames; ++t)
      for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x)
          ASSERT_EQ(foreign::pixel(movie, first + t, y, x), movie_at(seed, {channel, t, y, x})) << t << " " << y << " " << x;
  }
  test::TemporaryFolder folder_;
};

TEST_F(OpenRetina, MoviesFollowOneAnotherAsBlocks) {
  write_session();
  const Recording recording = load(study());
  ASSERT_EQ(recording.train.movie.frames(), 55u);
  expect_movie(recording.train.movie, 0, 25, 100.25);
  expect_movie(recording.train.movie, 25, 30, 0.5);
  expect_movie(recording.test.movie, 0, 20, 30);
  EXPECT_THAT(recording.block_starts, ElementsAre(0u, 25u));
  for (std::size_t n = 0; n < cells; ++n) {
    for (std::size_t t = 0; t < 55; ++t)
      ASSERT_EQ(recording.train.target(n, t), static_cast<float>(t < 25 ? rate_at(10, n, t) : rate_at(0, n, t - 25)));
    for (std::size_t t = 0; t < 20; ++t) ASSERT_EQ(recording.test.target(n, t), static_cast<float>(rate_at(5, n, t)));
  }
  EXPECT_EQ(recording.test.repeats.extent(0), 0u);
}

TEST_F(OpenRetina, NamesChooseWhatIsTrainedOn) {
  write_session();
  const Recording recording = load(study("test_name = \"\"\ntrain_names = [\"noise\"]\n"), Load::train);
  ASSERT_EQ(recording.train.movie.frames(), 30u);
  expect_movie(recording.train.movie, 0, 30, 0.5);
  EXPECT_EQ(recording.test.movie.frames(), 0u);
}

TEST_F(OpenRetina, ASessionsOwnMovieComesFirst) {
  write_session();
  {
    Hdf5 file(folder_ / "session_1.hdf5");
    add_responses(file, "held_out", 5, 20);
    add_responses(file, "own", 3, 22);
    file.add("stimulus_own", H5T_NATIVE_UINT8, {2, 22, height, width}, [](const Shape& i) { return movie_at(7, i); });
  }
  EXPECT_THAT(message(study()),
              AllOf(HasSubstr("stimulus_own"), HasSubstr("2 channels"), HasSubstr("recording.mapping.channel")));
  write_movie("held_out", 30, 20, 2);
  const Recording recording = load(study("test_name = \"held_out\"\nchannel = 1\n"));
  expect_movie(recording.train.movie, 0, 22, 7, 1);
  expect_movie(recording.test.movie, 0, 20, 30, 1);
}

TEST_F(OpenRetina, WhatTheSessionDoesNotSayIsAskedForByItsKey) {
  write_session();
  const auto without = [](std::string text, const std::string& line) { return text.erase(text.find(line), line.size()); };
  EXPECT_THAT(message(study("channel = 0\n")),
              AllOf(HasSubstr("responses to b, held_out, noise"), HasSubstr("recording.mapping.test_name")));
  EXPECT_THAT(message(without(study(), "target = \"firing_rate_10ms\"\n")), HasSubstr("set recording.target"));
  EXPECT_THAT(message(without(study(), "frame_ms = 10\n")), HasSubstr("set recording.frame_ms"));
  EXPECT_THAT(message(study("test_name = \"chirp\"\n")),
              AllOf(HasSubstr("no dataset responses_chirp"), HasSubstr("mapping.test_name")));
  EXPECT_THAT(message(study("test_name = \"b\"\ntrain_names = [\"b\"]\n")), HasSubstr("both name b"));
  EXPECT_THAT(message(study("test_name = \"held_out\"\n", "blocks = 5\n")), HasSubstr("leave recording.blocks out"));
  EXPECT_EQ(message(study("test_name = \"b\"\ntrain_names = [\"noise\"]\n")), "nothing was refused") << "b is in one of them";
  EXPECT_EQ(message(study()), "nothing was refused") << "with the keys, and without blocks";
  std::filesystem::remove(folder_ / "stimuli/noise.npy");
  EXPECT_THAT(message(study()), AllOf(HasSubstr("stimuli/noise.npy"), HasSubstr("recording.mapping.train_names")));
  EXPECT_EQ(load(study("test_name = \"held_out\"\ntrain_names = [\"b\"]\n")).train.movie.frames(), 25u);
  write_movie("noise", 1, 31);
  EXPECT_THAT(message(study()), AllOf(HasSubstr("31 frames"), HasSubstr("30 bins"), HasSubstr("Cut one of them at its end")));
  write_movie("noise", 1, 30);
  EXPECT_EQ(message(study()), "nothing was refused") << "cut at its end";
}

TEST_F(OpenRetina, AFolderWithOneSessionIsItsFile) {
  write_session();
  EXPECT_EQ(load(study()).path, folder_ / "session_1.hdf5");
  write_session("session_2.hdf5");
  EXPECT_THAT(message(study()), AllOf(HasSubstr("session_1.hdf5, session_2.hdf5"), HasSubstr("[sessions.NAME]")));
  std::string one = study();
  one.replace(one.find(folder_.path()), folder_.path().size(), folder_ / "session_2.hdf5");
  EXPECT_EQ(load(one).path, folder_ / "session_2.hdf5");
  for (const char* name : {"session_1.hdf5", "session_2.hdf5"}) std::filesystem::remove(folder_ / name);
  EXPECT_THAT(message(study()), HasSubstr("folder without session_*.hdf5"));
}

TEST_F(OpenRetina, ChecksumsCoverTheMoviesOfThePart) {
  write_session();
  const RecordingSettings settings = foreign::settings(study());
  const auto train = [&] { return training_input(parallel::Communicator::self(), settings.file, settings).checksum; };
  const auto whole = [&] {
    return recording_input(parallel::Communicator::self(), "recording", settings.file, settings).checksum;
  };
  const std::string train_before = train(), whole_before = whole();
  write_movie("held_out", 31, 20);
  EXPECT_EQ(train(), train_before);
  EXPECT_NE(whole(), whole_before);
  write_movie("noise", 2.5, 30);
  EXPECT_NE(train(), train_before);
}

/// A session whose movie is one NPY file of number type T.
template <class T>
void expect_read(const std::string& folder, const std::string& descr, int version, bool fortran) {
  SCOPED_TRACE(descr + " version " + std::to_string(version) + (fortran ? " Fortran" : " C"));
  const Shape shape{2, 30, height, width};
  write_npy<T>(
      folder + "/stimuli/a.npy", descr, shape, [](const Shape& i) { return movie_at(0, i); }, version, fortran);
  const RecordingSettings settings =
      foreign::settings("[recording]\ntarget = \"trace\"\nframe_ms = 10\n[recording.mapping]\ntest_name = \"\"\nchannel = 1\n");
  const std::unique_ptr<Source> source = open_source(folder + "/session_1.hdf5", settings);
  ASSERT_EQ(source->shape("train/stimulus"), (Shape{30, height, width}));
  const std::vector<float> frames = source->read<float>("train/stimulus", {7, 1, 0}, {5, 2, width});
  for (std::size_t t = 0; t < 5; ++t)
    for (std::size_t y = 0; y < 2; ++y)
      for (std::size_t x = 0; x < width; ++x) ASSERT_EQ(frames[(t * 2 + y) * width + x], movie_at(0, {1, t + 7, y + 1, x}));
}

TEST_F(OpenRetina, MoviesAreReadInEveryVersionOrderAndNumberType) {
  {
    Hdf5 file(folder_ / "session_1.hdf5");
    add_responses(file, "a", 0, 30);
  }
  for (const int version : {1, 2, 3})
    for (const bool fortran : {false, true}) {
      expect_read<float>(folder_.path(), "<f4", version, fortran);
      expect_read<double>(folder_.path(), "<f8", version, fortran);
      expect_read<std::uint8_t>(folder_.path(), "|u1", version, fortran);
      expect_read<std::int16_t>(folder_.path(), "<i2", version, fortran);
    }
}

TEST_F(OpenRetina, NpyFilesThatCannotBeReadSayWhy) {
  write_session();
  const std::string noise = folder_ / "stimuli/noise.npy";
  const auto zero = [](const Shape&) { return 0.0; };
  write_npy<float>(noise, ">f4", {1, 30, height, width}, zero);
  EXPECT_THAT(message(study()), AllOf(HasSubstr("values of type >f4"), HasSubstr("np.save")));
  write_npy<float>(noise, "<c8", {1, 30, height, width}, zero);
  EXPECT_THAT(message(study()), HasSubstr("values of type <c8"));
  write_npy<float>(noise, "<f4", {30, height, width}, zero);
  EXPECT_THAT(message(study()), HasSubstr("expected a movie (channels, time, height, width)"));
  write_npy<float>(noise, "<f4", {1, 30, height, width}, zero, 4);
  EXPECT_THAT(message(study()), HasSubstr("NPY file of version 4"));
  write_movie("noise", 0.5, 30);
  std::filesystem::resize_file(noise, std::filesystem::file_size(noise) - 1);
  EXPECT_THAT(message(study()), HasSubstr("is cut short: its header promises (1, 30, 3, 4)"));
  std::filesystem::resize_file(noise, 40);
  EXPECT_THAT(message(study()), HasSubstr("is cut short in its header"));
  std::ofstream(noise, std::ios::binary) << "numbers";
  EXPECT_THAT(message(study()), HasSubstr("is no NPY file"));
  write_movie("noise", 0.5, 30);
  EXPECT_EQ(message(study()), "nothing was refused") << "copied again, as numbers that are read";
}

}  // namespace
}  // namespace amacrine::recording::open_retina_test
