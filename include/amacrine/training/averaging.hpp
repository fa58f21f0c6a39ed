// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"

#include <cstdint>

namespace amacrine::training {

/// Takes the parameters after `step` (counted from 1) into their exponential average (Polyak & Juditsky 1992, with weights that
/// fade): average += (1 - decay) / (1 - decay^step) * (parameters - average), so that step k has weight decay^(step - k) over the
/// sum of these. The first call overwrites whatever `average` held. Both (P), 0 < decay < 1.
template <class S>
void average_step(const core::Exec& exec, double decay, std::uint64_t step, const core::View1<S>& parameters,
                  const core::View1<S>& average);

}  // namespace amacrine::training
