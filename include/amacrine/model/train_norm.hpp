// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

/// The arithmetic of a batch norm, once the sums over the global batch are known. Host, double; K coefficients (channels, units
/// or cells).
namespace amacrine::model {

/// A norm's trainable values: gamma and beta (K), or no gamma and a bias (K) where the layer has no norm.
struct NormParameters {
  std::vector<double> gamma, beta, bias;
  bool absolute = false;  ///< |gamma| scales
  double epsilon = 1e-3;
  bool present() const { return !gamma.empty(); }
};

/// What one batch made of it: x = gain z + shift, with mean and (biased) variance of z over `count` values.
struct NormForward {
  std::vector<double> mean, variance, gain, shift;
  double count = 0;
};
/// totals (K, 2): sums of z and z^2 over the global batch. Without a norm: gain 1, shift the bias.
NormForward norm_forward(const NormParameters& parameters, const std::vector<double>& totals, double count);

/// Gradients of the norm's own values and the affine map that takes dL/dx to dL/dz = from_d dL/dx + from_z z + constant.
struct NormBackward {
  std::vector<double> d_gamma, d_beta, d_bias, from_d, from_z, constant;
};
/// totals (K, 2): sums of dL/dx and z dL/dx over the global batch.
NormBackward norm_backward_coefficients(const NormParameters& parameters, const NormForward& forward,
                                        const std::vector<double>& totals);

}  // namespace amacrine::model
