// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/smoothing.hpp"

#include <cmath>

namespace amacrine::recording {

std::vector<double> gaussian_weights(double sigma_ms, double bin_ms) {
  const int reach = static_cast<int>(std::floor(5.0 * sigma_ms / bin_ms + 1e-9));
  std::vector<double> weights;
  double sum = 0;
  for (int i = -reach; i <= reach; ++i) {
    const double z = i * bin_ms / sigma_ms;
    weights.push_back(std::exp(-0.5 * z * z));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

std::vector<float> firing_rate(std::span<const float> counts, double sigma_ms, double bin_ms) {
  const std::vector<double> weights = gaussian_weights(sigma_ms, bin_ms);
  const auto reach = static_cast<std::ptrdiff_t>(weights.size() / 2), bins = static_cast<std::ptrdiff_t>(counts.size());
  std::vector<float> rate(counts.size());
  for (std::ptrdiff_t t = 0; t < bins; ++t) {
    double sum = 0;
    for (std::ptrdiff_t i = -reach; i <= reach; ++i)
      if (t + i >= 0 && t + i < bins)
        sum += weights[static_cast<std::size_t>(i + reach)] * counts[static_cast<std::size_t>(t + i)];
    rate[static_cast<std::size_t>(t)] = static_cast<float>(sum * 1000.0 / bin_ms);
  }
  return rate;
}

}  // namespace amacrine::recording
