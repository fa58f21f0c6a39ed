// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace amacrine::pathway {

/// Inverse of a symmetric positive definite n x n matrix, row after row. A little is added to its diagonal, so that rows that say
/// the same do no harm.
std::vector<double> inverse_of(const std::vector<double>& matrix, std::size_t n);

}  // namespace amacrine::pathway
