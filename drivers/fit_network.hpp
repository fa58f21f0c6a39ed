// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/layers.hpp"
#include "drivers/verbs.hpp"

namespace amacrine::drivers {

/// Collective. What the network in the study's folder predicts over the recording's test part; where there is none, or it is not
/// of these cells or this kind of recording, the reason, which is also warned of.
pathway::NetworkRates network_over_test(const Context& context, const recording::Recording& recording);

}  // namespace amacrine::drivers
