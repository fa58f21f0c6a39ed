// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/block.hpp"

namespace amacrine::attribution {

/// Sums over y of every channel and column, in double, y ascending. Fills the columns of `block`.
template <class S>
void sum_columns(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, const PathIntegrals<S>& integrals,
                 Block& block);

/// Drive and change of response on the first `scale` of the path, summed over the units of each of the block's columns.
template <class S>
void sum_responses(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, double scale, Block& block);

/// How many columns of the second layer the columns of the first reach, over all of these; or in each window over those of which
/// any unit is driven. The network has two layers.
template <class S>
std::size_t column_pairs(const PathNetwork<S>& network);
template <class S>
std::vector<std::size_t> driven_pairs(const core::Exec& exec, const PathNetwork<S>& network, const core::View2<S>& difference);

/// A_u and, with `weights`, G_u of every unit, with drive and change of response.
template <class S>
void store_units(const core::Exec& exec, const PathLayer<S>& layer, const Paths<S>& paths, const PathIntegrals<S>& integrals,
                 bool weights, Block& block);

/// The listed rows of a (W, U), times `scale`.
template <class S>
core::View2<S> take_windows(const core::Exec& exec, const core::View2<S>& difference, const std::vector<std::size_t>& windows,
                            S scale);

}  // namespace amacrine::attribution
