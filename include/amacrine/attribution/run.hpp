// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/result.hpp"
#include "amacrine/attribution/symmetry.hpp"

namespace amacrine::attribution {

/// Collective: computes this rank's share of the tasks (by global task number) and writes it. Rows have the same bits on any
/// number of ranks and threads. Memory does not grow with the plan: Cost::memory_bytes.
template <class S>
void run_plan(const parallel::Communicator& communicator, const Plan& plan, Attributor<S>& attributor, AttributionFile& file);

}  // namespace amacrine::attribution
