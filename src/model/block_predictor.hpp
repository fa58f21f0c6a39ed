// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/inference.hpp"
#include "amacrine/model/spectral.hpp"

#include <functional>
#include <vector>

namespace amacrine::model {

/// Contrast of one movie frame into Y * X values.
using FrameSource = std::function<void(std::size_t frame, float* contrast)>;

/// Normalised frames (1, Y, X, windows + T - 1) of the windows of movie frames [first, first + windows). What lies before the
/// movie or from frame `end` on is grey.
template <class S>
core::View4<S> frames_of(const core::Exec& exec, const InferenceNetwork<S>& network, const FrameSource& source, std::size_t first,
                         std::size_t windows, std::size_t end);

/// Rates of blocks of neighbouring windows, through room that is taken once. Convolutions run in the frequency domain where that
/// pays; a window's rate has the same bits in every block.
template <class S>
class BlockPredictor {
 public:
  BlockPredictor(const InferenceNetwork<S>& network, std::size_t windows);
  /// Rates (N, windows) of the windows of movie frames [first, first + windows); frames from `end` on are taken as grey.
  std::vector<float> rates(const FrameSource& source, std::size_t first, std::size_t end);

 private:
  void forward(const core::View4<S>& frames);

  core::Exec exec_;
  InferenceNetwork<S> network_;
  std::size_t windows_;
  core::View5<S> z_;
  HeadState<S> state_;
  bool first_spectral_ = false;
  std::vector<bool> later_spectral_;  ///< by layer; [0] unused
  SpectralTemporalConv<S> first_;
  std::vector<SpectralConv<S>> later_;
};

}  // namespace amacrine::model
