// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <functional>
#include <string>
#include <vector>

/// Small files in the lab's layout, made by hand: each test says what is different about its own.
namespace amacrine::recording::lab {

struct LabFile {
  std::size_t train_frames = 200, test_frames = 100, cells = 3, repeats = 4;
  std::size_t height = 4, width = 5;
  double frame_s = 0.01;
  std::string time_units = "s";             ///< of train/time; "1" names none
  std::function<double(std::size_t)> time;  ///< of frame t, instead of t x frame_s
  bool repeats_by_cell = true;              ///< layout A, otherwise B
  std::string repeats_name = "cell{:02d}";  ///< of a cell's trials in layout A
  std::size_t first_cell = 1;               ///< number of the first cell there
  bool with_repeats = true, with_time = true, with_binned = true, with_rates = true;
  io::Type movie_type = io::Type::uint8;
  std::map<std::string, double> attributes;

  // Values by position. Counts repeat 0 1 0 2 0 (60 Hz on average for 10 ms bins).
  std::function<double(std::size_t, std::size_t)> pixel = [](std::size_t t, std::size_t p) {
    return static_cast<double>((7 * t + 3 * p) % 251);
  };
  std::function<double(std::size_t, std::size_t)> test_pixel = [](std::size_t t, std::size_t p) {
    return static_cast<double>((11 * t + 3 * p) % 251);
  };
  std::function<double(std::size_t, std::size_t)> count = [](std::size_t n, std::size_t t) {
    return std::vector<double>{0, 1, 0, 2, 0}[(t + n) % 5];
  };
  std::function<double(std::size_t, std::size_t)> rate = [](std::size_t n, std::size_t t) {
    return 60.0 + 0.25 * static_cast<double>((t + n) % 3) - 0.25;
  };
  std::function<double(std::size_t, std::size_t)> test_rate;  ///< as `rate` without
  std::function<double(std::size_t, std::size_t, std::size_t)> trial = [](std::size_t r, std::size_t n, std::size_t t) {
    return static_cast<double>((t + n + r) % 4 == 0 ? 2 : 0);
  };
  std::function<void(io::ResultWriter&)> more;  ///< further variables, before create()
  std::function<void(io::ResultWriter&)> fill;  ///< their values

  /// Writes it to `path`.
  void write(const std::string& path) const;

 private:
  std::string cell_dataset(std::size_t n) const {
    return "test/repeats/" + fmt::format(fmt::runtime(repeats_name), n + first_cell);
  }
  void declare(io::ResultWriter& writer) const;
  void write_movie(io::ResultWriter& writer, const std::string& part, std::size_t frames,
                   const std::function<double(std::size_t, std::size_t)>& value) const;
  void write_repeats(io::ResultWriter& writer) const;
};

inline void LabFile::declare(io::ResultWriter& writer) const {
  std::vector<double> train_time(train_frames), test_time(test_frames);
  for (std::size_t t = 0; t < train_frames; ++t) train_time[t] = time ? time(t) : frame_s * static_cast<double>(t);
  for (std::size_t t = 0; t < test_frames; ++t) test_time[t] = frame_s * static_cast<double>(t);
  const std::string train = with_time ? "train/time" : "train_frame", held = with_time ? "test/time" : "test_frame";
  writer.dimension({train, train_frames, time_units, "", with_time ? train_time : std::vector<double>{}, {}});
  writer.dimension({held, test_frames, "s", "", with_time ? test_time : std::vector<double>{}, {}});
  writer.dimension({"row", height, "px", "", {}, {}});
  writer.dimension({"column", width, "px", "", {}, {}});
  writer.dimension({"unit", cells, "1", "", {}, {}});
  writer.dimension({"trial", repeats, "1", "", {}, {}});
  writer.variable({"train/stimulus", movie_type, {train, "row", "column"}, "1", "", {}});
  writer.variable({"test/stimulus", movie_type, {held, "row", "column"}, "1", "", {}});
  if (with_binned) writer.variable({"train/response/binned", io::Type::float32, {"unit", train}, "", "", {}});
  if (with_rates) {
    writer.variable({"train/response/firing_rate_10ms", io::Type::float32, {"unit", train}, "", "", {}});
    writer.variable({"test/response/firing_rate_10ms", io::Type::float32, {"unit", held}, "", "", {}});
  }
  if (with_repeats && repeats_by_cell)
    for (std::size_t n = 0; n < cells; ++n) writer.variable({cell_dataset(n), io::Type::float32, {"trial", held}, "", "", {}});
  if (with_repeats && !repeats_by_cell)
    writer.variable({"test/repeats/firing_rate_10ms", io::Type::float32, {"trial", "unit", held}, "", "", {}});
  for (const auto& [name, value] : attributes) writer.attribute(name, value);
  if (more) more(writer);
}

inline void LabFile::write_movie(io::ResultWriter& writer, const std::string& part, std::size_t frames,
                                 const std::function<double(std::size_t, std::size_t)>& value) const {
  std::vector<float> movie(frames * height * width);
  for (std::size_t t = 0; t < frames; ++t)
    for (std::size_t p = 0; p < height * width; ++p) movie[t * height * width + p] = static_cast<float>(value(t, p));
  writer.write<float>(part + "/stimulus", std::span<const float>(movie));
}

inline void LabFile::write_repeats(io::ResultWriter& writer) const {
  std::vector<float> all;
  if (repeats_by_cell) {
    for (std::size_t n = 0; n < cells; ++n) {
      all.clear();
      for (std::size_t r = 0; r < repeats; ++r)
        for (std::size_t t = 0; t < test_frames; ++t) all.push_back(static_cast<float>(trial(r, n, t)));
      writer.write<float>(cell_dataset(n), std::span<const float>(all));
    }
    return;
  }
  for (std::size_t r = 0; r < repeats; ++r)
    for (std::size_t n = 0; n < cells; ++n)
      for (std::size_t t = 0; t < test_frames; ++t) all.push_back(static_cast<float>(trial(r, n, t)));
  writer.write<float>("test/repeats/firing_rate_10ms", std::span<const float>(all));
}

inline void LabFile::write(const std::string& path) const {
  io::ResultWriter writer(parallel::Communicator::self(), path, "recording", io::Provenance{});
  declare(writer);
  writer.create();
  write_movie(writer, "train", train_frames, pixel);
  write_movie(writer, "test", test_frames, test_pixel);
  const auto rows = [&](const std::string& name, std::size_t frames, const auto& value) {
    std::vector<float> values;
    for (std::size_t n = 0; n < cells; ++n)
      for (std::size_t t = 0; t < frames; ++t) values.push_back(static_cast<float>(value(n, t)));
    writer.write<float>(name, std::span<const float>(values));
  };
  if (with_binned) rows("train/response/binned", train_frames, count);
  if (with_rates) {
    rows("train/response/firing_rate_10ms", train_frames, rate);
    rows("test/response/firing_rate_10ms", test_frames, test_rate ? test_rate : rate);
  }
  if (with_repeats) write_repeats(writer);
  if (fill) fill(writer);
  writer.finish();
}

}  // namespace amacrine::recording::lab
