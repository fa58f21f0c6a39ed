// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/eigen_settings.hpp"

#include <Eigen/Cholesky>
#include <Eigen/SVD>

namespace amacrine::training {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

}  // namespace amacrine::training
