// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/path_network.hpp"
#include "amacrine/core/array.hpp"
#include "amacrine/lesion/masked_head.hpp"

#include <string>
#include <vector>

/// What first-layer units are ranked by.
namespace amacrine::lesion {

/// The orders that are compared, the one on trial first.
enum class Order {
  attribution,         ///< |A|, the path integral's size
  signed_attribution,  ///< A along the response: units that carry it first, those that oppose it last
  activation,          ///< |h(s) - h(s0)|
  gradient,            ///< |dF/dh (h(s) - h(s0))| at the stimulus
  ablation,            ///< |r - r without that unit alone|
  random
};
inline constexpr std::size_t scored_orders = 5;  ///< all but the random ones
/// Their names in the file, random last.
const std::vector<std::string>& order_names();

/// dF/dh of a cell at the stimulus, for every first-layer unit whether it is active there or not: (W, U), Hz per unit of h. By
/// the path integral's own engine, on the network past its first layer.
template <class S>
core::Array<double, 2> gradients(const core::Exec& exec, const attribution::PathNetwork<S>& network, attribution::Target target,
                                 const Units<S>& units, int cell);

/// How many of the windows the effects of single units are computed for: all with one or two hidden layers, where only the units
/// that a unit reaches are computed again; with more, where each takes a pass of the network, at most four.
std::size_t ablated_windows(const model::Architecture& architecture, std::size_t windows);

/// r - r with one unit held at its baseline: (V, U) Hz, exact, for the V windows `windows`. Zeros where the run was asked to
/// stop.
template <class S>
core::Array<double, 2> ablation_effects(const core::Exec& exec, const model::InferenceNetwork<S>& network,
                                        attribution::Target target, MaskedHead<S>& head, const Units<S>& units,
                                        const std::vector<std::size_t>& windows, int cell);

/// The same by a pass of the network for each unit, whatever its layers.
template <class S>
core::Array<double, 2> ablation_effects_by_passes(MaskedHead<S>& head, const Units<S>& units,
                                                  const std::vector<std::size_t>& windows, int cell);

}  // namespace amacrine::lesion
