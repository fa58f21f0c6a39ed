// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ln_features.hpp"

namespace amacrine::training {

/// Windows and what the cell did: r = softplus(x . coefficients) in Hz, Poisson loss mean(r - (y + b) log(r + b)). The background
/// b, added to both, keeps frames in which a threshold leaves next to nothing from outweighing all others.
struct LnData {
  const LnFeatures& features;
  std::vector<std::size_t> last;  ///< last frame of every window
  std::vector<float> rate;        ///< y in Hz, of every window
  double background_hz = 0.01;    ///< b
};

/// Fisher information and gradient of the summed loss at some coefficients, double, in a fixed order for any number of threads.
struct LnMoments {
  core::Array<double, 2> information;  ///< (F, F), both triangles
  std::vector<double> gradient;        ///< (F)
};
LnMoments ln_moments(const LnData& data, std::span<const double> coefficients);

/// Fisher steps from `start` with a penalty on the filter: candidates for each weight of it and each shape that is expected
/// (smooth, local), the full step and the filters of rank 1 and 2 in time x space that are nearest to its likelihood.
std::vector<std::vector<double>> ln_steps(const LnMoments& moments, const std::vector<double>& start, const Crop& crop);

/// Mean loss of each of several candidates.
std::vector<double> ln_losses(const LnData& data, const std::vector<std::vector<double>>& candidates);

}  // namespace amacrine::training
