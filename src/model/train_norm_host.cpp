// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/train_norm.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::model {

NormForward norm_forward(const NormParameters& parameters, const std::vector<double>& totals, double count) {
  const std::size_t size = totals.size() / 2;
  NormForward f{std::vector<double>(size, 0.0), std::vector<double>(size, 1.0), std::vector<double>(size, 1.0), parameters.bias,
                count};
  if (!parameters.present()) {
    f.shift.resize(size, 0.0);
    return f;
  }
  f.shift.assign(size, 0.0);
  for (std::size_t k = 0; k < size; ++k) {
    f.mean[k] = totals[2 * k] / count;
    f.variance[k] = std::max(0.0, totals[2 * k + 1] / count - f.mean[k] * f.mean[k]);
    const double scale = parameters.absolute ? std::abs(parameters.gamma[k]) : parameters.gamma[k];
    f.gain[k] = scale / std::sqrt(f.variance[k] + parameters.epsilon);
    f.shift[k] = parameters.beta[k] - f.mean[k] * f.gain[k];
  }
  return f;
}

NormBackward norm_backward_coefficients(const NormParameters& parameters, const NormForward& forward,
                                        const std::vector<double>& totals) {
  const std::size_t size = totals.size() / 2;
  NormBackward b;
  b.from_d = forward.gain;
  b.from_z.assign(size, 0.0);
  b.constant.assign(size, 0.0);
  b.d_bias.assign(parameters.bias.size(), 0.0);  // a bias in front of a norm cancels with the batch mean
  if (!parameters.present()) {
    for (std::size_t k = 0; k < b.d_bias.size(); ++k) b.d_bias[k] = totals[2 * k];
    return b;
  }
  b.d_gamma.resize(size);
  b.d_beta.resize(size);
  for (std::size_t k = 0; k < size; ++k) {
    const double inverse_sd = 1.0 / std::sqrt(forward.variance[k] + parameters.epsilon);
    const double d_scale = inverse_sd * (totals[2 * k + 1] - forward.mean[k] * totals[2 * k]);
    const double gamma = parameters.gamma[k];
    b.d_gamma[k] = parameters.absolute ? d_scale * (gamma > 0 ? 1.0 : gamma < 0 ? -1.0 : 0.0) : d_scale;
    b.d_beta[k] = totals[2 * k];
    b.from_z[k] = -forward.gain[k] * inverse_sd * d_scale / forward.count;
    b.constant[k] = -forward.gain[k] * totals[2 * k] / forward.count - b.from_z[k] * forward.mean[k];
  }
  return b;
}

}  // namespace amacrine::model
