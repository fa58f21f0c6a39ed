// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"

#include <map>
#include <string>
#include <vector>

/// Contrast everywhere: 0 = grey, 1 = one pixel standard deviation of the natural ensemble (docs/recordings.md).
namespace amacrine::stimulus {

/// The screen of a stimulus: frames every `frame_ms`, pixels of `pixel_um` on the retina.
struct Screen {
  int height = 50, width = 50;
  double pixel_um = 55.0;
  double frame_ms = 10.0;
};

/// What a stimulus promises about itself; verified on the movie as the network sees it before it is used.
enum class Symmetry {
  none,
  full_field,  ///< every frame is uniform: W * s is uniform over y and x
  along_y,     ///< every frame is uniform along y (vertical bars): W * s depends on x only
};

/// A receptive-field centre in pixel-index coordinates (24.5, 24.5 = centre of a 50 x 50 field).
struct Centre {
  double y = 24.5, x = 24.5;
};

/// An artificial stimulus: a movie in contrast and what happens when in it. The world before its first frame is grey.
struct Stimulus {
  std::string family;     ///< "osr", "latency", "reversal", "reversal_smooth", "moving_bar", "flashed_bar", "step", ...
  std::string condition;  ///< unique within a catalogue: "osr/period_ms=60"
  Symmetry symmetry = Symmetry::none;
  core::Array<float, 3> contrast;            ///< (T, Y, X)
  std::map<std::string, double> parameters;  ///< "period_ms", "contrast", "speed_px_per_frame", "direction", ...
  std::map<std::string, int> events;         ///< frame index of "onset", "last_flash", "omitted", "reversal", ...
  std::vector<double> bar_px;  ///< (T) bar centre relative to the cell's centre, NaN where there is no bar; empty without bars

  std::size_t frames() const { return contrast.extent(0); }
};

}  // namespace amacrine::stimulus
