// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/symmetry.hpp"
#include "screening.hpp"

namespace amacrine::attribution {

/// Computes a task by the engine that serves its stimulus. The result is valid until the engine's next call.
template <class S>
const Block& attribute_task(const Plan& plan, const Task& task, Attributor<S>& attributor, Screening& screening);

/// Frames before a window's own that a network looks back to.
template <class S>
std::size_t frames_before(const PathNetwork<S>& network) {
  return static_cast<std::size_t>(network.history - 1 + network.minimum_lag);
}

}  // namespace amacrine::attribution
