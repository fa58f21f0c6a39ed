// SPDX-License-Identifier: Apache-2.0
#include "responses.hpp"

#include "amacrine/core/log.hpp"
#include "layout_checks.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

using core::InputError;

bool all_whole(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return v == std::floor(v); });
}

double mean_of(std::span<const float> values) {
  double sum = 0;
  for (float value : values) sum += value;
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

float largest(std::span<const float> values) { return values.empty() ? 0.0f : *std::max_element(values.begin(), values.end()); }

void scale(std::vector<float>& values, double factor) {
  for (float& value : values) value = static_cast<float>(value * factor);
}

void require_not_negative(const Source& reader, const std::string& dataset, const std::vector<float>& values) {
  const auto found = std::find_if(values.begin(), values.end(), [](float v) { return v < 0; });
  core::require<InputError>(
      found == values.end(),
      "{}: dataset {} holds {}, but rates and counts are not negative; z-scored responses cannot be trained on with a "
      "Poisson loss: write rates in Hz",
      reader.path(), dataset, found == values.end() ? 0.0f : *found);
}

/// Whole numbers, no more than 5 for each ms of the bin.
bool may_be_counts(std::span<const float> values, double frame_ms) {
  return all_whole(values) && largest(values) <= 5.0 * frame_ms;
}

/// Counts are whole numbers, and no cell fires more than 5 spikes per ms.
void check_counts(const Source& reader, const std::string& dataset, const std::vector<float>& counts, double frame_ms) {
  core::require<InputError>(
      all_whole(counts),
      "{}: dataset {} should hold spikes per bin, but has values that are not whole numbers; if these are rates, set "
      "recording.target to a firing_rate_* dataset",
      reader.path(), dataset);
  core::require<InputError>(
      largest(counts) <= 5.0 * frame_ms,
      "{}: dataset {} should hold spikes per bin, but one bin of {} ms has {}; if these are rates in Hz, set "
      "recording.target to a firing_rate_* dataset",
      reader.path(), dataset, frame_ms, largest(counts));
}

/// Rates in Hz have about the mean of `truth` (Hz), other data of the same part, where that has spikes enough to tell.
void check_mean(const Source& reader, const std::string& dataset, const std::vector<float>& rates, const std::string& other,
                const std::vector<float>& truth, double frame_ms) {
  const double expected = mean_of(truth), found = mean_of(rates);
  if (!(found > 0)) return;
  const double spikes = expected * static_cast<double>(truth.size()) * frame_ms / 1000.0;
  core::require<InputError>(spikes < 20 || (found > 0.5 * expected && found < 2.0 * expected),
                            "{}: dataset {} should hold rates in Hz with the mean of {}, {:.3g} Hz, but its mean is {:.3g}; "
                            "it may be in spikes per bin (divide by {} ms) or normalised",
                            reader.path(), dataset, other, expected, found, frame_ms);
}

/// Training rates are no counts, and agree with the counts where the file has them: not with rates in their place, which whoever
/// reads these rates instead was told of.
void check_train_rates(const Source& reader, const std::string& dataset, const core::Array<float, 2>& rates,
                       const ResponseQuery& query) {
  refuse_counts(reader, dataset, rates.values(), query.frame_ms);
  if (reader.has("train/response/binned")) {
    core::Array<float, 2> counts = read_rows(reader, "train/response/binned", query.cells, rates.extent(1));
    const bool comparable = may_be_counts(counts.values(), query.frame_ms);
    scale(counts.values(), 1000.0 / query.frame_ms);
    if (comparable) check_mean(reader, dataset, rates.values(), "train/response/binned", counts.values(), query.frame_ms);
  }
  // One spike smoothed by a Gaussian of sigma is at least 1 / (sqrt(2 pi) sigma) at its peak.
  const double one_spike_hz = 1000.0 / (std::sqrt(2 * std::acos(-1.0)) * smoothing_of(query.target));
  core::require<InputError>(!(largest(rates.values()) > 0) || largest(rates.values()) > 0.1 * one_spike_hz,
                            "{}: dataset {} should hold rates in Hz, but its largest value is {:.3g}, and a single spike so "
                            "smoothed reaches {:.3g} Hz; "
                            "it may be in spikes per bin (divide by {} ms) or normalised",
                            reader.path(), dataset, largest(rates.values()), one_spike_hz, query.frame_ms);
}

}  // namespace

double smoothing_of(const std::string& target) { return std::stod(target.substr(std::string("firing_rate_").size())); }

void refuse_counts(const Source& reader, const std::string& dataset, std::span<const float> rates, double frame_ms) {
  core::require<InputError>(
      !(largest(rates) > 0 && all_whole(rates) && largest(rates) <= 2.0 * frame_ms),
      "{}: dataset {} should hold rates in Hz, but every value is a whole number of at most {}: these look like spike "
      "counts. Use recording.target = \"binned\" if the file has that, or divide by the bin ({} ms)",
      reader.path(), dataset, largest(rates), frame_ms);
}

std::size_t cells_in_file(const Source& reader, const std::string& target) {
  const std::string dataset = "train/response/" + target;
  if (!reader.has(dataset)) {
    const std::vector<std::string> there =
        reader.has("train/response") ? reader.list("train/response") : std::vector<std::string>{};
    core::fail<InputError>("{}: dataset {} is missing; the file has {} there. Choose one with recording.target", reader.path(),
                           dataset, there.empty() ? "nothing" : fmt::format("{}", fmt::join(there, ", ")));
  }
  const std::vector<std::size_t> shape = reader.shape(dataset);
  core::require<InputError>(shape.size() == 2, "{}: dataset {} should be (cells, time), but has {} dimension(s): ({})",
                            reader.path(), dataset, shape.size(), fmt::join(shape, ", "));
  return shape[0];
}

core::Array<float, 2> read_rows(const Source& reader, const std::string& dataset, const std::vector<int>& cells,
                                std::size_t frames) {
  const std::vector<std::size_t> shape = reader.shape(dataset);
  core::require<InputError>(shape.size() == 2 && shape[1] == frames,
                            "{}: dataset {} should be (cells, time) with {} time bins, one per stimulus frame, but is ({}){}",
                            reader.path(), dataset, frames, fmt::join(shape, ", "),
                            shape.size() == 2 && shape[0] == frames ? "; it looks transposed" : "");
  refuse_packed(reader, dataset);
  core::Array<float, 2> rows({cells.size(), frames});
  for (std::size_t n = 0; n < cells.size(); ++n) {
    const auto cell = static_cast<std::size_t>(cells[n]);
    core::require<InputError>(cell < shape[0], "{}: cell {} is out of range: dataset {} has cells 0 to {}; mend recording.cells",
                              reader.path(), cell, dataset, shape[0] - 1);
    const std::vector<float> row = reader.read<float>(dataset, {cell, 0}, {1, frames});
    for (std::size_t t = 0; t < frames; ++t)
      core::require<InputError>(
          std::isfinite(row[t]),
          "{}: dataset {} holds {} for cell {} at frame {}; every value must be a number. Leave the cell out with "
          "recording.cells, or mend the file",
          reader.path(), dataset, row[t], cell, t);
    refuse_missing<float>(reader, dataset, row, frames, cell);
    std::copy(row.begin(), row.end(), rows.row(n).begin());
  }
  return rows;
}

core::Array<float, 2> read_train_target(const Source& reader, const ResponseQuery& query, std::size_t frames) {
  const std::string dataset = "train/response/" + query.target;
  core::Array<float, 2> rows = read_rows(reader, dataset, query.cells, frames);
  if (query.target == "trace") return rows;
  require_not_negative(reader, dataset, rows.values());
  if (query.target == "binned") {
    check_counts(reader, dataset, rows.values(), query.frame_ms);
    scale(rows.values(), 1000.0 / query.frame_ms);
  } else {
    check_train_rates(reader, dataset, rows, query);
  }
  return rows;
}

core::Array<float, 2> read_test_target(const Source& reader, const ResponseQuery& query, const core::Array<float, 3>& repeats,
                                       std::size_t frames) {
  const std::string dataset = "test/response/" + query.target;
  const bool counts = query.target == "binned", from_trials = !repeats.empty() && (counts || !reader.has(dataset));
  if (!from_trials) {
    core::require<InputError>(reader.has(dataset),
                              "{}: dataset {} is missing, and so is test/repeats; the test part has no response of that kind",
                              reader.path(), dataset);
    core::Array<float, 2> rows = read_rows(reader, dataset, query.cells, frames);
    if (query.target == "trace") return rows;
    require_not_negative(reader, dataset, rows.values());
    if (counts) {
      scale(rows.values(), 1000.0 / query.frame_ms);
    } else {
      refuse_counts(reader, dataset, rows.values(), query.frame_ms);
      if (!repeats.empty()) check_mean(reader, dataset, rows.values(), "test/repeats", repeats.values(), query.frame_ms);
    }
    return rows;
  }
  core::Array<float, 2> mean({query.cells.size(), frames});
  std::vector<double> sum(mean.size());
  for (std::size_t r = 0; r < repeats.extent(0); ++r)
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += repeats.row(r)[i];
  for (std::size_t i = 0; i < sum.size(); ++i)
    mean.values()[i] = static_cast<float>(sum[i] / static_cast<double>(repeats.extent(0)));
  return mean;
}

std::vector<double> training_activity(const Source& reader, const ResponseQuery& query, std::size_t frames) {
  const std::string dataset = reader.has("train/response/binned") ? "train/response/binned" : "train/response/" + query.target;
  const core::Array<float, 2> rows = read_rows(reader, dataset, query.cells, frames);
  std::vector<double> activity(query.cells.size());
  for (std::size_t n = 0; n < activity.size(); ++n)
    for (float value : rows.row(n)) activity[n] += query.target == "trace" ? std::abs(value) : value;
  return activity;
}

}  // namespace amacrine::recording
