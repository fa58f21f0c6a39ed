// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/block.hpp"

#include <vector>

namespace amacrine::attribution {

/// An empty block with room for `windows` windows, shaped like `like`.
Block room_for(const Block& like, std::size_t windows);
/// into's windows `at` = the windows of `from`.
void put_windows(const Block& from, const std::vector<std::size_t>& at, Block& into);
/// The listed windows of a block.
Block pick_windows(const Block& from, const std::vector<std::size_t>& windows);

/// Sum|A - B| / max(Sum|A|, 0.1 Hz) of every row, A of `fine`, B of `coarse`, both of the same windows; sums over channels,
/// positions or units, of the second layer at its levels. (W, M)
core::Array<double, 2> row_distance(const Block& fine, const Block& coarse, Level level);

/// What the error of a row is taken to be, given its distance to the result with half as many panels, and that result's to the
/// one with a quarter as many. At second order the error is a third of the distance; with few ReLUs after the first layer single
/// flips make it stray from that, so that `later_units`, the number of units whose flips tell, sets a factor of safety (3 for
/// none, 1.14 for the 5,408 of the standard network).
double estimated_error(double distance, double coarser_distance, std::size_t later_units);

/// Which windows have all their rows within the tolerance. At the last refinement the rows beyond it are flagged.
std::vector<bool> judge_windows(Block& block, double tolerance, bool last);

}  // namespace amacrine::attribution
