// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/reduction/labels.hpp"

#include <vector>

namespace amacrine::reduction {

/// Runs of one sign, at least two lags wide, whose peak reaches `threshold` of the largest value; earliest first.
std::vector<Lobe> runs_above(const std::vector<double>& values, double threshold);

}  // namespace amacrine::reduction
