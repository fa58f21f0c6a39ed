// SPDX-License-Identifier: Apache-2.0
// Which lobes of a temporal filter are real.
#include "amacrine/reduction/labels.hpp"
#include "bump_fit.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::reduction {
namespace {

/// No lag counts for more than one and a half of the larger of its neighbours of the same sign, and one between two of the other
/// sign for nothing: a single noisy lag makes no lobe, however large.
std::vector<double> without_lone_lags(const std::vector<double>& filter) {
  constexpr double above_neighbour = 1.5;
  std::vector<double> kept(filter);
  for (std::size_t l = 0; l < filter.size(); ++l) {
    const double sign = filter[l] > 0 ? 1 : -1, before = l > 0 ? sign * filter[l - 1] : 0.0;
    const double after = l + 1 < filter.size() ? sign * filter[l + 1] : 0.0;
    kept[l] = sign * std::min(sign * filter[l], above_neighbour * std::max({before, after, 0.0}));
  }
  return kept;
}

std::vector<double> smoothed(const std::vector<double>& filter) {
  std::vector<double> smooth(filter.size());
  for (std::size_t l = 0; l < filter.size(); ++l) {
    const double before = filter[l > 0 ? l - 1 : 0], after = filter[std::min(l + 1, filter.size() - 1)];
    smooth[l] = 0.25 * before + 0.5 * filter[l] + 0.25 * after;
  }
  return smooth;
}

/// Sd of the noise of single lags, from the second differences of the oldest ones: a smooth tail has none.
double lag_noise(const std::vector<double>& filter) {
  constexpr std::size_t oldest = 16;
  const std::size_t first = filter.size() > oldest ? filter.size() - oldest : 0;
  double square = 0, count = 0;
  for (std::size_t l = first + 1; l + 1 < filter.size(); ++l, count += 1) {
    const double bend = filter[l - 1] - 2 * filter[l] + filter[l + 1];
    square += bend * bend;
  }
  return count > 0 ? std::sqrt(square / count / 6) : 0.0;  // white noise of sd 1 has second differences of variance 6
}

/// How far a lobe at lags [begin, end) stands above noise of sd 1 a lag: the best weighted sum of two to four neighbouring lags,
/// each sum of unit variance. A lag on either side may take part, since smoothing moves zero crossings.
double lobe_strength(const std::vector<double>& filter, std::size_t begin, std::size_t end, double sign) {
  static const std::vector<std::vector<double>> shapes{{1, 1}, {1, 1, 1}, {1, 2, 1}, {1, 1, 1, 1}, {1, 2, 2, 1}};
  const std::size_t first = begin > 0 ? begin - 1 : 0, last = std::min(end + 1, filter.size());
  double best = 0;
  for (const std::vector<double>& shape : shapes) {
    double norm = 0;
    for (double weight : shape) norm += weight * weight;
    for (std::size_t at = first; at + shape.size() <= last; ++at) {
      double sum = 0;
      for (std::size_t i = 0; i < shape.size(); ++i) sum += shape[i] * filter[at + i];
      best = std::max(best, sign * sum / std::sqrt(norm));
    }
  }
  return best;
}

/// Vertex of the parabola through three neighbouring values, in frames.
double peak_lag(const std::vector<double>& values, std::size_t at) {
  if (at == 0 || at + 1 >= values.size()) return static_cast<double>(at);
  const double a = values[at - 1], b = values[at], c = values[at + 1], bend = a - 2 * b + c;
  return static_cast<double>(at) + (std::abs(bend) > 1e-12 ? std::clamp(0.5 * (a - c) / bend, -0.5, 0.5) : 0.0);
}

}  // namespace

std::vector<Lobe> runs_above(const std::vector<double>& values, double threshold) {
  constexpr std::size_t least_lags = 2;
  const auto sign = [&](std::size_t lag) { return values[lag] > 0 ? 1 : values[lag] < 0 ? -1 : 0; };
  double largest = 0;
  for (double v : values) largest = std::max(largest, std::abs(v));
  std::vector<Lobe> found;
  for (std::size_t begin = 0, end = 0; begin < values.size(); begin = end) {
    std::size_t peak = begin;
    for (end = begin; end < values.size() && sign(end) == sign(begin); ++end)
      if (std::abs(values[end]) > std::abs(values[peak])) peak = end;
    if (sign(begin) != 0 && end - begin >= least_lags && std::abs(values[peak]) >= threshold * largest)
      found.push_back({peak_lag(values, peak), values[peak] / largest, begin, end});
  }
  return found;
}

std::vector<Lobe> lobes(const std::vector<double>& filter, double threshold) {
  // A fitted curve has no noise of its own, so that smaller lobes of it can be trusted.
  constexpr double of_fitted = 0.75, least_strength = 3;
  if (const auto fitted = fit_bumps(filter, of_fitted * threshold)) return runs_above(*fitted, of_fitted * threshold);
  const std::vector<double> kept = without_lone_lags(filter);
  std::vector<Lobe> found = runs_above(smoothed(kept), threshold);
  const double noise = lag_noise(filter);
  std::erase_if(found, [&](const Lobe& lobe) {
    return !(lobe_strength(kept, lobe.begin, lobe.end, lobe.height > 0 ? 1 : -1) >= least_strength * noise);
  });
  return found;
}

}  // namespace amacrine::reduction
