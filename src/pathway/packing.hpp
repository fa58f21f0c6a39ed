// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/growth.hpp"

#include <vector>

namespace amacrine::pathway {

/// The result of one task, as it goes from rank to rank.
struct PackedFit {
  std::size_t cell = 0, fold = 0;
  double unit_hz = 0, scale = 1;
  std::vector<Step> steps;
};

/// Adds a fit to a flat message; numbers below 2^53 are exact.
void pack(const PackedFit& fit, std::vector<double>& message);
std::vector<PackedFit> unpack(const std::vector<double>& message);

}  // namespace amacrine::pathway
