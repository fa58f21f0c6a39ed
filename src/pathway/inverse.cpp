// SPDX-License-Identifier: Apache-2.0
#include "inverse.hpp"

#include "amacrine/core/eigen_settings.hpp"

#include <Eigen/Dense>

namespace amacrine::pathway {

std::vector<double> inverse_of(const std::vector<double>& matrix, std::size_t n) {
  constexpr double relative = 1e-9, absolute = 1e-12;
  const auto size = static_cast<Eigen::Index>(n);
  Eigen::MatrixXd a = Eigen::Map<const Eigen::MatrixXd>(matrix.data(), size, size);
  a.diagonal() = ((1 + relative) * a.diagonal().array() + absolute).matrix();
  const Eigen::MatrixXd inverse = a.ldlt().solve(Eigen::MatrixXd::Identity(size, size));
  return {inverse.data(), inverse.data() + inverse.size()};
}

}  // namespace amacrine::pathway
