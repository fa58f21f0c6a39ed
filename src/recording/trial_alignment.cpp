// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/alignment.hpp"
#include "correlation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace amacrine::recording {

namespace {

constexpr double largest_shift_ms = 1000, least_length_ms = 5000, least_peak = 7, largest_share = 0.6, least_spikes = 50,
                 least_of_one_cell_ms = 50;
constexpr std::size_t least_trials = 3;

/// Correlation of one trial with the sum of the others at lags -reach .. reach, in sd of the lags beyond `near`.
struct TrialCurve {
  std::vector<double> values;
  std::size_t near;  ///< lags that may be a shift

  std::size_t reach() const { return values.size() / 2; }
  double at(int lag) const { return values[static_cast<std::size_t>(static_cast<int>(reach()) + lag)]; }
  void standardise() {
    double sum = 0, squares = 0, count = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i + near >= reach() && i <= reach() + near) continue;
      sum += values[i], squares += values[i] * values[i], count += 1;
    }
    const double mean = count > 0 ? sum / count : 0, variance = count > 0 ? squares / count - mean * mean : 0;
    for (double& value : values) value = variance > 0 ? (value - mean) / std::sqrt(variance) : 0;
  }
  /// The lag that fits much better than none, 0 without: the noise of spikes moves the peak of a slow response by some frames,
  /// but does not halve what is seen at 0.
  int shift() const {
    int best = 0;
    for (int lag = -static_cast<int>(near); lag <= static_cast<int>(near); ++lag)
      if (at(lag) > at(best)) best = lag;
    return std::abs(best) >= 2 && at(best) >= least_peak && at(0) <= largest_share * at(best) ? best : 0;
  }
};

/// Spectra of one cell's trials (R), each about its mean.
std::vector<Spectrum> trial_spectra(const core::Array<float, 3>& repeats, std::size_t cell, Transform& transform) {
  const std::size_t frames = repeats.extent(2);
  std::vector<Spectrum> spectra;
  for (std::size_t r = 0; r < repeats.extent(0); ++r) {
    const auto trial = repeats.row(r).subspan(cell * frames, frames);
    const double mean = std::accumulate(trial.begin(), trial.end(), 0.0) / static_cast<double>(frames);
    std::vector<double> about(frames);
    for (std::size_t t = 0; t < frames; ++t) about[t] = trial[t] - mean;
    spectra.push_back(transform.forward(about));
  }
  return spectra;
}

/// Each trial of a cell against the sum of the others.
std::vector<TrialCurve> trial_curves(const core::Array<float, 3>& repeats, std::size_t cell, std::size_t near,
                                     std::size_t reach) {
  Transform transform(power_of_two(static_cast<double>(repeats.extent(2) + reach + 1)));
  const std::vector<Spectrum> trials = trial_spectra(repeats, cell, transform);
  Spectrum sum(transform.frequencies());
  for (const Spectrum& trial : trials)
    for (std::size_t f = 0; f < sum.size(); ++f) sum[f] += trial[f];
  std::vector<TrialCurve> curves;
  for (const Spectrum& trial : trials) {
    Spectrum cross(sum.size());
    for (std::size_t f = 0; f < sum.size(); ++f) cross[f] = std::conj(sum[f] - trial[f]) * trial[f];
    const std::vector<double> circular = transform.inverse(cross);
    TrialCurve curve{std::vector<double>(2 * reach + 1), near};
    for (std::size_t i = 0; i < curve.values.size(); ++i)
      curve.values[i] = circular[(i + circular.size() - reach) % circular.size()];
    curve.standardise();
    curves.push_back(std::move(curve));
  }
  return curves;
}

/// Spikes of one cell in a trial.
double spikes_of_trial(const core::Array<float, 3>& repeats, std::size_t trial, std::size_t cell, double frame_ms) {
  const auto rate = repeats.row(trial).subspan(cell * repeats.extent(2), repeats.extent(2));
  return std::accumulate(rate.begin(), rate.end(), 0.0) * frame_ms / 1000;
}

/// The mean curve of a trial over cells.
TrialCurve pooled(const std::vector<std::vector<TrialCurve>>& by_cell, std::size_t trial) {
  TrialCurve sum = by_cell[0][trial];
  for (std::size_t n = 1; n < by_cell.size(); ++n)
    for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += by_cell[n][trial].values[i];
  sum.standardise();
  return sum;
}

}  // namespace

std::vector<ShiftedTrial> shifted_trials(const core::Array<float, 3>& repeats, double frame_ms) {
  std::vector<ShiftedTrial> shifted;
  if (repeats.empty() || repeats.extent(0) < least_trials) return shifted;
  const std::size_t frames = repeats.extent(2), reach = frames / 2;
  if (static_cast<double>(frames) * frame_ms < least_length_ms) return shifted;
  const std::size_t near = std::min(static_cast<std::size_t>(largest_shift_ms / frame_ms), reach / 2);
  std::vector<std::vector<TrialCurve>> by_cell;
  for (std::size_t n = 0; n < repeats.extent(1); ++n) by_cell.push_back(trial_curves(repeats, n, near, reach));
  for (std::size_t r = 0; r < repeats.extent(0); ++r) {
    if (const int all = pooled(by_cell, r).shift(); all != 0) {
      shifted.push_back({r, {}, all});
      continue;
    }
    for (std::size_t n = 0; n < by_cell.size(); ++n) {
      const int one = by_cell[n][r].shift();
      const bool told =
          std::abs(one) * frame_ms >= least_of_one_cell_ms && spikes_of_trial(repeats, r, n, frame_ms) >= least_spikes;
      if (told) shifted.push_back({r, {n}, one});
    }
  }
  return shifted;
}

}  // namespace amacrine::recording
