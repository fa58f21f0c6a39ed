// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/labels.hpp"

#include "eigen.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::reduction {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The kernel as a matrix: rows are lags (0 = newest frame), columns are pixels.
Matrix by_lag(const core::Array<float, 3>& kernel) {
  const auto history = static_cast<Eigen::Index>(kernel.extent(0));
  Matrix matrix(history, static_cast<Eigen::Index>(kernel.extent(1) * kernel.extent(2)));
  for (Eigen::Index lag = 0; lag < history; ++lag) {
    const auto frame = kernel.row(static_cast<std::size_t>(history - 1 - lag));
    for (Eigen::Index p = 0; p < matrix.cols(); ++p) matrix(lag, p) = static_cast<double>(frame[static_cast<std::size_t>(p)]);
  }
  return matrix;
}

/// First right singular vector, its peak positive. The matrix of lags by lags is small, so its eigenvectors give it.
Eigen::VectorXd dominant_space(const Matrix& kernel) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(kernel * kernel.transpose());
  Eigen::VectorXd space = kernel.transpose() * solver.eigenvectors().col(kernel.rows() - 1);
  Eigen::Index peak = 0;
  space.cwiseAbs().maxCoeff(&peak);
  if (space(peak) < 0) space = -space;
  return space;
}

}  // namespace

TemporalFilter temporal_filter(const core::Array<float, 3>& kernel, double balance_threshold) {
  core::require(kernel.size() > 0, "a first-layer kernel without values has no temporal filter");
  const Matrix matrix = by_lag(kernel);
  const Eigen::VectorXd space = dominant_space(matrix);
  const Eigen::VectorXd centre = space.cwiseMax(0.0);
  const double whole = std::abs(space.sum()), part = centre.sum();
  TemporalFilter filter;
  filter.from_centre = part > 0 && !(whole >= balance_threshold * part);
  const Eigen::VectorXd weights = filter.from_centre ? centre : Eigen::VectorXd::Ones(space.size());
  const Eigen::VectorXd value = matrix * weights;
  const double largest = value.cwiseAbs().maxCoeff();
  filter.value.resize(static_cast<std::size_t>(value.size()), 0.0);
  for (Eigen::Index lag = 0; lag < value.size() && largest > 0; ++lag)
    filter.value[static_cast<std::size_t>(lag)] = value(lag) / largest;
  const auto width = static_cast<Eigen::Index>(kernel.extent(2));
  const Eigen::VectorXd mass = centre.cwiseProduct(centre);  // squared: the tails of a noisy kernel should not pull the centre
  for (Eigen::Index p = 0; p < mass.size() && mass.sum() > 0; ++p) {
    const Eigen::Index row = p / width, column = p % width;
    filter.centre_y += mass(p) / mass.sum() * static_cast<double>(row);
    filter.centre_x += mass(p) / mass.sum() * static_cast<double>(column);
  }
  return filter;
}

namespace {

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

std::vector<Lobe> lobes(const std::vector<double>& filter, double threshold) {
  std::vector<Lobe> found;
  if (filter.empty()) return found;
  const std::vector<double> smooth = smoothed(filter);
  double largest = 0;
  for (double v : smooth) largest = std::max(largest, std::abs(v));
  if (!(largest > 0)) return found;
  constexpr std::size_t least_lobe_lags = 2;
  constexpr double least_lobe_strength = 3;
  const double noise = lag_noise(filter);
  for (std::size_t begin = 0; begin < smooth.size();) {
    std::size_t end = begin, peak = begin;
    for (; end < smooth.size() && (smooth[end] > 0) == (smooth[begin] > 0); ++end)
      if (std::abs(smooth[end]) > std::abs(smooth[peak])) peak = end;
    const bool large = smooth[peak] != 0 && std::abs(smooth[peak]) >= threshold * largest && end - begin >= least_lobe_lags;
    if (large && lobe_strength(filter, begin, end, smooth[peak] > 0 ? 1 : -1) >= least_lobe_strength * noise)
      found.push_back({peak_lag(smooth, peak), smooth[peak] / largest});
    begin = end;
  }
  return found;
}

int polarity(const std::vector<Lobe>& lobes, double gain) {
  if (lobes.empty() || gain == 0) return 0;
  return (lobes.front().height > 0) == (gain > 0) ? 1 : -1;
}

int later_polarity(const std::vector<Lobe>& lobes, double gain) {
  const auto larger = [](const Lobe& a, const Lobe& b) { return std::abs(a.height) < std::abs(b.height); };
  const auto largest = std::max_element(lobes.begin(), lobes.end(), larger);
  if (largest == lobes.end()) return 0;
  const int sign = polarity({*largest}, gain);
  return sign == polarity(lobes, gain) ? 0 : sign;
}

Influence influence(const std::vector<double>& attribution, const std::vector<double>& hidden_change) {
  core::require(attribution.size() == hidden_change.size(), "{} attributions were given {} changes of h", attribution.size(),
                hidden_change.size());
  double sum = 0, change = 0, total = 0, released = 0, exciting = 0;
  for (std::size_t t = 0; t < attribution.size(); ++t) {
    const double a = attribution[t], dh = hidden_change[t];
    sum += dh > 0 ? a : dh < 0 ? -a : 0.0;
    change += std::abs(dh);
    total += std::abs(a);
    if (a > 0 && dh < 0) released += a;
    if (a * dh > 0) exciting += std::abs(a);
  }
  Influence result;
  result.sign = sum > 0 ? 1 : sum < 0 ? -1 : 0;
  if (total > 0) result.disinhibition_share = released / total;
  if (total > 0) result.minority_share = std::min(exciting, total - exciting) / total;
  if (change > 0) result.mean_downstream = sum / change;
  return result;
}

}  // namespace amacrine::reduction
