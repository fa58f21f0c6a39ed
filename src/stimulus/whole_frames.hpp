// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/stimulus/stimulus.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::stimulus {

/// The published stimuli were made of frames of this length, ms.
inline constexpr double published_frame_ms = 10.0;

/// The number of the screen's frames nearest to a duration, at least one.
inline int whole_frames(double ms, const Screen& screen) {
  return std::max(1, static_cast<int>(std::lround(ms / screen.frame_ms)));
}
/// whole_frames of a number of published frames; none stay none.
inline int published_frames(int count, const Screen& screen) {
  return count == 0 ? 0 : whole_frames(count * published_frame_ms, screen);
}

}  // namespace amacrine::stimulus
