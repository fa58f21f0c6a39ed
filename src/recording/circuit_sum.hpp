// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/circuit.hpp"

#include <vector>

/// How the interneurons of a circuit without a state add up.
namespace amacrine::recording {

/// z in Hz, softplus(z) is the rate: for the interneurons' activities (U), contrast. The units of the second layer named in
/// `silent` (by place; empty: none) are left out.
double circuit_sum(const Circuit& circuit, const std::vector<double>& activity, const std::vector<bool>& silent = {});

/// dz / dh per interneuron (U), Hz: secant between two sets of activities, so that sum_i weight_i (now_i - before_i) is the whole
/// change of z. Where a second layer's input does not change, the slope at `now`.
std::vector<double> secant_weights(const Circuit& circuit, const std::vector<double>& before, const std::vector<double>& now,
                                   const std::vector<bool>& silent = {});

}  // namespace amacrine::recording
