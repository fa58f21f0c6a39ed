// SPDX-License-Identifier: Apache-2.0
#include "spike_average.hpp"

#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::recording {

namespace {

constexpr std::size_t coarse = 5;     ///< px per side of a coarse pixel
constexpr std::size_t farthest = 25;  ///< px: pixels further apart are left out of the autocovariance

/// The rate of one cell about its mean over a stretch.
std::vector<float> centred(std::span<const float> rate, const parallel::Range& stretch) {
  double sum = 0;
  for (std::size_t t = stretch.begin; t < stretch.end; ++t) sum += rate[t];
  const auto mean = static_cast<float>(sum / static_cast<double>(stretch.size()));
  std::vector<float> about(stretch.size());
  for (std::size_t t = 0; t < about.size(); ++t) about[t] = rate[stretch.begin + t] - mean;
  return about;
}

std::vector<std::vector<float>> all_centred(const core::Array<float, 2>& rates, const parallel::Range& stretch) {
  std::vector<std::vector<float>> rows;
  for (std::size_t n = 0; n < rates.extent(0); ++n) rows.push_back(centred(rates.row(n), stretch));
  return rows;
}

/// What is new in frame f, s(f) - persistence s(f - 1), of unit rms where there is persistence: otherwise the few frames on which
/// a natural movie changes altogether outweigh all others.
void fresh_contrast(const StoredMovie& movie, const ContrastCoding& coding, double persistence, std::size_t f,
                    std::vector<float>& frame) {
  movie.contrast(f, coding, frame.data());
  if (f == 0 || persistence == 0) return;
  std::vector<float> before(frame.size());
  movie.contrast(f - 1, coding, before.data());
  const auto share = static_cast<float>(persistence);
  double squares = 0;
  for (std::size_t p = 0; p < frame.size(); ++p) {
    frame[p] -= share * before[p];
    squares += static_cast<double>(frame[p]) * static_cast<double>(frame[p]);
  }
  const double rms = std::sqrt(squares / static_cast<double>(frame.size()));
  const auto gain = static_cast<float>(rms > 0 ? 1.0 / rms : 0.0);
  for (float& value : frame) value *= gain;
}

/// Means over coarse pixels.
void bin_frame(const std::vector<float>& frame, std::size_t height, std::size_t width, std::vector<float>& out) {
  const std::size_t columns = (width + coarse - 1) / coarse;
  std::fill(out.begin(), out.end(), 0.0f);
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) out[(y / coarse) * columns + x / coarse] += frame[y * width + x] / (coarse * coarse);
}

/// Leading right-singular vector of average (pixels, lags), by power iteration on its lags x lags Gram matrix.
std::vector<double> leading_profile(const core::Array<double, 2>& average) {
  const std::size_t lags = average.extent(1);
  core::Array<double, 2> gram({lags, lags});
  for (std::size_t p = 0; p < average.extent(0); ++p)
    for (std::size_t i = 0; i < lags; ++i)
      for (std::size_t j = 0; j < lags; ++j) gram(i, j) += average(p, i) * average(p, j);
  std::size_t largest = 0;
  for (std::size_t i = 0; i < lags; ++i)
    if (gram(i, i) > gram(largest, largest)) largest = i;
  std::vector<double> profile(gram.row(largest).begin(), gram.row(largest).end());
  for (int iteration = 0; iteration < 200; ++iteration) {
    std::vector<double> next(lags);
    double norm = 0;
    for (std::size_t i = 0; i < lags; ++i) {
      for (std::size_t j = 0; j < lags; ++j) next[i] += gram(i, j) * profile[j];
      norm += next[i] * next[i];
    }
    if (!(norm > 0)) break;
    for (std::size_t i = 0; i < lags; ++i) profile[i] = next[i] / std::sqrt(norm);
  }
  const auto peak =
      std::max_element(profile.begin(), profile.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  const double sign = *peak < 0 ? -1.0 : 1.0;
  for (double& value : profile) value *= sign;
  return profile;
}

/// w(f) = sum_l k[l] (r(f + l) - mean) for the frames that reach the stretch's bins: index 0 is frame stretch.begin - (lags - 1).
std::vector<double> frame_weights(const std::vector<float>& rate, const std::vector<double>& profile) {
  const std::size_t lags = profile.size(), bins = rate.size();
  std::vector<double> weights(bins + lags - 1);
  for (std::size_t t = 0; t < bins; ++t)
    for (std::size_t lag = 0; lag < lags; ++lag) weights[t + lags - 1 - lag] += profile[lag] * static_cast<double>(rate[t]);
  return weights;
}

}  // namespace

double temporal_persistence(const StoredMovie& movie, const ContrastCoding& coding, std::size_t samples) {
  constexpr std::size_t apart = 20;  // frames
  if (movie.frames() <= apart) return 0;
  std::vector<float> now(movie.height() * movie.width()), later(now.size());
  double product = 0, squares = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    const std::size_t f = i * (movie.frames() - apart) / samples;
    movie.contrast(f, coding, now.data());
    movie.contrast(f + apart, coding, later.data());
    for (std::size_t p = 0; p < now.size(); ++p) {
      product += static_cast<double>(now[p]) * static_cast<double>(later[p]);
      squares += 0.5 * (static_cast<double>(now[p]) * static_cast<double>(now[p]) +
                        static_cast<double>(later[p]) * static_cast<double>(later[p]));
    }
  }
  const double correlation = squares > 0 ? product / squares : 0;
  return correlation > 0.1 ? std::pow(correlation, 1.0 / apart) : 0;
}

std::vector<parallel::Range> spread_stretches(std::size_t frames, std::size_t lags, std::size_t count, std::size_t max_frames) {
  std::vector<parallel::Range> stretches;
  if (frames < lags + 2 * count) return stretches;
  const std::size_t usable = frames - (lags - 1), length = std::min(usable, max_frames) / count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = lags - 1 + i * usable / count;
    stretches.push_back({begin, begin + length});
  }
  return stretches;
}

std::vector<std::vector<double>> temporal_profiles(const StoredMovie& movie, const ContrastCoding& coding, double persistence,
                                                   const core::Array<float, 2>& rates, std::size_t lags,
                                                   const std::vector<parallel::Range>& stretches) {
  const std::size_t height = movie.height(), width = movie.width();
  const std::size_t pixels = ((height + coarse - 1) / coarse) * ((width + coarse - 1) / coarse), cells = rates.extent(0);
  std::vector<core::Array<double, 2>> averages(cells, core::Array<double, 2>({pixels, lags}));
  std::vector<float> frame(height * width), binned(pixels);
  for (const parallel::Range& stretch : stretches) {
    const std::vector<std::vector<float>> rows = all_centred(rates, stretch);
    for (std::size_t f = stretch.begin; f < stretch.end; ++f) {
      parallel::throw_if_stopped();
      fresh_contrast(movie, coding, persistence, f, frame);
      bin_frame(frame, height, width, binned);
      const std::size_t reach = std::min(lags, stretch.end - f);
      for (std::size_t n = 0; n < cells; ++n)
        for (std::size_t p = 0; p < pixels; ++p)
          for (std::size_t lag = 0; lag < reach; ++lag)
            averages[n](p, lag) += static_cast<double>(binned[p] * rows[n][f - stretch.begin + lag]);
    }
  }
  std::vector<std::vector<double>> profiles;
  profiles.reserve(averages.size());
  for (const core::Array<double, 2>& average : averages) profiles.push_back(leading_profile(average));
  return profiles;
}

core::Array<double, 3> spatial_averages(const StoredMovie& movie, const ContrastCoding& coding, double persistence,
                                        const core::Array<float, 2>& rates, const std::vector<std::vector<double>>& profiles,
                                        const std::vector<parallel::Range>& stretches) {
  const std::size_t pixels = movie.height() * movie.width(), cells = rates.extent(0);
  core::Array<double, 3> averages({cells, stretches.size(), pixels});
  std::vector<float> frame(pixels);
  for (std::size_t s = 0; s < stretches.size(); ++s) {
    std::vector<std::vector<double>> weights(cells);
    for (std::size_t n = 0; n < cells; ++n) weights[n] = frame_weights(centred(rates.row(n), stretches[s]), profiles[n]);
    const std::size_t first = stretches[s].begin - (profiles[0].size() - 1);
    for (std::size_t f = first; f < stretches[s].end; ++f) {
      parallel::throw_if_stopped();
      fresh_contrast(movie, coding, persistence, f, frame);
      for (std::size_t n = 0; n < cells; ++n) {
        const double weight = weights[n][f - first] / static_cast<double>(stretches[s].size());
        double* sum = &averages(n, s, 0);
        for (std::size_t p = 0; p < pixels; ++p) sum[p] += weight * static_cast<double>(frame[p]);
      }
    }
  }
  return averages;
}

core::Array<double, 2> autocovariance(const StoredMovie& movie, const ContrastCoding& coding, double persistence,
                                      std::size_t samples) {
  const std::size_t height = movie.height(), width = movie.width(), used = std::min(samples, movie.frames());
  core::Array<double, 2> sums({2 * height - 1, 2 * width - 1});
  std::vector<float> frame(height * width);
  for (std::size_t i = 0; i < used; ++i) {
    fresh_contrast(movie, coding, persistence, (2 * i + 1) * movie.frames() / (2 * used), frame);
    for (std::size_t dy = 0; dy < std::min(height, farthest); ++dy)
      for (std::size_t y = 0; y + dy < height; ++y)
        for (std::size_t x = 0; x < width; ++x) {
          const float here = frame[y * width + x];
          double* out = &sums(height - 1 + dy, width - 1 - x);
          const float* there = &frame[(y + dy) * width];
          const std::size_t from = x - std::min(x, farthest), to = std::min(width, x + farthest);
          for (std::size_t other = from; other < to; ++other) out[other] += static_cast<double>(here * there[other]);
        }
  }
  for (std::size_t dy = 0; dy < height; ++dy)
    for (std::size_t k = 0; k < 2 * width - 1; ++k) {
      const std::size_t dx = k >= width - 1 ? k - (width - 1) : width - 1 - k;
      const double pairs = static_cast<double>(used * (height - dy) * (width - dx));
      sums(height - 1 + dy, k) /= pairs;
      if (dy > 0) sums(height - 1 - dy, 2 * width - 2 - k) = sums(height - 1 + dy, k);
    }
  return sums;
}

}  // namespace amacrine::recording
