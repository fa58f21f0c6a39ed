// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

namespace amacrine::recording {

/// Weights of a Gaussian of sd `sigma_ms` sampled every `bin_ms` from -5 sd to +5 sd, normalised to one; odd length.
std::vector<double> gaussian_weights(double sigma_ms, double bin_ms);

/// Firing rate in Hz from spikes per bin: counts convolved with gaussian_weights, centred, divided by the bin; bins beyond the
/// ends count as zero. (The lab's estimator.)
std::vector<float> firing_rate(std::span<const float> counts, double sigma_ms, double bin_ms);

}  // namespace amacrine::recording
