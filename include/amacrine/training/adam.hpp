// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"
#include "amacrine/model/parameters.hpp"
#include "amacrine/training/settings.hpp"

#include <cstdint>
#include <vector>

namespace amacrine::training {

/// Adam's memory over the flat parameter block, on the device.
template <class S>
struct Adam {
  core::View1<S> first, second;  ///< (P) running means of the gradient and of its square
  core::View1<S> decay;          ///< (P) added to the gradient times the parameter: 2 L2, plus weight decay
  core::View1<S> rate_scale;     ///< (P) multiplies the learning rate
};

/// `rate_scale` may be empty: 1 for all. `l2` applies to the layout's kernels (an LN model's filter is one), `l2_readout` to the
/// readout of a network.
template <class S>
Adam<S> make_adam(const model::ParameterLayout& layout, const TrainingSettings& settings,
                  const std::vector<float>& rate_scale = {});

/// One step, `step` counted from 1: g = gradient + decay p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
/// p -= rate_scale * rate * (m / (1 - b1^step)) / (sqrt(v / (1 - b2^step)) + epsilon).
template <class S>
void adam_step(const core::Exec& exec, const AdamSettings& settings, double rate, std::uint64_t step,
               const core::View1<S>& gradient, const Adam<S>& adam, const core::View1<S>& parameters);

/// l2 * sum w^2 over the weights it applies to (not the weight decay), in double on the host.
double l2_penalty(const model::ParameterLayout& layout, const TrainingSettings& settings, const std::vector<float>& parameters);

}  // namespace amacrine::training
