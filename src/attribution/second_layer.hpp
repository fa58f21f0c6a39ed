// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/block.hpp"

/// Attributions of the second layer's units. W windows, M cells, V units of the second layer, K path nodes, L intervals of the
/// rule.
namespace amacrine::attribution {

/// c with sum_k c_k h(k) = Int g dh for the gradients g of every row: gradients (rows, L), result (rows, K).
std::vector<double> node_coefficients(const std::vector<double>& gradients, const Quadrature& quadrature);

/// change(w, v) = h(w, v, end) - h(w, v, start), h the layer's activity at the nodes (W, V, K).
template <class S>
void change_second(const core::Exec& exec, const core::View3<S>& h, const Quadrature& quadrature,
                   const core::View2<double>& change);

/// Cell `index` of attribution (M, W, V) from d (W, V, L): dF/dh times the intervals' weights, at the same nodes.
template <class S>
void gather_second(const core::Exec& exec, const core::View3<S>& d, const core::View3<S>& h, const Quadrature& quadrature,
                   std::size_t index, const core::View3<double>& attribution);

/// Fills the block's second layer from the integrals: channels as sums over their units, in double, in the units' order, and the
/// units themselves where `units` says so. The block's rates are there already.
template <class S>
void store_second(const core::Exec& exec, const PathLayer<S>& layer, const SecondLayer& integrals, bool units, Block& block);

}  // namespace amacrine::attribution
