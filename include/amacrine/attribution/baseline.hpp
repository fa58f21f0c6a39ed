// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/path_network.hpp"
#include "amacrine/model/model.hpp"

#include <vector>

namespace amacrine::attribution {

/// The settings with the baseline's frame read from its file, where they name one. Throws InputError where the file has no such
/// frame of the model's size.
AttributionSettings with_baseline(AttributionSettings settings, const model::Model& model);

/// Normalised contrast of the baseline, one value per pixel (Y X).
template <class S>
std::vector<double> baseline_frame(const PathNetwork<S>& network, const AttributionSettings& settings);

}  // namespace amacrine::attribution
