// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"

namespace amacrine::recording {

/// Warns of cells whose response (N, T) Hz of a part stops for 5 s and 2 % of it and more: one value without a change, or silence
/// where their rate elsewhere makes 50 spikes expected.
void check_responses(const Recording& recording, const Part& part, const char* name);

}  // namespace amacrine::recording
