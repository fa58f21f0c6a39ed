// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/pieces.hpp"
#include "amacrine/model/inference.hpp"
#include "amacrine/stimulus/stimulus.hpp"

#include <optional>

namespace amacrine::attribution {

/// The first layer's linear part as a symmetric stimulus drives it. W * (s - s0) is the same at all places along an axis on which
/// s - s0 is uniform, whatever gains and offsets the units have: it is computed once per column (bars along y) or channel (full
/// fields) with the kernel summed over that axis, and spread over the units. Exact up to round-off; where s is s0 it is exactly
/// 0.
template <class S>
class FoldedFirstLayer {
 public:
  /// Empty where the normalisation differs from pixel to pixel, or no layer is convolutional.
  static std::optional<FoldedFirstLayer> make(const model::InferenceNetwork<S>& network, stimulus::Symmetry symmetry);

  /// (W, units) on the device. Throws InputError where the frames lack the symmetry.
  core::View2<S> apply(const core::Exec& exec, const JoinedFrames<S>& frames) const;
  /// Of one window.
  double multiply_adds() const;

 private:
  stimulus::Symmetry symmetry_ = stimulus::Symmetry::none;
  PathNetwork<S> network_;              ///< the kernel on one row, or one pixel
  std::size_t height_ = 0, width_ = 0;  ///< pixels
  std::size_t out_y_ = 0, out_x_ = 0;   ///< units
};

}  // namespace amacrine::attribution
