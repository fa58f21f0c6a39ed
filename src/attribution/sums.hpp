// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/block.hpp"

namespace amacrine::attribution {

/// Sums over y of every channel and column, in double, y ascending. Fills the columns of `block`.
template <class S>
void sum_columns(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, const PathIntegrals<S>& integrals,
                 Block& block);

/// Drive and change of response of every channel on the first `scale` of the path, summed over its units. Fills the block's one
/// column.
template <class S>
void sum_channels(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, double scale, Block& block);

/// A_u and, with `weights`, G_u of every unit, with drive and change of response.
template <class S>
void store_units(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, const PathIntegrals<S>& integrals,
                 bool weights, Block& block);

/// The listed rows of a (W, U), times `scale`.
template <class S>
core::View2<S> take_windows(const core::Exec& exec, const core::View2<S>& difference, const std::vector<std::size_t>& windows,
                            S scale);

}  // namespace amacrine::attribution
