// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/recording/smoothing.hpp"
#include "responses.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

using core::InputError;

/// One cell's trials (R, T) are complete.
void require_numbers(const io::Reader& reader, const std::string& dataset, std::size_t cell, std::size_t frames,
                     std::span<const float> trials) {
  for (std::size_t i = 0; i < trials.size(); ++i)
    core::require<InputError>(
        std::isfinite(trials[i]) && trials[i] >= 0,
        "{}: dataset {} holds {} in repeat {} for cell {} at frame {}; every trial must be complete and hold counts or rates "
        "of at least 0. Trials padded with NaN must be cut from the file",
        reader.path(), dataset, trials[i], i / frames, cell, i % frames);
}

/// sd of the smoothing behind a target's name, ms.
double sigma_of(const std::string& target) { return std::stod(target.substr(std::string("firing_rate_").size())); }

std::string cell_dataset(int cell) { return fmt::format("test/repeats/cell{:02d}", cell + 1); }

/// One cell's trials (R, T) as stored.
std::vector<float> cell_trials(const io::Reader& reader, int cell, std::size_t frames, std::size_t& trials) {
  const std::string dataset = cell_dataset(cell);
  const std::vector<std::size_t> shape = reader.shape(dataset);
  core::require<InputError>(
      shape.size() == 2 && shape[1] == frames,
      "{}: dataset {} should be (repeats, time) with {} time bins, one per frame of test/stimulus, but is ({})", reader.path(),
      dataset, frames, fmt::join(shape, ", "));
  trials = shape[0];
  std::vector<float> values = reader.read<float>(dataset);
  require_numbers(reader, dataset, static_cast<std::size_t>(cell), frames, values);
  return values;
}

/// Whole numbers of at most 5 per ms are counts; anything else is taken to be in Hz, the other thing such files hold.
bool are_counts(const std::vector<float>& values, double frame_ms) {
  return std::all_of(values.begin(), values.end(), [&](float v) { return v == std::floor(v) && v <= 5.0 * frame_ms; });
}

/// Trials of one cell in Hz, smoothed where the target is.
void to_rate(std::span<float> trial, const ResponseQuery& query, bool counts) {
  if (!counts) return;
  if (query.target == "binned") {
    for (float& value : trial) value = static_cast<float>(value * 1000.0 / query.frame_ms);
  } else {
    const std::vector<float> smooth = firing_rate(trial, sigma_of(query.target), query.frame_ms);
    std::copy(smooth.begin(), smooth.end(), trial.begin());
  }
}

/// Layout A: test/repeats/cellNN (repeats, time), NN from 01.
core::Array<float, 3> read_by_cell(const io::Reader& reader, const ResponseQuery& query, std::size_t frames) {
  std::vector<std::vector<float>> all;
  std::size_t fewest = static_cast<std::size_t>(-1), most = 0;
  for (int cell : query.cells) {
    core::require<InputError>(reader.has(cell_dataset(cell)), "{}: dataset {} is missing; the file has {} under test/repeats",
                              reader.path(), cell_dataset(cell), fmt::join(reader.list("test/repeats"), ", "));
    std::size_t trials = 0;
    all.push_back(cell_trials(reader, cell, frames, trials));
    fewest = std::min(fewest, trials);
    most = std::max(most, trials);
  }
  if (fewest != most)
    core::warn("{}: cells have between {} and {} repeats; the first {} of each are used", reader.path(), fewest, most, fewest);
  core::Array<float, 3> repeats({fewest, query.cells.size(), frames});
  for (std::size_t n = 0; n < all.size(); ++n) {
    const bool counts = are_counts(all[n], query.frame_ms);
    for (std::size_t r = 0; r < fewest; ++r) {
      const std::span<float> trial = repeats.row(r).subspan(n * frames, frames);
      std::copy_n(all[n].begin() + static_cast<std::ptrdiff_t>(r * frames), frames, trial.begin());
      to_rate(trial, query, counts);
    }
  }
  return repeats;
}

/// Layout B: test/repeats/NAME (repeats, cells, time) in Hz.
core::Array<float, 3> read_by_name(const io::Reader& reader, const std::string& dataset, const ResponseQuery& query,
                                   std::size_t frames) {
  const std::vector<std::size_t> shape = reader.shape(dataset);
  core::require<InputError>(
      shape.size() == 3 && shape[2] == frames,
      "{}: dataset {} should be (repeats, cells, time) with {} time bins, one per frame of test/stimulus, but is ({})",
      reader.path(), dataset, frames, fmt::join(shape, ", "));
  core::Array<float, 3> repeats({shape[0], query.cells.size(), frames});
  for (std::size_t n = 0; n < query.cells.size(); ++n) {
    const auto cell = static_cast<std::size_t>(query.cells[n]);
    core::require<InputError>(cell < shape[1], "{}: cell {} is out of range: dataset {} has cells 0 to {}; mend recording.cells",
                              reader.path(), cell, dataset, shape[1] - 1);
    const std::vector<float> trials = reader.read<float>(dataset, {0, cell, 0}, {shape[0], 1, frames});
    require_numbers(reader, dataset, cell, frames, trials);
    for (std::size_t r = 0; r < shape[0]; ++r)
      std::copy_n(trials.begin() + static_cast<std::ptrdiff_t>(r * frames), frames,
                  repeats.row(r).subspan(n * frames, frames).begin());
  }
  refuse_counts(reader, dataset, repeats.values(), query.frame_ms);
  return repeats;
}

/// A trial without a spike of any cell, among trials with many, is padding rather than a response.
void warn_of_padding(const io::Reader& reader, const core::Array<float, 3>& repeats) {
  std::vector<double> total(repeats.extent(0));
  for (std::size_t r = 0; r < total.size(); ++r)
    for (float value : repeats.row(r)) total[r] += value;
  for (std::size_t r = 0; r < total.size(); ++r)
    if (total[r] == 0 && *std::max_element(total.begin(), total.end()) > 2000)
      core::warn("{}: repeat {} of the test part is empty for every cell; if it is padding, trial means are too low",
                 reader.path(), r);
}

core::Array<float, 3> find_repeats(const io::Reader& reader, const ResponseQuery& query, std::size_t frames) {
  if (!reader.has("test/repeats")) return {};
  const std::vector<std::string> names = reader.list("test/repeats");
  const bool by_cell = std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.starts_with("cell"); });
  if (query.target != "binned" && reader.has("test/repeats/" + query.target))
    return read_by_name(reader, "test/repeats/" + query.target, query, frames);
  if (by_cell) return read_by_cell(reader, query, frames);
  for (const std::string name : {"firing_rate_5ms", "firing_rate_10ms", "firing_rate_20ms"}) {
    if (!reader.has("test/repeats/" + name)) continue;
    core::warn("{}: test/repeats has no {}; its {} stands in, so scores and ceilings are those of smoothed trials", reader.path(),
               query.target, name);
    return read_by_name(reader, "test/repeats/" + name, query, frames);
  }
  core::warn("{}: test/repeats holds neither cellNN nor firing_rate_*; there is no noise ceiling", reader.path());
  return {};
}

}  // namespace

core::Array<float, 3> read_repeats(const io::Reader& reader, const ResponseQuery& query, std::size_t frames) {
  core::Array<float, 3> repeats = find_repeats(reader, query, frames);
  if (!repeats.empty()) warn_of_padding(reader, repeats);
  return repeats;
}

}  // namespace amacrine::recording
