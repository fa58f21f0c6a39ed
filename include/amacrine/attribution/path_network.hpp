// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/settings.hpp"
#include "amacrine/core/views.hpp"
#include "amacrine/model/inference.hpp"

#include <vector>

namespace amacrine::attribution {

/// A layer of units: x_u = gain_u (kernel * input)_u + offset_u, h_u = max(0, x_u), or h_u = x_u where not rectified.
template <class S>
struct PathLayer {
  core::View4<S> kernel;        ///< (C, D, KY, KX)
  core::View1<S> gain, offset;  ///< (C OY OX), flat
  int channels = 0, height = 0, width = 0;
  bool rectified = true;
  std::size_t units() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }
};

/// Any model of the product as first layer, hidden layers, readout. An LN model becomes one unrectified unit per cell (its
/// filter), read out with weight one.
template <class S>
struct PathNetwork {
  std::vector<PathLayer<S>> layers;  ///< at least one
  core::View2<S> readout;            ///< (N, units of the last layer)
  core::View1<S> constant;           ///< (N)
  double softplus_beta = 1.0;
  bool per_channel = true;  ///< first layer: gain and offset do not depend on the position
  int cells = 0, history = 0, height = 0, width = 0;
  recording::Normalisation normalisation;
  int minimum_lag = 0;

  const PathLayer<S>& first() const { return layers.front(); }
};

template <class S>
PathNetwork<S> make_path_network(const model::InferenceNetwork<S>& network);

/// Normalised contrast of a baseline, one value per pixel (Y X).
template <class S>
std::vector<double> baseline_frame(const PathNetwork<S>& network, Baseline baseline, double contrast);

/// s - s0 for the windows of movie frames [first, first + windows), normalised, the world before the movie grey.
/// contrast (T, Y, X) -> (1, Y, X, windows + history - 1), host, flat.
template <class S>
std::vector<S> difference_frames(const PathNetwork<S>& network, const core::Array<float, 3>& contrast, std::size_t first,
                                 std::size_t windows, const std::vector<double>& baseline);

/// The first layer's linear part W * frames for every window: frames as above -> (W, units) on the device.
template <class S>
core::View2<S> apply_first_layer(const core::Exec& exec, const PathNetwork<S>& network, const std::vector<S>& frames,
                                 std::size_t windows);

}  // namespace amacrine::attribution
