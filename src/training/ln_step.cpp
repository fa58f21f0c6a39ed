// SPDX-License-Identifier: Apache-2.0
#include "ln_likelihood.hpp"
#include "ln_low_rank.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::training {
namespace {

/// Weights of the penalty on the filter's square, over the information's mean diagonal.
constexpr double ridges[] = {1e-4, 1e-3, 1e-2, 1e-1};
/// What is expected of a filter: the penalty on differences between neighbouring sites over that on the square, and the sd (in
/// sites) of the Gaussian around the middle by whose inverse the square is weighed; 0: all sites alike.
struct Shape {
  double smoothness, sd;
};
constexpr Shape shapes[] = {{0, 0}, {4, 0}, {4, 3}, {4, 1.5}};
constexpr Eigen::Index largest_rank = 2;

std::vector<double> numbers(const Vector& x) { return {x.data(), x.data() + x.size()}; }

/// x' penalty x: the filter's square and its differences between neighbouring sites, summed over the functions of time.
Matrix penalty_of(Eigen::Index count, const Crop& crop, const Shape& shape) {
  Matrix penalty = Matrix::Zero(count, count);
  const auto columns = static_cast<Eigen::Index>(crop.columns), rows = static_cast<Eigen::Index>(crop.rows);
  const auto differ = [&](Eigen::Index a, Eigen::Index b) {
    penalty(a, a) += shape.smoothness, penalty(b, b) += shape.smoothness;
    penalty(a, b) -= shape.smoothness, penalty(b, a) -= shape.smoothness;
  };
  for (Eigen::Index i = 0; i < count - 1; ++i) {
    const Eigen::Index row = i / columns % rows, column = i % columns;
    const double y = static_cast<double>(row) - 0.5 * static_cast<double>(rows - 1),
                 x = static_cast<double>(column) - 0.5 * static_cast<double>(columns - 1);
    penalty(i, i) += shape.sd > 0 ? std::exp((y * y + x * x) / (2 * shape.sd * shape.sd)) : 1.0;
    if (column + 1 < columns) differ(i, i + 1);
    if (row + 1 < rows) differ(i, i + columns);
  }
  return penalty;
}

}  // namespace

std::vector<std::vector<double>> ln_steps(const LnMoments& moments, const std::vector<double>& start, const Crop& crop) {
  const auto count = static_cast<Eigen::Index>(start.size()), sites = static_cast<Eigen::Index>(crop.sites());
  const Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> information(
      moments.information.values().data(), count, count);
  const Eigen::Map<const Vector> gradient(moments.gradient.data(), count), from(start.data(), count);
  const double mean = information.diagonal().head(count - 1).mean();
  const Eigen::Index ranks = std::min({largest_rank, sites, (count - 1) / sites});
  const Vector right = information * from - gradient;
  std::vector<std::vector<double>> candidates;
  for (const Shape& shape : shapes) {
    const Matrix penalty = mean * penalty_of(count, crop, shape);
    for (const double ridge : ridges) {
      const Matrix system = Matrix(information) + ridge * penalty;
      const Vector to = system.ldlt().solve(right);
      candidates.push_back(numbers(to));
      for (Eigen::Index rank = 1; rank <= ranks; ++rank)
        candidates.push_back(numbers(low_rank_minimum(system, right, to, sites, rank)));
    }
  }
  return candidates;
}

}  // namespace amacrine::training
