// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/plan.hpp"

namespace amacrine::attribution {

/// Joins the showings of contrast series: full fields whose courses are the same up to a positive factor, attributed at the same
/// frames. Where only channels' attributions are wanted, running sums along the path of the strongest serve them all.
void join_rays(const AttributionSettings& settings, Plan& plan);

}  // namespace amacrine::attribution
