// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sums in one order for any number of threads and on every machine.
#ifndef EIGEN_DONT_VECTORIZE
#define EIGEN_DONT_VECTORIZE
#endif
#ifndef EIGEN_DONT_PARALLELIZE
#define EIGEN_DONT_PARALLELIZE
#endif
#include <Eigen/Cholesky>
#include <Eigen/SVD>

namespace amacrine::training {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

}  // namespace amacrine::training
