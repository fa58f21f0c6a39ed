// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/parameters.hpp"

#include <cstdint>
#include <vector>

namespace amacrine::training {

/// Initial parameters, keyed by (model_seed, entry): kernels and weights uniform in +-1 / sqrt(inputs), gammas 1, the rest 0.
/// An LN model's filter starts at 0.
std::vector<float> initial_parameters(const model::Architecture& architecture, const model::ParameterLayout& layout,
                                      std::uint64_t model_seed);

/// Means 0 and variances 1.
std::vector<double> initial_statistics(const model::ParameterLayout& layout);

/// Starts the output at each cell's mean rate (Hz): with an output norm gamma_n = gain * mean_n and beta_n such that
/// E[softplus(gamma_n z + beta_n)] = mean_n for a standard normal z; without one, the readout bias gives the mean at drive 0.
/// Means under 0.1 Hz count as 0.1 Hz.
void start_from_rates(const model::Architecture& architecture, const model::ParameterLayout& layout,
                      const std::vector<double>& mean_rates, double gain, std::vector<float>& parameters);

/// Learning-rate factors (P): a cell's mean rate (at least 0.1 Hz) for what scales and shifts its output, 1 for the rest, so that
/// the optimiser's steps on them are relative to the cell's rates.
std::vector<float> rate_scales(const model::ParameterLayout& layout, const std::vector<double>& mean_rates);

/// E[softplus(gamma z + beta)] for a standard normal z.
double mean_softplus(double gamma, double beta, double softplus_beta);

}  // namespace amacrine::training
