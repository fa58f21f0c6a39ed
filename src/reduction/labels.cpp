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
