// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ln_eigen.hpp"

namespace amacrine::training {

/// Coefficients (time functions x sites, row by row, then the constant) whose filter is a sum of `rank` products of a course in
/// time and a profile in space, and that nearly minimise x' system x / 2 - right' x: time and space in turn, from the singular
/// vectors of `start`, the minimum without that bound.
Vector low_rank_minimum(const Matrix& system, const Vector& right, const Vector& start, Eigen::Index sites, Eigen::Index rank);

}  // namespace amacrine::training
