// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/recording/alignment.hpp"
#include "amacrine/recording/smoothing.hpp"
#include "layout_checks.hpp"
#include "responses.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

using core::InputError;

/// One cell's trials (R, T) are complete, and not negative without `signs`.
void require_numbers(const Source& reader, const std::string& dataset, std::size_t cell, std::size_t frames,
                     std::span<const float> trials, bool signs = false) {
  for (std::size_t i = 0; i < trials.size(); ++i)
    core::require<InputError>(
        std::isfinite(trials[i]) && (signs || trials[i] >= 0),
        "{}: dataset {} holds {} in repeat {} for cell {} at frame {}; every trial must be complete and hold counts or rates "
        "of at least 0. Trials padded with NaN must be cut from the file",
        reader.path(), dataset, trials[i], i / frames, cell, i % frames);
}

/// Number of a dataset named "cell" and digits, -1 for other names.
int number_of(const std::string& name) {
  const std::string digits = name.starts_with("cell") ? name.substr(4) : "";
  const bool number = !digits.empty() && digits.size() <= 6 && digits.find_first_not_of("0123456789") == std::string::npos;
  return number ? std::stoi(digits) : -1;
}

/// The trials of each cell of the file under test/repeats: cellNN, padded or not, numbered from 1, or from 0 where there is a
/// cell 0 and none after the last. Throws InputError where the numbers fit neither or two names have one number.
std::map<int, std::string> names_by_cell(const Source& reader, const ResponseQuery& query) {
  std::map<int, std::string> by_number;
  for (const std::string& name : reader.list("test/repeats"))
    if (const int number = number_of(name); number >= 0) {
      const auto [at, added] = by_number.emplace(number, name);
      core::require<InputError>(added, "{}: test/repeats holds both {} and {}; expected one dataset per cell", reader.path(),
                                at->second, name);
    }
  const bool from_zero = by_number.contains(0);
  const int cells = static_cast<int>(cells_in_file(reader, query.target)),
            last = by_number.empty() ? 0 : by_number.rbegin()->first;
  core::require<InputError>(last <= cells - (from_zero ? 1 : 0),
                            "{}: test/repeats holds {} to {}, but train/response/{} has {} cells; expected cell01 to cell{:02d}",
                            reader.path(), by_number.begin()->second, by_number.rbegin()->second, query.target, cells, cells);
  if (from_zero)
    core::warn("{}: test/repeats counts cells from 0 ({}); it is taken for the first cell", reader.path(), by_number[0]);
  std::map<int, std::string> by_cell;
  for (const auto& [number, name] : by_number) by_cell.emplace(from_zero ? number : number - 1, "test/repeats/" + name);
  return by_cell;
}

/// One cell's trials (R, T) as stored.
std::vector<float> cell_trials(const Source& reader, const std::string& dataset, int cell, std::size_t frames, bool signs,
                               std::size_t& trials) {
  const std::vector<std::size_t> shape = reader.shape(dataset);
  core::require<InputError>(
      shape.size() == 2 && shape[1] == frames,
      "{}: dataset {} should be (repeats, time) with {} time bins, one per frame of test/stimulus, but is ({})", reader.path(),
      dataset, frames, fmt::join(shape, ", "));
  refuse_packed(reader, dataset);
  trials = shape[0];
  std::vector<float> values = reader.read<float>(dataset);
  refuse_missing<float>(reader, dataset, values, frames);
  require_numbers(reader, dataset, static_cast<std::size_t>(cell), frames, values, signs);
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
    const std::vector<float> smooth = firing_rate(trial, smoothing_of(query.target), query.frame_ms);
    std::copy(smooth.begin(), smooth.end(), trial.begin());
  }
}

/// Layout A: test/repeats/cellNN (repeats, time).
core::Array<float, 3> read_by_cell(const Source& reader, const ResponseQuery& query, std::size_t frames) {
  std::vector<std::vector<float>> all;
  std::size_t fewest = static_cast<std::size_t>(-1), most = 0;
  const std::map<int, std::string> names = names_by_cell(reader, query);
  for (int cell : query.cells) {
    core::require<InputError>(names.contains(cell), "{}: dataset test/repeats/cell{:02d} is missing; the file has {} there",
                              reader.path(), cell + 1, fmt::join(reader.list("test/repeats"), ", "));
    std::size_t trials = 0;
    all.push_back(cell_trials(reader, names.at(cell), cell, frames, query.target == "trace", trials));
    core::require<InputError>(trials > 0, "{}: cell {} has no trial in {}; leave it out of recording.cells", reader.path(), cell,
                              names.at(cell));
    fewest = std::min(fewest, trials);
    most = std::max(most, trials);
  }
  if (fewest != most)
    core::warn("{}: cells have between {} and {} repeats; the first {} of each are used", reader.path(), fewest, most, fewest);
  core::Array<float, 3> repeats({fewest, query.cells.size(), frames});
  for (std::size_t n = 0; n < all.size(); ++n) {
    const bool counts = query.target != "trace" && are_counts(all[n], query.frame_ms);
    for (std::size_t r = 0; r < fewest; ++r) {
      const std::span<float> trial = repeats.row(r).subspan(n * frames, frames);
      std::copy_n(all[n].begin() + static_cast<std::ptrdiff_t>(r * frames), frames, trial.begin());
      to_rate(trial, query, counts);
    }
  }
  return repeats;
}

/// Layout B: test/repeats/NAME (repeats, cells, time) in Hz.
core::Array<float, 3> read_by_name(const Source& reader, const std::string& dataset, const ResponseQuery& query,
                                   std::size_t frames) {
  const std::vector<std::size_t> shape = reader.shape(dataset);
  core::require<InputError>(
      shape.size() == 3 && shape[2] == frames,
      "{}: dataset {} should be (repeats, cells, time) with {} time bins, one per frame of test/stimulus, but is ({})",
      reader.path(), dataset, frames, fmt::join(shape, ", "));
  refuse_packed(reader, dataset);
  core::Array<float, 3> repeats({shape[0], query.cells.size(), frames});
  for (std::size_t n = 0; n < query.cells.size(); ++n) {
    const auto cell = static_cast<std::size_t>(query.cells[n]);
    core::require<InputError>(cell < shape[1], "{}: cell {} is out of range: dataset {} has cells 0 to {}; mend recording.cells",
                              reader.path(), cell, dataset, shape[1] - 1);
    const std::vector<float> trials = reader.read<float>(dataset, {0, cell, 0}, {shape[0], 1, frames});
    require_numbers(reader, dataset, cell, frames, trials);
    refuse_missing<float>(reader, dataset, trials, frames);
    for (std::size_t r = 0; r < shape[0]; ++r)
      std::copy_n(trials.begin() + static_cast<std::ptrdiff_t>(r * frames), frames,
                  repeats.row(r).subspan(n * frames, frames).begin());
  }
  refuse_counts(reader, dataset, repeats.values(), query.frame_ms);
  return repeats;
}

/// A cell's trial without a spike, among trials with many, is padding rather than a response.
void warn_of_padding(const Source& reader, const ResponseQuery& query, const core::Array<float, 3>& repeats) {
  constexpr double many_spikes = 20;
  const std::size_t trials = repeats.extent(0), frames = repeats.extent(2);
  for (std::size_t n = 0; n < query.cells.size(); ++n) {
    std::vector<std::size_t> empty;
    double largest = 0;
    for (std::size_t r = 0; r < trials; ++r) {
      const auto trial = repeats.row(r).subspan(n * frames, frames);
      const double spikes = std::accumulate(trial.begin(), trial.end(), 0.0) * query.frame_ms / 1000.0;
      if (spikes == 0) empty.push_back(r);
      largest = std::max(largest, spikes);
    }
    if (!empty.empty() && largest > many_spikes)
      core::warn(
          "{}: {} of {} repeats of cell {} are empty ({}), another has {:.0f} spikes; if they are padding, its trial mean and "
          "noise ceiling are too low: cut them from the file",
          reader.path(), empty.size(), trials, query.cells[n], fmt::join(empty, ", "), largest);
  }
}

/// Trials that are equal in every bin, with spikes enough that chance does not make them so: copies, or the mean written as
/// trials.
void warn_of_equal_trials(const Source& reader, const ResponseQuery& query, const core::Array<float, 3>& repeats) {
  constexpr double enough_spikes = 20;
  const std::size_t frames = repeats.extent(2);
  for (std::size_t n = 0; n < query.cells.size(); ++n)
    for (std::size_t r = 1; r < repeats.extent(0); ++r) {
      const auto before = repeats.row(r - 1).subspan(n * frames, frames), trial = repeats.row(r).subspan(n * frames, frames);
      const double spikes = std::accumulate(trial.begin(), trial.end(), 0.0) * query.frame_ms / 1000.0;
      if (spikes < enough_spikes || !std::equal(trial.begin(), trial.end(), before.begin())) continue;
      core::warn(
          "{}: repeats {} and {} of cell {} in test/repeats are equal in every bin; noise ceilings are too high with copies. "
          "Write single trials, or cut the copies from the file",
          reader.path(), r - 1, r, query.cells[n]);
      break;
    }
}

/// Trials that come before or after the others of their cell: a trigger was missed.
void warn_of_shifted_trials(const Source& reader, const ResponseQuery& query, const core::Array<float, 3>& repeats) {
  for (const ShiftedTrial& shifted : shifted_trials(repeats, query.frame_ms)) {
    const std::string whose = shifted.cells.empty() ? "all cells" : fmt::format("cell {}", query.cells[shifted.cells[0]]);
    core::warn(
        "{}: repeat {} of {} in test/repeats comes about {} frames ({:.0f} ms) {} the others; was it cut at another trigger? "
        "Scores "
        "and "
        "noise ceilings are too low with it: shift it back or cut it from the file",
        reader.path(), shifted.trial, whose, std::abs(shifted.frames), std::abs(shifted.frames) * query.frame_ms,
        shifted.frames > 0 ? "after" : "before");
  }
}

core::Array<float, 3> find_repeats(const Source& reader, const ResponseQuery& query, std::size_t frames) {
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

core::Array<float, 3> read_repeats(const Source& reader, const ResponseQuery& query, std::size_t frames) {
  core::Array<float, 3> repeats = find_repeats(reader, query, frames);
  if (repeats.empty() || query.target == "trace") return repeats;  // what follows counts spikes
  warn_of_padding(reader, query, repeats);
  warn_of_equal_trials(reader, query, repeats);
  warn_of_shifted_trials(reader, query, repeats);
  return repeats;
}

}  // namespace amacrine::recording
