// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/block.hpp"
#include "amacrine/stimulus/stimulus.hpp"

#include <map>
#include <memory>
#include <optional>

namespace amacrine::attribution {

/// The network as a symmetric stimulus sees it. Where a stimulus is uniform along an axis and no layer's gain or offset varies
/// along it, all units along that axis are alike: one stands for them, kernels and readout are summed over the axis, and its
/// attribution is the sum of theirs (Eqs. 3, 4). Exact up to round-off. Full fields fold both axes, bars along y fold y. Empty
/// where a condition fails.
template <class S>
std::optional<model::InferenceNetwork<S>> fold(const model::InferenceNetwork<S>& network, stimulus::Symmetry symmetry);

/// The matching movie: one row (bars), or one pixel (full fields), of a movie (T, Y, X) that has the symmetry.
core::Array<float, 3> fold_movie(const core::Array<float, 3>& contrast, stimulus::Symmetry symmetry);

/// Attributes blocks with the plain network, or with a folded one where stimulus and level allow it. Where they do not, but one
/// normalisation serves all pixels, a symmetric stimulus has the first layer's linear part folded alone.
template <class S>
class Attributor {
 public:
  Attributor(const core::Exec& exec, const model::InferenceNetwork<S>& network, const AttributionSettings& settings);

  /// The engine for a (verified) symmetry and the finest level wanted. Positions need the columns, the units of either
  /// layer and pixels the whole.
  BlockAttributor<S>& engine(stimulus::Symmetry symmetry, Level level);
  /// The axes that the engine for them has folded, and its movies with them.
  stimulus::Symmetry folded(stimulus::Symmetry symmetry, Level level);
  BlockAttributor<S>& plain() { return engine(stimulus::Symmetry::none, Level::channel); }

 private:
  core::Exec exec_;
  model::InferenceNetwork<S> network_;
  AttributionSettings settings_;
  using Engines = std::map<stimulus::Symmetry, std::unique_ptr<BlockAttributor<S>>>;
  Engines engines_;             ///< none where folding is impossible
  Engines first_layer_folded_;  ///< the same
};

}  // namespace amacrine::attribution
