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

/// Values of a row as row_distance() sums over them.
std::size_t row_values(const Block& block, Level level);

/// What a row's error is judged by: its distance to the result with half as many panels, or where that is larger a quarter of
/// what the result with half as many was judged by. Nothing is forgotten while panels are doubled: a row whose differences happen
/// to cancel once is not trusted for it.
double worst_distance(double distance, double coarser);

/// What the error of a row is taken to be. At second order it is a third of the distance; with few ReLUs after the layer
/// attributed single flips make it stray from that, and the fewer values a row has the sooner do they cancel in all of them at
/// once. Hence the factors of safety, measured on small networks: 1 + 10 / sqrt(later_units), 3 for 25 and fewer and 1.14 for the
/// 5,408 of the standard network, and 1 + 6 / values^2. What single precision takes from a row is added.
double estimated_error(double worst, std::size_t later_units, std::size_t values);

/// Which windows have all their rows within the tolerance. At the last refinement the rows beyond it are flagged.
std::vector<bool> judge_windows(Block& block, double tolerance, bool last);

}  // namespace amacrine::attribution
