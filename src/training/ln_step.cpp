// SPDX-License-Identifier: Apache-2.0
// Sums in one order for any number of threads and on every machine.
#ifndef EIGEN_DONT_VECTORIZE
#define EIGEN_DONT_VECTORIZE
#endif
#ifndef EIGEN_DONT_PARALLELIZE
#define EIGEN_DONT_PARALLELIZE
#endif
#include "ln_likelihood.hpp"

#include <Eigen/Cholesky>

namespace amacrine::training {
namespace {

constexpr double ridges[] = {1e-5, 1e-4, 1e-3,
                             1e-2, 1e-1, 1.0};  ///< weights of the penalty, over the information's mean diagonal
constexpr double lengths[] = {1.0, 0.3};        ///< of a step

}  // namespace

std::vector<std::vector<double>> ln_steps(const LnMoments& moments, const std::vector<double>& start) {
  const auto count = static_cast<Eigen::Index>(start.size());
  const Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> information(
      moments.information.values().data(), count, count);
  const Eigen::Map<const Eigen::VectorXd> gradient(moments.gradient.data(), count), from(start.data(), count);
  const double mean = information.diagonal().head(count - 1).mean();
  std::vector<std::vector<double>> candidates;
  for (const double ridge : ridges) {
    Eigen::VectorXd penalty = Eigen::VectorXd::Constant(count, ridge * mean);
    penalty[count - 1] = 1e-9 * mean;
    const Eigen::MatrixXd system = Eigen::MatrixXd(information) + Eigen::MatrixXd(penalty.asDiagonal());
    const Eigen::VectorXd step = system.ldlt().solve(gradient + penalty.cwiseProduct(from));
    for (const double length : lengths) {
      const Eigen::VectorXd to = from - length * step;
      candidates.emplace_back(to.data(), to.data() + count);
    }
  }
  return candidates;
}

}  // namespace amacrine::training
