// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/result.hpp"
#include "amacrine/attribution/symmetry.hpp"

namespace amacrine::attribution {

/// What a plan costs, for people and for --dry-run.
struct Cost {
  std::size_t rows = 0, folded_windows = 0;  ///< windows that a symmetry makes cheap
  double multiply_adds = 0;
  double block_bytes = 0;  ///< memory of the largest block
};
template <class S>
Cost cost_of(const Plan& plan, Attributor<S>& attributor);

/// Collective: computes this rank's share of the tasks (by global task number) and writes it. Rows have the same bits on any
/// number of ranks and threads.
template <class S>
void run_plan(const parallel::Communicator& communicator, const Plan& plan, Attributor<S>& attributor, AttributionFile& file);

}  // namespace amacrine::attribution
