// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/result.hpp"
#include "amacrine/attribution/symmetry.hpp"

namespace amacrine::attribution {

/// Collective: computes this rank's share of the tasks that the file does not hold yet (by global task number) and writes it.
/// Rows have the same bits on any number of ranks and threads, in one run or several. Memory does not grow with the plan:
/// Cost::memory_bytes. False where the run was asked to stop (parallel/stop.hpp): what was computed is in the file and its
/// journal.
template <class S>
bool run_plan(const parallel::Communicator& communicator, const Plan& plan, Attributor<S>& attributor, AttributionFile& file);

}  // namespace amacrine::attribution
