// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/stimulus/stimulus.hpp"

namespace amacrine::reduction {

/// Stimulus invariance (paper Eqs. 3, 4): attributions of units that see the same drive add up to one.
/// A full field makes W * s uniform over y and x: (C, Y, X) -> (C, 1). Bars along y make it depend on x only: (C, Y, X) -> (C,
/// X). Without symmetry every position stays: (C, Y * X). Sums run in double over y, then x. `units` is a flat (C, Y, X).
core::Array<double, 2> sum_by_symmetry(const core::Array<float, 3>& units, stimulus::Symmetry symmetry);

/// Units of opposite gain in one channel are separate pathways (they have opposite polarity): the same sums over the units with
/// gain > 0 (first) and gain < 0 (second). `gain` has the shape of `units`. Throws core::Error where the shapes differ.
std::array<core::Array<double, 2>, 2> sum_by_gain_and_symmetry(const core::Array<float, 3>& units,
                                                               const core::Array<float, 3>& gain, stimulus::Symmetry symmetry);

}  // namespace amacrine::reduction
