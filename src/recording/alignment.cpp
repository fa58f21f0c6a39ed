// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/alignment.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/stop.hpp"
#include "correlation.hpp"
#include "fresh_frames.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

constexpr double block_ms = 8000, earliest_ms = -1200, latest_ms = 1500, far_ms = 2000;
constexpr std::size_t most_blocks = 128, cells_at_once = 16;
constexpr double least_score = 7, least_excess = 1.4;
constexpr double usual_rise_ms = 35, soonest_rise_ms = 15, latest_rise_ms = 250, allowed_errors = 2;

/// First frames of the blocks that are used.
std::vector<std::size_t> block_starts(std::size_t frames, std::size_t length) {
  const std::size_t all = (frames + length - 1) / length, used = std::min(all, most_blocks);
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < used; ++i) starts.push_back(i * all / used * length);
  return starts;
}

/// A rate about its mean over 2 `length` frames that begin half a length before `start`, zero outside the recording.
std::vector<double> rate_around(std::span<const float> rate, std::size_t start, std::size_t length) {
  std::vector<double> values(2 * length);
  const std::size_t begin = start < length / 2 ? length / 2 - start : 0;  // of the values
  const std::size_t first = start + begin - length / 2, count = std::min(values.size() - begin, rate.size() - first);
  const double mean = std::accumulate(&rate[first], &rate[first] + count, 0.0) / static_cast<double>(count);
  for (std::size_t t = 0; t < count; ++t) values[begin + t] = rate[first + t] - mean;
  return values;
}

/// Cross spectra of all coarse pixels with some cells' responses, and the pixels' mean power spectrum.
struct CrossSpectra {
  core::Array<std::complex<double>, 3> cross;  ///< (N, pixels, frequencies)
  std::vector<double> power;                   ///< (frequencies)
};

void add_block(const core::Array<double, 2>& fresh, const std::vector<Spectrum>& responses, Transform& transform,
               CrossSpectra& sums) {
  for (std::size_t p = 0; p < fresh.extent(0); ++p) {
    const Spectrum pixel = transform.forward(fresh.row(p));
    for (std::size_t f = 0; f < pixel.size(); ++f) sums.power[f] += std::norm(pixel[f]);
    for (std::size_t n = 0; n < responses.size(); ++n) {
      std::complex<double>* out = &sums.cross(n, p, 0);
      for (std::size_t f = 0; f < pixel.size(); ++f) out[f] += std::conj(pixel[f]) * responses[n][f];
    }
  }
}

CrossSpectra cross_spectra(const FreshFrames& movie, const core::Array<float, 2>& rates, const std::vector<std::size_t>& cells,
                           std::size_t length) {
  Transform transform(2 * length);
  CrossSpectra sums{core::Array<std::complex<double>, 3>({cells.size(), movie.pixels(), transform.frequencies()}),
                    std::vector<double>(transform.frequencies())};
  for (std::size_t start : block_starts(rates.extent(1), length)) {
    parallel::throw_if_stopped();
    std::vector<Spectrum> responses;
    for (std::size_t n : cells) responses.push_back(transform.forward(rate_around(rates.row(n), start, length)));
    add_block(movie.block(start, length), responses, transform, sums);
  }
  return sums;
}

/// What a cross spectrum is multiplied by: one over the stimulus's power, smoothed over 17 frequencies, and a Gaussian of one
/// frame.
std::vector<double> whitening(const std::vector<double>& power) {
  constexpr std::size_t reach = 8;
  constexpr double least_share = 0.02;
  const double floor = least_share * *std::max_element(power.begin(), power.end());
  std::vector<double> gain(power.size());
  for (std::size_t f = 0; f < power.size(); ++f) {
    const std::size_t begin = f - std::min(f, reach), end = std::min(power.size(), f + reach + 1);
    const double mean = std::accumulate(&power[begin], &power[begin] + (end - begin), 0.0) / static_cast<double>(end - begin);
    const double angle = std::acos(-1.0) * static_cast<double>(f) / static_cast<double>(power.size() - 1);
    gain[f] = mean + floor > 0 ? std::exp(-0.5 * angle * angle) / (mean + floor) : 0.0;
  }
  return gain;
}

/// A correlation over lags: element i is `first + i` frames from stimulus to response.
class LagCurve {
 public:
  LagCurve(std::vector<double> values, double frame_ms)
      : values_(std::move(values)), first_(-static_cast<double>(values_.size() / 2)), frame_ms_(frame_ms) {
    double sum = 0, squares = 0, count = 0;
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (std::abs(lag_ms(i)) > far_ms) sum += values_[i], squares += values_[i] * values_[i], count += 1;
    const double variance = count > 0 ? squares / count - (sum / count) * (sum / count) : 0;
    for (double& value : values_) value = variance > 0 ? (value - sum / count) / std::sqrt(variance) : 0;
  }
  double lag_ms(double index) const { return (first_ + index) * frame_ms_; }
  /// Largest absolute value of the lags that may be a response, and of those that are none.
  std::size_t peak() const {
    std::size_t best = values_.size() / 2;
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (lag_ms(i) >= earliest_ms && lag_ms(i) <= latest_ms && std::abs(values_[i]) > std::abs(values_[best])) best = i;
    return best;
  }
  double far_peak() const {
    double best = 0;
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (std::abs(lag_ms(i)) > far_ms) best = std::max(best, std::abs(values_[i]));
    return best;
  }
  double at(std::size_t i) const { return values_[i]; }
  /// Sets where it has risen to half of its value at `peak`, between two lags, and how well that is known.
  void half_rise(std::size_t peak, ResponseLag& lag) const {
    const double half = 0.5 * std::abs(values_[peak]), sign = values_[peak] < 0 ? -1 : 1;
    std::size_t i = peak;
    while (i > 0 && sign * values_[i] > half) --i;
    const double slope = i < peak ? sign * (values_[i + 1] - values_[i]) : 0;
    if (!(slope > 0)) return;
    lag.rise_ms = lag_ms(static_cast<double>(i) + (half - sign * values_[i]) / slope);
    lag.rise_error_ms = frame_ms_ / slope;
  }

 private:
  std::vector<double> values_;
  double first_, frame_ms_;
};

ResponseLag lag_of(const CrossSpectra& spectra, std::size_t cell, const std::vector<double>& gain, double frame_ms) {
  Transform transform(2 * (spectra.power.size() - 1));
  ResponseLag found;
  double far = 0;
  Spectrum whitened(gain.size());
  for (std::size_t p = 0; p < spectra.cross.extent(1); ++p) {
    for (std::size_t f = 0; f < gain.size(); ++f) whitened[f] = gain[f] * spectra.cross(cell, p, f);
    std::vector<double> values = transform.inverse(whitened);
    values.resize(values.size() / 2);
    const LagCurve curve(std::move(values), frame_ms);
    far = std::max(far, curve.far_peak());
    const std::size_t peak = curve.peak();
    if (!(std::abs(curve.at(peak)) > found.score)) continue;
    found.score = std::abs(curve.at(peak));
    found.peak_ms = curve.lag_ms(static_cast<double>(peak));
    curve.half_rise(peak, found);
  }
  found.found = found.score >= least_score && found.score >= least_excess * far;
  return found;
}

/// "cell 0 (osr): rise at -62 ms, peak at -30 ms, about 10 frames" of those that `wanted` admits.
template <class Wanted>
std::vector<std::string> name_cells(const Recording& recording, const std::vector<ResponseLag>& lags, const Wanted& wanted) {
  std::vector<std::string> words;
  for (std::size_t n = 0; n < lags.size(); ++n)
    if (lags[n].found && wanted(lags[n].rise_ms, allowed_errors * lags[n].rise_error_ms))
      words.push_back(fmt::format("cell {} ({}) rises at {:.0f} ms and peaks at {:.0f} ms, about {:.0f} frames off",
                                  recording.cells[n].id, recording.cells[n].name, lags[n].rise_ms, lags[n].peak_ms,
                                  std::abs(lags[n].rise_ms - usual_rise_ms) / recording.screen.frame_ms));
  return words;
}

void warn_of_shift(const Recording& recording, const std::string& name, const char* when, const std::vector<std::string>& cells) {
  if (cells.empty()) return;
  core::warn(
      "{}: responses in {} come {} ({}; ganglion cells rise 20 to 250 ms after a frame is shown). Are movie and responses "
      "shifted "
      "against each other? Cut one of them at its start in the file, so that bin t holds the response during frame t",
      recording.path, name, when, fmt::join(cells, "; "));
}

}  // namespace

std::vector<ResponseLag> response_lags(const StoredMovie& movie, const ContrastCoding& coding, const core::Array<float, 2>& rates,
                                       double frame_ms) {
  std::vector<ResponseLag> lags(rates.extent(0));
  const std::size_t length = power_of_two(block_ms / frame_ms);
  if (2 * movie.frames() < 3 * length) return lags;
  const FreshFrames fresh(movie, coding);
  for (std::size_t first = 0; first < lags.size(); first += cells_at_once) {
    std::vector<std::size_t> cells(std::min(cells_at_once, lags.size() - first));
    std::iota(cells.begin(), cells.end(), first);
    const CrossSpectra spectra = cross_spectra(fresh, rates, cells, length);
    const std::vector<double> gain = whitening(spectra.power);
    for (std::size_t i = 0; i < cells.size(); ++i) lags[cells[i]] = lag_of(spectra, i, gain, frame_ms);
  }
  return lags;
}

void check_alignment(const Recording& recording, const Part& part, const std::string& name, double smoothing_ms) {
  if (part.target.empty() || part.movie.frames() == 0) return;
  const double frame_ms = recording.screen.frame_ms;
  const double soonest = std::clamp(30 - 1.5 * frame_ms, 0.0, soonest_rise_ms) - smoothing_ms / 2;
  const std::vector<ResponseLag> lags = response_lags(part.movie, recording.coding, part.target, frame_ms);
  const auto early = [&](double rise, double margin) { return rise + margin < soonest; };
  const auto late = [](double rise, double margin) { return rise - margin > latest_rise_ms; };
  warn_of_shift(recording, name, "too early", name_cells(recording, lags, early));
  warn_of_shift(recording, name, "too late", name_cells(recording, lags, late));
}

}  // namespace amacrine::recording
