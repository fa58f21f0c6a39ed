// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/settings.hpp"
#include "amacrine/recording/source.hpp"

namespace amacrine::recording {

/// Whether train/stimulus and test/stimulus are on one scale, by the mean and sd of frames spread over each. One sd more than 4
/// times the other is refused (InputError) where the means are as far apart too, as of bytes and z scores; otherwise people are
/// told. Nothing is asked where one movie never changes, there is no test movie, or it is normalised by its own statistics.
void compare_scales(const Source& reader, const RecordingSettings& settings);

}  // namespace amacrine::recording
