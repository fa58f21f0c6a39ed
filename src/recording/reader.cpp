// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/reader.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/node_memory.hpp"
#include "amacrine/recording/alignment.hpp"
#include "amacrine/recording/movie_file.hpp"
#include "coding.hpp"
#include "layout_checks.hpp"
#include "movie_scale.hpp"
#include "movie_scan.hpp"
#include "response_checks.hpp"
#include "responses.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <type_traits>

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

using core::InputError;

constexpr double shortest_frame_ms = 0.5, shortest_pixel_um = 0.5;

/// (T, Y, X) of a part's stimulus.
std::vector<std::size_t> movie_shape(const Source& reader, const std::string& part) {
  const std::string dataset = part + "/stimulus";
  core::require<InputError>(reader.has(dataset),
                            "{}: dataset {} is missing; expected a movie (time, height, width) there. Is this a recording?",
                            reader.path(), dataset);
  std::vector<std::size_t> shape = reader.shape(dataset);
  core::require<InputError>(shape.size() == 3 && shape[0] * shape[1] * shape[2] > 0,
                            "{}: dataset {} should be (time, height, width), but is ({})", reader.path(), dataset,
                            fmt::join(shape, ", "));
  refuse_packed(reader, dataset);
  check_time_length(reader, part, shape[0]);
  return shape;
}

/// Reads a movie's frames into `to`, some at a time, and refuses what is no pixel.
template <class Pixel>
void read_pixels(const Source& reader, const std::string& dataset, const std::vector<std::size_t>& shape, Pixel* to) {
  constexpr std::size_t at_once = 4096;
  const std::size_t pixels = shape[1] * shape[2];
  for (std::size_t first = 0; first < shape[0]; first += at_once) {
    const std::size_t count = std::min(at_once, shape[0] - first);
    const std::vector<Pixel> frames = reader.read<Pixel>(dataset, {first, 0, 0}, {count, shape[1], shape[2]});
    std::copy(frames.begin(), frames.end(), to + first * pixels);
  }
  const std::span<const Pixel> all(to, shape[0] * pixels);
  if constexpr (std::is_same_v<Pixel, float>) require_finite(reader, dataset, all, pixels);
  refuse_missing<Pixel>(reader, dataset, all, pixels);
}

/// Collective where ranks are given, which then share it by nodes.
template <class Pixel>
core::SharedArray<Pixel, 3> read_frames(const Source& reader, const std::string& dataset, const std::vector<std::size_t>& shape,
                                        const parallel::Communicator* ranks) {
  const std::array<std::size_t, 3> extents{shape[0], shape[1], shape[2]};
  if (ranks == nullptr) {
    core::Array<Pixel, 3> frames(extents);
    read_pixels(reader, dataset, shape, frames.data());
    return frames;
  }
  const std::size_t bytes = shape[0] * shape[1] * shape[2] * sizeof(Pixel);
  const std::shared_ptr<const std::byte> memory = parallel::node_memory(
      *ranks, bytes, [&](std::byte* to) { read_pixels(reader, dataset, shape, reinterpret_cast<Pixel*>(to)); });
  return {extents, std::shared_ptr<const Pixel>(memory, reinterpret_cast<const Pixel*>(memory.get()))};
}

StoredMovie read_movie(const Source& reader, const std::string& part, const parallel::Communicator* ranks = nullptr) {
  const std::vector<std::size_t> shape = movie_shape(reader, part);
  const std::string dataset = part + "/stimulus";
  if (reader.type(dataset) == io::Type::uint8) return {read_frames<std::uint8_t>(reader, dataset, shape, ranks)};
  return {read_frames<float>(reader, dataset, shape, ranks)};
}

/// 0 where the file does not say.
double pixel_um_of_file(const Source& reader) {
  if (!reader.has_attribute("pixel_um")) return 0;
  const double um = reader.attribute("pixel_um");
  core::require<InputError>(
      um >= shortest_pixel_um && std::isfinite(um),
      "{}: the attribute pixel_um is {:g}; expected the side of a pixel on the retina in um, at least {:g}. "
      "If it is in mm or m, write it in um; if it is not known, remove the attribute",
      reader.path(), um, shortest_pixel_um);
  return um;
}

stimulus::Screen read_screen(const Source& reader, const RecordingSettings& settings, const std::vector<std::size_t>& shape) {
  stimulus::Screen screen;
  screen.height = static_cast<int>(shape[1]);
  screen.width = static_cast<int>(shape[2]);
  const double file_ms = frame_ms_of_file(reader, settings.frame_ms);
  core::require<InputError>(
      settings.frame_ms == 0 || file_ms == 0 || std::abs(file_ms - settings.frame_ms) < 0.01 * file_ms,
      "{}: train/time or the attribute frame_ms says frames of {} ms, but recording.frame_ms is {}; leave the key out or "
      "mend the file",
      reader.path(), file_ms, settings.frame_ms);
  if (settings.frame_ms > 0) screen.frame_ms = settings.frame_ms;
  if (file_ms > 0) screen.frame_ms = file_ms;
  core::require<InputError>(screen.frame_ms >= shortest_frame_ms,
                            "{}: a frame interval of {} ms is none a movie has; is it in seconds? Give it in ms (attribute "
                            "frame_ms, or recording.frame_ms)",
                            reader.path(), screen.frame_ms);
  if (settings.frame_ms == 0 && file_ms == 0)
    core::warn(
        "{}: does not say how long a frame lasts (attribute frame_ms, or train/time in s); {} ms is assumed. Set "
        "recording.frame_ms",
        reader.path(), screen.frame_ms);
  const double file_um = pixel_um_of_file(reader);
  core::require<InputError>(settings.pixel_um == 0 || file_um == 0 || std::abs(file_um - settings.pixel_um) < 0.01 * file_um,
                            "{}: the attribute pixel_um is {}, but recording.pixel_um is {}; leave the key out or mend the file",
                            reader.path(), file_um, settings.pixel_um);
  if (settings.pixel_um > 0) screen.pixel_um = settings.pixel_um;
  if (file_um > 0) screen.pixel_um = file_um;
  return screen;
}

std::vector<std::string> names_of_file(const Source& reader) {
  std::vector<std::string> names;
  if (!reader.has_attribute("cells")) return names;
  names = reader.text_attributes("cells");
  if (names.size() != 1) return names;
  std::istringstream text(names[0]);
  names.clear();
  for (std::string name; std::getline(text, name, ',');) names.push_back(name);
  return names;
}

std::vector<int> selected_cells(const Source& reader, const RecordingSettings& settings) {
  const std::size_t count = cells_in_file(reader, settings.target);
  std::vector<int> cells = settings.cells;
  if (cells.empty()) {
    cells.resize(count);
    std::iota(cells.begin(), cells.end(), 0);
  }
  for (int cell : cells)
    core::require<InputError>(cell >= 0 && static_cast<std::size_t>(cell) < count,
                              "{}: cell {} is out of range: dataset train/response/{} has cells 0 to {}; mend recording.cells",
                              reader.path(), cell, settings.target, static_cast<int>(count) - 1);
  core::require<InputError>(settings.centres != "given" || settings.centre_y.size() == cells.size(),
                            "{}: {} cells are read, but recording.centre_y and centre_x have {} numbers", reader.path(),
                            cells.size(), settings.centre_y.size());
  return cells;
}

std::vector<Cell> describe_cells(const Source& reader, const RecordingSettings& settings, const std::vector<int>& ids) {
  const std::vector<std::string> names = names_of_file(reader);
  if (const std::size_t count = cells_in_file(reader, settings.target); !names.empty() && names.size() != count)
    core::warn(
        "{}: the attribute cells has {} name(s), but train/response/{} has {} cells; give one name for each, in their order",
        reader.path(), names.size(), settings.target, count);
  const bool placed = settings.centres == "auto" && reader.has("simulated/centre_y") && reader.has("simulated/centre_x");
  const std::vector<double> y = placed ? reader.read<double>("simulated/centre_y") : settings.centre_y;
  const std::vector<double> x = placed ? reader.read<double>("simulated/centre_x") : settings.centre_x;
  std::vector<Cell> cells;
  for (std::size_t n = 0; n < ids.size(); ++n) {
    const auto id = static_cast<std::size_t>(ids[n]);
    Cell cell;
    cell.id = ids[n];
    cell.name = id < names.size() ? names[id] : fmt::format("cell{:02d}", id + 1);
    const std::size_t at = placed ? id : n;
    if ((placed || settings.centres == "given") && at < y.size() && at < x.size()) cell.centre = stimulus::Centre{y[at], x[at]};
    cells.push_back(cell);
  }
  return cells;
}

void set_blocks(Recording& recording, const RecordingSettings& settings, std::size_t frames,
                const std::vector<std::size_t>& starts) {
  const auto blocks = static_cast<std::size_t>(settings.blocks);
  core::require<InputError>(
      frames % blocks == 0,
      "{}: train/stimulus has {} frames, which {} blocks of equal length do not divide; mend recording.blocks", recording.path,
      frames, blocks);
  core::require<InputError>(
      blocks == 1 || starts.size() <= 1,
      "{}: the training movie is {} movies one after the other, which are its blocks; leave recording.blocks out", recording.path,
      starts.size());
  for (std::size_t block = 0; block < blocks; ++block) recording.block_starts.push_back(block * (frames / blocks));
  if (starts.size() > 1) recording.block_starts = starts;
  recording.skip_frames = static_cast<std::size_t>(std::llround(1000.0 * settings.skip_seconds / recording.screen.frame_ms));
  core::require<InputError>(recording.skip_frames < frames / blocks,
                            "{}: recording.skip_seconds = {} leaves nothing of blocks of {} frames", recording.path,
                            settings.skip_seconds, frames / blocks);
}

core::Array<float, 2> read_noiseless(const Source& reader, const std::string& part, const std::vector<int>& cells,
                                     std::size_t frames) {
  const std::string dataset = "simulated/" + part + "/rate";
  return reader.has(dataset) ? read_rows(reader, dataset, cells, frames) : core::Array<float, 2>();
}

void load_train(const Source& reader, const ResponseQuery& query, std::size_t frames, const parallel::Communicator* ranks,
                Part& part) {
  part.target = read_train_target(reader, query, frames);
  part.noiseless = read_noiseless(reader, "train", query.cells, frames);
  part.movie = read_movie(reader, "train", ranks);
}

void load_test(const Source& reader, const ResponseQuery& query, const stimulus::Screen& screen, Part& part) {
  const std::vector<std::size_t> shape = movie_shape(reader, "test");
  core::require<InputError>(static_cast<int>(shape[1]) == screen.height && static_cast<int>(shape[2]) == screen.width,
                            "{}: test/stimulus has frames of {} x {}, train/stimulus of {} x {}; they must agree", reader.path(),
                            shape[1], shape[2], screen.height, screen.width);
  part.repeats = read_repeats(reader, query, shape[0]);
  part.target = read_test_target(reader, query, part.repeats, shape[0]);
  part.noiseless = read_noiseless(reader, "test", query.cells, shape[0]);
  part.movie = read_movie(reader, "test");
}

/// Where a part's responses lie in time against its movie.
void check_part_alignment(const Recording& recording, const Part& part, const char* name) {
  if (recording.target_kind == "trace") return;  // indicators and filters have delays of their own
  const bool smoothed = recording.target_kind != "binned";
  check_alignment(recording, part, name, smoothed ? smoothing_of(recording.target_kind) : 0.0);
}

/// Reads a test part for its checks alone, so that a training is not spent on a file that cannot be evaluated. `recording` has
/// its screen, coding and cells.
void check_test(const Source& reader, const ResponseQuery& query, const Recording& recording) {
  if (!reader.has("test/stimulus")) return;
  if (!reader.has("test/repeats") && !reader.has("test/response")) {
    core::warn("{}: the test part has a movie but no responses; what is trained on this file cannot be evaluated", reader.path());
    return;
  }
  Part test;
  load_test(reader, query, recording.screen, test);
  check_part_alignment(recording, test, "test");
}

/// Warns where the test movie, or a part of it, is shown in training: what a model scores there says nothing of new stimuli.
void warn_of_copy(const Source& reader, const MovieScan& train, const MovieScan& test) {
  const Copy copy = find_copy(train, test);
  if (copy.end > copy.begin)
    core::warn(
        "{}: test/stimulus from frame {} on is shown in train/stimulus, too, in frames {} to {}; the test part is not held out, "
        "and scores "
        "on it are too high. Cut these frames (and their responses) from the training part",
        reader.path(), copy.test_begin, copy.begin, copy.end - 1);
}

/// The movies as wholes: what stands still, and what is shown in both. `train` is empty where the training movie was not looked
/// at.
void check_movies(const Source& reader, const Recording& recording, const MovieScan& train) {
  const double frame_ms = recording.screen.frame_ms;
  if (!train.frames().empty()) check_still(reader.path() + ": train/stimulus", train, frame_ms);
  if (!reader.has("test/stimulus")) return;
  const MovieScan test = recording.test.movie.frames() > 0 ? scan_movie(recording.test.movie)
                                                           : scan_movie(reader, "test/stimulus", movie_shape(reader, "test"));
  check_still(reader.path() + ": test/stimulus", test, frame_ms);
  if (!train.frames().empty()) warn_of_copy(reader, train, test);
}

/// Marks cells that are left out of means, and says so. Refuses a recording without any spike.
void flag_cells(Recording& recording, const std::vector<double>& activity, bool test_loaded) {
  core::require<InputError>(
      std::any_of(activity.begin(), activity.end(), [](double a) { return a > 0; }),
      "{}: none of the {} cells read has a spike in training (train/response/{}); there is nothing to learn. "
      "Mend recording.cells or recording.target",
      recording.path, recording.cells.size(), recording.target_kind);
  for (std::size_t n = 0; n < recording.cells.size(); ++n) {
    Cell& cell = recording.cells[n];
    cell.silent = !(activity[n] > 0);
    cell.no_ceiling = test_loaded && recording.test.repeats.extent(0) < 2;
    if (cell.silent)
      core::warn("{}: cell {} ({}) has no spikes in training; it is left out of means", recording.path, cell.id, cell.name);
  }
  if (test_loaded && recording.test.repeats.extent(0) < 2)
    core::warn("{}: the test part has {} repeat(s) in test/repeats; there is no noise ceiling with fewer than 2", recording.path,
               recording.test.repeats.extent(0));
}

Recording load_source(const Source& reader, const RecordingSettings& settings, Load load, const parallel::Communicator* ranks) {
  if (reader.origins().empty()) refuse_transposed(reader, settings.target);
  const std::vector<std::size_t> shape = movie_shape(reader, "train");
  Recording recording;
  recording.path = reader.path();
  recording.target_kind = settings.target;
  recording.screen = read_screen(reader, settings, shape);
  const ResponseQuery query{selected_cells(reader, settings), settings.target, recording.screen.frame_ms};
  recording.cells = describe_cells(reader, settings, query.cells);
  set_blocks(recording, settings, shape[0], reader.movie_starts());
  const std::vector<double> activity = training_activity(reader, query, shape[0]);
  MovieScan scan;
  recording.coding = read_coding(reader, shape, load == Load::test ? &scan : nullptr);
  compare_scales(reader, settings);
  if (load == Load::train) check_test(reader, query, recording);
  if (load != Load::test) load_train(reader, query, shape[0], ranks, recording.train);
  if (load != Load::train) load_test(reader, query, recording.screen, recording.test);
  if (load != Load::test) scan = scan_movie(recording.train.movie);
  check_movies(reader, recording, scan);
  check_responses(recording, recording.train, "train");
  check_responses(recording, recording.test, "test");
  check_part_alignment(recording, recording.train, "train");
  check_part_alignment(recording, recording.test, "test");
  flag_cells(recording, activity, load != Load::train);
  return recording;
}

/// "train/stimulus is dataset stim of rec.mat (t 3000, h 50, w 50)" of all arrays that are stored under other names.
std::string origins_in_words(const Source& source) {
  constexpr std::size_t most = 6;
  std::vector<std::string> words;
  for (const Origin& origin : source.origins())
    words.push_back(fmt::format("{} is {} ({})", origin.name, origin.place, origin.axes));
  const bool more = words.size() > most;
  if (more) words.resize(most);
  return fmt::format("{}{}", fmt::join(words, "; "), more ? "; ..." : "");
}

}  // namespace

Recording load_recording(const std::string& path, const RecordingSettings& settings, Load load,
                         const parallel::Communicator* ranks) {
  const std::unique_ptr<Source> source = open_source(path, settings);
  const std::string names = origins_in_words(*source);
  if (names.empty()) return load_source(*source, settings, load, ranks);
  core::log("{}: {}: {}", path, source->recognition().format, names);
  try {
    return load_source(*source, settings, load, ranks);
  } catch (const InputError& error) {
    core::fail<InputError>("{} ({})", error.what(), names);
  }
}

ContrastCoding contrast_coding(const Source& source) { return read_coding(source, movie_shape(source, "train")); }

void check_fits(const Recording& recording, const ModelShape& shape) {
  const stimulus::Screen& screen = recording.screen;
  core::require<InputError>(std::abs(screen.frame_ms - shape.frame_ms) < 0.01 * shape.frame_ms,
                            "{}: frames last {} ms (attribute frame_ms, train/time or recording.frame_ms), but the model expects "
                            "{} ms; resample the recording or train "
                            "another model",
                            recording.path, screen.frame_ms, shape.frame_ms);
  core::require<InputError>(
      screen.height == shape.height && screen.width == shape.width,
      "{}: train/stimulus has frames of {} x {} pixels, but the model expects {} x {}; set model.height and model.width, or crop "
      "the movie",
      recording.path, screen.height, screen.width, shape.height, shape.width);
  const std::size_t need = static_cast<std::size_t>(shape.history) + static_cast<std::size_t>(shape.minimum_lag);
  for (const auto& [part, name] : {std::pair<const Part*, const char*>{&recording.train, "train"}, {&recording.test, "test"}})
    core::require<InputError>(
        part->movie.frames() == 0 || part->movie.frames() >= need,
        "{}: {}/stimulus has {} frames, but one window of the model needs {}; record longer or use a shorter history",
        recording.path, name, part->movie.frames(), need);
}

}  // namespace amacrine::recording
