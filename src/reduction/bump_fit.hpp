// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

namespace amacrine::reduction {

/// What a noisy temporal filter most probably is, if it is one bump or the difference of two, a bump being (t / p)^n exp(n (1 - t
/// / p)): the usual description of retinal filters. Bumps of a grid of orders n and peaks p are fitted alone and in pairs of
/// opposite sign; the likelihoods of all of them vote on the sign of the first lobe that reaches `threshold` of the largest, one
/// bump and two being equally likely beforehand. Returns the most likely curve that starts with the sign that wins; nothing where
/// what the best curve leaves over is not white noise, so that the filter is of another kind or holds no noise to speak of.
std::optional<std::vector<double>> fit_bumps(const std::vector<double>& filter, double threshold);

}  // namespace amacrine::reduction
