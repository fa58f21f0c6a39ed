// SPDX-License-Identifier: Apache-2.0
// Files of other layouts, read by the declarations of [recording.mapping], against the values that were written.
#include "amacrine/recording/movie_file.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "foreign_file.hpp"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording::declared_mapping_test {
namespace {

using foreign::Hdf5;
using foreign::Shape;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::size_t train_frames = 60, test_frames = 40, height = 3, width = 4, cells = 2, trials = 3;

double movie_at(std::size_t t, std::size_t y, std::size_t x) {
  return static_cast<double>((7 * t + 5 * y + 3 * x + t * x) % 251);
}
double count_at(std::size_t n, std::size_t t) { return static_cast<double>((t + 2 * n) % 5 == 0 ? 1 + n : 0); }
double trial_at(std::size_t r, std::size_t n, std::size_t t) { return static_cast<double>((t + n + 2 * r) % 4 == 0 ? 2 : 0); }

/// Of the axis that a letter names: its length.
std::size_t length_of(char letter, std::size_t frames) {
  switch (letter) {
    case 't':
      return frames;
    case 'h':
      return height;
    case 'w':
      return width;
    case 'n':
      return cells;
    case 'r':
      return trials;
    default:
      return 1;
  }
}

Shape shape_of(const std::string& axes, std::size_t frames) {
  Shape shape;
  for (const char letter : axes) shape.push_back(length_of(letter, frames));
  return shape;
}

/// The index on the axis that a letter names, 0 for axes that are not there.
std::size_t along(char letter, const std::string& axes, const Shape& index) {
  const std::size_t at = axes.find(letter);
  return at == std::string::npos ? 0 : index[at];
}

/// A file with its axes in the order of the letters; cell 1 has one trial fewer, filled up with NaN.
void write(Hdf5& file, const std::string& movie, const std::string& response, const std::string& repeats, const char* matlab) {
  const auto pixels = [&](std::size_t first) {
    return
        [&, first](const Shape& i) { return movie_at(along('t', movie, i) + first, along('h', movie, i), along('w', movie, i)); };
  };
  file.add("stim/a", H5T_NATIVE_UINT8, shape_of(movie, train_frames), pixels(0), matlab);
  file.add("stim/b", H5T_NATIVE_UINT8, shape_of(movie, test_frames), pixels(1000), matlab);
  file.add(
      "spikes", H5T_NATIVE_INT16, shape_of(response, train_frames),
      [&](const Shape& i) { return count_at(along('n', response, i), along('t', response, i)); }, matlab);
  file.add(
      "frozen", H5T_NATIVE_DOUBLE, shape_of(repeats, test_frames),
      [&](const Shape& i) {
        const std::size_t r = along('r', repeats, i), n = along('n', repeats, i);
        return n == 1 && r == 1 ? std::nan("") : trial_at(r, n, along('t', repeats, i));
      },
      matlab);
}

std::string declared(const std::string& movie, const std::string& response, const std::string& repeats,
                     const std::string& more = "") {
  return "[recording]\ntarget = \"binned\"\nframe_ms = 20\n[recording.mapping]\ntrain_stimulus = \"stim/a\"\n"
         "test_stimulus = \"stim/b\"\ntrain_response = \"spikes\"\ntest_repeats = \"frozen\"\nstimulus_axes = \"" +
         movie + "\"\nresponse_axes = \"" + response + "\"\nrepeats_axes = \"" + repeats + "\"\n" + more;
}

class Mapped : public testing::Test {
 protected:
  Recording load(const std::string& study, Load what = Load::both) {
    return load_recording(folder_ / "rec.h5", foreign::settings(study), what);
  }
  std::string message(const std::string& study) {
    try {
      load(study);
    } catch (const core::Error& error) {
      return error.what();
    }
    return "nothing was refused";
  }
  /// Every value, against what was written.
  void expect_written(const Recording& recording) {
    ASSERT_EQ(recording.cells.size(), cells);
    EXPECT_EQ(recording.screen.frame_ms, 20.0);
    for (const auto& [part, first] : {std::pair<const Part*, std::size_t>{&recording.train, 0}, {&recording.test, 1000}})
      for (std::size_t t = 0; t < part->movie.frames(); ++t)
        for (std::size_t y = 0; y < height; ++y)
          for (std::size_t x = 0; x < width; ++x)
            ASSERT_EQ(foreign::pixel(part->movie, t, y, x), movie_at(t + first, y, x)) << t << " " << y << " " << x;
    ASSERT_EQ(recording.train.movie.frames(), train_frames);
    ASSERT_EQ(recording.test.movie.frames(), test_frames);
    for (std::size_t n = 0; n < cells; ++n)
      for (std::size_t t = 0; t < train_frames; ++t)
        ASSERT_EQ(recording.train.target(n, t), 50 * count_at(n, t)) << n << " " << t;
    ASSERT_EQ(recording.test.repeats.extent(0), trials - 1) << "cell 1 has two trials";
    for (std::size_t n = 0; n < cells; ++n)
      for (std::size_t r = 0; r < trials - 1; ++r)
        for (std::size_t t = 0; t < test_frames; ++t) {
          const std::size_t written = n == 1 && r == 1 ? 2 : r;  // trial 1 of cell 1 is NaN
          ASSERT_EQ(recording.test.repeats(r, n, t), 50 * trial_at(written, n, t)) << r << " " << n << " " << t;
        }
  }
  test::TemporaryFolder folder_;
};

TEST_F(Mapped, AxesInAnyOrder) {
  for (const auto& [movie, response, repeats] : std::vector<std::array<std::string, 3>>{
           {"thw", "nt", "rnt"}, {"htw", "tn", "tnr"}, {"hwt", "tn", "ntr"}, {"wht", "nt", "rtn"}, {"twh", "tn1", "1nrt"}}) {
    SCOPED_TRACE(movie + " " + response + " " + repeats);
    {
      Hdf5 file(folder_ / "rec.h5");
      write(file, movie, response, repeats, nullptr);
    }
    expect_written(load(declared(movie, response, repeats)));
  }
}

TEST_F(Mapped, MatlabFilesHaveTheirAxesReversed) {
  {
    Hdf5 file(folder_ / "rec.h5", 512);
    write(file, "twh", "tn", "tnr", "double");  // what MATLAB shows as (h, w, t), (n, t) and (r, n, t)
  }
  expect_written(load(declared("hwt", "nt", "rnt")));
  expect_written(load(declared("hwt", "nt", "rnt", "order = \"matlab\"\n")));
  expect_written(load(declared("twh", "tn", "tnr", "order = \"hdf5\"\n")));
}

TEST_F(Mapped, FramesComeByIntervalsToo) {
  {
    Hdf5 file(folder_ / "rec.h5");
    write(file, "wht", "nt", "rnt", nullptr);
  }
  const MovieFile movie(open_source(folder_ / "rec.h5", foreign::settings(declared("wht", "nt", "rnt"))), "train/stimulus",
                        {100, 10});
  const core::Array<float, 3> frames = movie.contrast(17, 5);
  for (std::size_t t = 0; t < 5; ++t)
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x) EXPECT_NEAR(frames(t, y, x), (movie_at(t + 17, y, x) - 100) / 10, 1e-6);
}

TEST_F(Mapped, RepeatsCanBeADatasetForEachCell) {
  {
    Hdf5 file(folder_ / "rec.h5");
    write(file, "thw", "nt", "rnt", nullptr);
    for (std::size_t n = 0; n < cells; ++n)
      file.add("trials/unit" + std::to_string(n), H5T_NATIVE_UINT8, {test_frames, trials - n},
               [n](const Shape& i) { return trial_at(n == 1 && i[1] == 1 ? 2 : i[1], n, i[0]); });
  }
  std::string study = declared("thw", "nt", "tr");
  const std::string one = "test_repeats = \"frozen\"\n";
  study.replace(study.find(one), one.size(), "test_repeats_by_cell = [\"trials/unit0\", \"trials/unit1\"]\n");
  expect_written(load(study));
}

TEST_F(Mapped, ACellWithoutTrialsIsRefusedAndCanBeLeftOut) {
  {
    Hdf5 file(folder_ / "rec.h5");
    write(file, "thw", "nt", "rnt", nullptr);
    file.add("gone", H5T_NATIVE_DOUBLE, {trials, cells, test_frames},
             [](const Shape& i) { return i[1] == 1 ? std::nan("") : trial_at(i[0], i[1], i[2]); });
  }
  std::string study = declared("thw", "nt", "rnt");
  study.replace(study.find("\"frozen\""), 8, "\"gone\"");
  EXPECT_THAT(message(study), AllOf(HasSubstr("cell 1 has no trial"), HasSubstr("leave it out of recording.cells")));
  const std::string table = "[recording]\n";
  EXPECT_EQ(load(study.insert(study.find(table) + table.size(), "cells = [0]\n")).test.repeats.extent(0), trials);
}

TEST_F(Mapped, OneChannelOfSeveralIsChosen) {
  {
    Hdf5 file(folder_ / "rec.h5");
    write(file, "thw", "nt", "rnt", nullptr);
    for (const auto& [name, frames, first] : std::vector<std::tuple<std::string, std::size_t, std::size_t>>{
             {"colour/a", train_frames, 0}, {"colour/b", test_frames, 1000}})
      file.add(name, H5T_NATIVE_UINT8, {frames, 2, height, width},
               [first](const Shape& i) { return i[1] == 1 ? movie_at(i[0] + first, i[2], i[3]) : 9.0; });
  }
  std::string study = declared("tchw", "nt", "rnt");
  for (const char* part : {"a", "b"}) {
    const std::string grey = std::string("stim/") + part;
    study.replace(study.find(grey), grey.size(), std::string("colour/") + part);
  }
  EXPECT_THAT(message(study), AllOf(HasSubstr("2 channels"), HasSubstr("recording.mapping.channel")));
  expect_written(load(study + "channel = 1\n"));
  EXPECT_THAT(message(study + "channel = 2\n"), HasSubstr("recording.mapping.channel is 2"));
}

TEST_F(Mapped, WhatIsNotDeclaredIsAskedForByItsKey) {
  {
    Hdf5 file(folder_ / "rec.h5");
    write(file, "thw", "nt", "rnt", nullptr);
  }
  const auto without = [](std::string study, const std::string& key) {
    const std::size_t at = study.find(key);
    return study.erase(at, study.find('\n', at) + 1 - at);
  };
  const std::string all = declared("thw", "nt", "rnt");
  EXPECT_THAT(message(without(all, "target")), HasSubstr("set recording.target"));
  EXPECT_THAT(message(without(all, "frame_ms")), HasSubstr("set recording.frame_ms"));
  for (const std::string key :
       {"train_stimulus", "train_response", "stimulus_axes", "response_axes", "repeats_axes", "test_stimulus"})
    EXPECT_THAT(message(without(all, key)), HasSubstr("recording.mapping." + key)) << key;
  EXPECT_THAT(message(without(all, "test_repeats")), HasSubstr("give both or neither"));
  EXPECT_EQ(message(all), "nothing was refused") << "with all of them";
  const std::string both = all + "test_repeats_by_cell = [\"frozen\"]\n";
  EXPECT_THAT(message(both), HasSubstr("exclude each other; give the one that the file has"));
  EXPECT_EQ(message(without(both, "test_repeats_by_cell")), "nothing was refused");
  EXPECT_EQ(load(without(without(without(all, "test_repeats"), "test_stimulus"), "repeats_axes"), Load::train).cells.size(),
            cells);
}

TEST_F(Mapped, DeclarationsThatDoNotFitAreRefused) {
  {
    Hdf5 file(folder_ / "rec.h5");
    write(file, "thw", "nt", "rnt", nullptr);
  }
  EXPECT_THAT(message(declared("thwc", "nt", "rnt")), AllOf(HasSubstr("has 3 axes (60, 3, 4)"), HasSubstr("stimulus_axes")));
  EXPECT_EQ(message(declared("thw", "nt", "rnt")), "nothing was refused") << "with a letter for each axis";
  EXPECT_THAT(message(declared("thx", "nt", "rnt")), HasSubstr("holds 'x'"));
  EXPECT_THAT(message(declared("thh", "nt", "rnt")), HasSubstr("names the axis 'h' twice"));
  EXPECT_THAT(message(declared("hwt", "nt", "rnt")),
              AllOf(HasSubstr("gives 4 frames"), HasSubstr("gives 60 bins"), HasSubstr("recording.mapping.stimulus_axes")));
  std::string missing = declared("thw", "nt", "rnt");
  missing.replace(missing.find("stim/a"), 6, "stim/c");
  EXPECT_THAT(message(missing), AllOf(HasSubstr("has no dataset stim/c"), HasSubstr("recording.mapping.train_stimulus")));
  EXPECT_THAT(message(declared("thw", "nt", "nrt")), AllOf(HasSubstr("test/repeats/cell03"), HasSubstr("dataset frozen")))
      << "three cells with two trials";
}

/// The layout of a public file of calcium responses: movie (T, Y, X) of 0 and 1, z-scored traces (cells, T), and no attribute.
void write_traces(const std::string& path, std::size_t frames) {
  std::mt19937 random(5);
  std::vector<double> movie(frames * 20 * 15), noise(2 * frames);
  for (double& value : movie) value = static_cast<double>(random() % 2);
  std::normal_distribution<double> normal;
  for (double& value : noise) value = normal(random);
  Hdf5 file(path);
  file.add("stimulus", H5T_NATIVE_FLOAT, {frames, 20, 15}, [&](const Shape& i) { return movie[(i[0] * 20 + i[1]) * 15 + i[2]]; });
  file.add("response", H5T_NATIVE_FLOAT, {2, frames}, [&](const Shape& i) {
    const std::size_t y = i[0] == 0 ? 6 : 13, x = i[0] == 0 ? 4 : 9;  // centres, in pixels
    double drive = 0;
    if (i[1] >= 2)
      for (std::size_t dy = 0; dy < 3; ++dy)
        for (std::size_t dx = 0; dx < 3; ++dx) drive += movie[((i[1] - 2) * 20 + y + dy - 1) * 15 + x + dx - 1] - 0.5;
    return (i[0] == 0 ? 1 : -1) * drive + noise[i[0] * frames + i[1]];
  });
}

TEST_F(Mapped, TracesAreRefusedUntilTheyAreDeclaredAndThenHaveReceptiveFields) {
  write_traces(folder_ / "rec.h5", 1500);
  EXPECT_THAT(message(""),
              AllOf(HasSubstr("train/stimulus"), HasSubstr("responses_NAME"), HasSubstr("response (2, 1500)"),
                    HasSubstr("stimulus (1500, 20, 15)"), HasSubstr("train_stimulus"), HasSubstr("recording.frame_ms")));
  const std::string study =
      "[recording]\ntarget = \"trace\"\nframe_ms = 50\n[recording.mapping]\ntrain_stimulus = \"stimulus\"\nstimulus_axes = "
      "\"thw\"\n"
      "train_response = \"response\"\nresponse_axes = \"nt\"\n";
  Recording recording = load(study, Load::train);
  fit_centres(recording, foreign::settings(study));
  for (std::size_t n = 0; n < 2; ++n) {
    ASSERT_TRUE(recording.cells[n].centre) << n;
    EXPECT_LE(std::abs(recording.cells[n].centre->y - (n == 0 ? 6 : 13)), 0.5);
    EXPECT_LE(std::abs(recording.cells[n].centre->x - (n == 0 ? 4 : 9)), 0.5);
  }
  const auto values = recording.train.target.values();
  EXPECT_TRUE(std::any_of(values.begin(), values.end(), [](float v) { return v < 0; })) << "traces have both signs";
}

TEST_F(Mapped, TheChecksumOfATrainingIsOfItsOwnDatasets) {
  const RecordingSettings settings = foreign::settings(declared("thw", "nt", "rnt", "order = \"hdf5\"\n"));
  const auto sum = [&](const char* matlab, double more) {
    {
      Hdf5 file(folder_ / "rec.h5");
      write(file, "thw", "nt", "rnt", matlab);
      file.add("notes", H5T_NATIVE_DOUBLE, {3}, [more](const Shape&) { return more; });
    }
    return training_input(parallel::Communicator::self(), folder_ / "rec.h5", settings).checksum;
  };
  const std::string first = sum(nullptr, 1);
  EXPECT_EQ(sum(nullptr, 22), first);
  EXPECT_NE(sum("uint8", 1), first) << "an attribute that says what the axes are";
}

}  // namespace
}  // namespace amacrine::recording::declared_mapping_test
