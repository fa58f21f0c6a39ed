// SPDX-License-Identifier: Apache-2.0
#include "simulated_cell.hpp"

#include "amacrine/stimulus/ensemble.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace amacrine::recording {

namespace {

/// Mean over trials (R, T) -> (T), summed in double in trial order.
template <class T>
std::vector<float> trial_mean(const std::vector<std::vector<T>>& trials) {
  std::vector<float> mean(trials[0].size());
  for (std::size_t t = 0; t < mean.size(); ++t) {
    double sum = 0;
    for (const std::vector<T>& trial : trials) sum += trial[t];
    mean[t] = static_cast<float>(sum / static_cast<double>(trials.size()));
  }
  return mean;
}

template <class T>
std::vector<T> flattened(const std::vector<std::vector<T>>& trials) {
  std::vector<T> flat;
  for (const std::vector<T>& trial : trials) flat.insert(flat.end(), trial.begin(), trial.end());
  return flat;
}

template <class T>
void write_block(io::ResultWriter& writer, const std::string& variable, const std::vector<T>& values,
                 const std::vector<std::size_t>& offset, const std::vector<std::size_t>& count) {
  writer.write<T>(variable, std::span<const T>(values), offset, count);
}

}  // namespace

CellOfPart::CellOfPart(const SimulationSettings& settings, const SimulationPlan& plan, const SimulatedPart& part,
                       std::size_t cell)
    : plan_(plan),
      part_(part),
      cell_(cell),
      seed_(settings.seed),
      stream_(settings.circuit_of(settings.cells[cell]), plan.screen, {settings.cells[cell].y, settings.cells[cell].x}),
      smoothed_(smoothing_ms.size()),
      activity_{settings.cells[cell].name, settings.cells[cell].circuit} {
  for (int width : smoothing_ms) smoothing_.emplace_back(part.trials, SmoothingStream(width, plan.screen.frame_ms));
}

std::vector<double> CellOfPart::rates(std::span<const std::uint8_t> pixels) {
  std::array<float, 256> contrast{};
  for (std::size_t value = 0; value < contrast.size(); ++value)
    contrast[value] = stimulus::contrast_of(static_cast<std::uint8_t>(value), plan_.coding.zero, plan_.coding.unit);
  const std::size_t frame = static_cast<std::size_t>(plan_.screen.height) * static_cast<std::size_t>(plan_.screen.width);
  constexpr std::size_t at_once = 100;  // frames in contrast at a time
  std::vector<float> movie;
  std::vector<double> rate(pixels.size() / frame);
  for (std::size_t first = 0; first < rate.size(); first += at_once) {
    const std::size_t count = std::min(at_once, rate.size() - first);
    movie.resize(count * frame);
    std::transform(pixels.begin() + static_cast<std::ptrdiff_t>(first * frame),
                   pixels.begin() + static_cast<std::ptrdiff_t>((first + count) * frame), movie.begin(),
                   [&](std::uint8_t value) { return contrast[value]; });
    stream_.feed(movie.data(), count, rate.data() + first);
  }
  return rate;
}

void CellOfPart::run(io::ResultWriter& writer, std::span<const std::uint8_t> pixels) {
  const std::vector<double> rate = rates(pixels);
  const std::vector<float> stored(rate.begin(), rate.end());
  write_block(writer, "simulated/" + part_.name + "/rate", stored, {cell_, done_}, {1, rate.size()});
  std::vector<std::vector<std::uint8_t>> counts;
  for (std::size_t r = 0; r < part_.trials; ++r)
    counts.push_back(poisson_counts({seed_, cell_, part_.test(), r}, done_, rate, plan_.screen.frame_ms));
  write_counts(writer, counts);
  const bool last = done_ + rate.size() == part_.frames;
  for (std::size_t width = 0; width < smoothing_ms.size(); ++width) write_smoothed(writer, width, counts, last);
  done_ += rate.size();
  for (std::size_t t = 0; t < rate.size(); ++t) {
    activity_.mean_hz += rate[t] / static_cast<double>(part_.frames);
    activity_.max_hz = std::max(activity_.max_hz, rate[t]);
    activity_.spikes += counts[0][t];
  }
}

void CellOfPart::write_counts(io::ResultWriter& writer, const std::vector<std::vector<std::uint8_t>>& counts) const {
  const std::size_t bins = counts[0].size();
  if (!part_.test()) {
    write_block(writer, "train/response/binned", counts[0], {cell_, done_}, {1, bins});
    return;
  }
  write_block(writer, fmt::format("test/repeats/cell{:02d}", cell_ + 1), flattened(counts), {0, done_}, {counts.size(), bins});
  write_block(writer, "test/response/binned", trial_mean(counts), {cell_, done_}, {1, bins});
}

void CellOfPart::write_smoothed(io::ResultWriter& writer, std::size_t width, const std::vector<std::vector<std::uint8_t>>& counts,
                                bool last) {
  std::vector<std::vector<float>> rates;
  for (std::size_t r = 0; r < part_.trials; ++r) rates.push_back(smoothing_[width][r].feed(counts[r], last));
  const std::size_t first = smoothed_[width], bins = rates[0].size();
  if (bins == 0) return;
  const std::string name = fmt::format("firing_rate_{}ms", smoothing_ms[width]);
  write_block(writer, part_.name + "/response/" + name, trial_mean(rates), {cell_, first}, {1, bins});
  if (part_.test()) write_block(writer, "test/repeats/" + name, flattened(rates), {0, cell_, first}, {part_.trials, 1, bins});
  smoothed_[width] += bins;
}

}  // namespace amacrine::recording
