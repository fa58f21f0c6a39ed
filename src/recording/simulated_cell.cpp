// SPDX-License-Identifier: Apache-2.0
#include "simulated_cell.hpp"

#include "amacrine/recording/circuit_stream.hpp"
#include "amacrine/recording/smoothing.hpp"
#include "amacrine/recording/spikes.hpp"
#include "amacrine/stimulus/ensemble.hpp"

#include <algorithm>
#include <array>
#include <set>

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

/// The contrast that each value of a quantised movie stands for.
std::array<float, 256> contrasts(const ContrastCoding& coding) {
  std::array<float, 256> contrast{};
  for (std::size_t value = 0; value < contrast.size(); ++value)
    contrast[value] = stimulus::contrast_of(static_cast<std::uint8_t>(value), coding.zero, coding.unit);
  return contrast;
}

}  // namespace

double CellOfPart::cost() const {
  std::set<std::vector<double>> kernels;
  for (const CircuitUnit& unit : settings_.circuit_of(cell()).units)
    kernels.insert(unit.spatial(plan_.screen, {cell().y, cell().x}));
  return static_cast<double>(part_.frames * kernels.size());
}

std::vector<double> CellOfPart::rates(const io::ResultWriter& writer, const std::function<bool()>& stopped) const {
  constexpr std::size_t at_once = 100;  // frames in contrast at a time
  const std::array<float, 256> contrast = contrasts(plan_.coding);
  const auto height = static_cast<std::size_t>(plan_.screen.height), width = static_cast<std::size_t>(plan_.screen.width);
  CircuitStream stream(settings_.circuit_of(cell()), plan_.screen, {cell().y, cell().x});
  std::vector<double> rate(part_.frames);
  for (std::size_t first = 0; first < rate.size() && !stopped(); first += at_once) {
    const std::size_t count = std::min(at_once, rate.size() - first);
    const auto pixels = writer.read<std::uint8_t>(part_.name + "/stimulus", {first, 0, 0}, {count, height, width});
    std::vector<float> movie(pixels.size());
    std::transform(pixels.begin(), pixels.end(), movie.begin(), [&](std::uint8_t value) { return contrast[value]; });
    stream.feed(movie.data(), count, rate.data() + first);
  }
  return rate;
}

std::vector<double> CellOfPart::run(io::ResultWriter& writer, const std::function<bool()>& stopped) const {
  const std::vector<double> rate = rates(writer, stopped);
  if (stopped()) return {};
  const std::vector<float> stored(rate.begin(), rate.end());
  write_block(writer, "simulated/" + part_.name + "/rate", stored, {cell_, 0}, {1, rate.size()});
  std::vector<std::vector<std::uint8_t>> counts;
  for (std::size_t r = 0; r < part_.trials; ++r)
    counts.push_back(poisson_counts({settings_.seed, cell_, part_.test(), r}, 0, rate, plan_.screen.frame_ms));
  write_counts(writer, counts);
  for (const int width_ms : smoothing_ms) write_smoothed(writer, width_ms, counts);
  double mean_hz = 0, max_hz = 0, spikes = 0;
  for (std::size_t t = 0; t < rate.size(); ++t) {
    mean_hz += rate[t] / static_cast<double>(rate.size());
    max_hz = std::max(max_hz, rate[t]);
    spikes += counts[0][t];
  }
  return {mean_hz, max_hz, spikes};
}

void CellOfPart::write_counts(io::ResultWriter& writer, const std::vector<std::vector<std::uint8_t>>& counts) const {
  const std::size_t bins = counts[0].size();
  if (!part_.test()) {
    write_block(writer, "train/response/binned", counts[0], {cell_, 0}, {1, bins});
    return;
  }
  write_block(writer, fmt::format("test/repeats/cell{:02d}", cell_ + 1), flattened(counts), {0, 0}, {counts.size(), bins});
  write_block(writer, "test/response/binned", trial_mean(counts), {cell_, 0}, {1, bins});
}

void CellOfPart::write_smoothed(io::ResultWriter& writer, int width_ms,
                                const std::vector<std::vector<std::uint8_t>>& counts) const {
  std::vector<std::vector<float>> rates;
  for (const std::vector<std::uint8_t>& trial : counts)
    rates.push_back(firing_rate(std::vector<float>(trial.begin(), trial.end()), width_ms, plan_.screen.frame_ms));
  const std::size_t bins = rates[0].size();
  const std::string name = fmt::format("firing_rate_{}ms", width_ms);
  write_block(writer, part_.name + "/response/" + name, trial_mean(rates), {cell_, 0}, {1, bins});
  if (part_.test()) write_block(writer, "test/repeats/" + name, flattened(rates), {0, cell_, 0}, {part_.trials, 1, bins});
}

}  // namespace amacrine::recording
