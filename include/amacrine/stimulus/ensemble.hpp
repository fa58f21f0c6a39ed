// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/stimulus/stimulus.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

/// Ensembles to record with: a naturalistic movie and binary white noise. Every fixation and every noise pattern depends on
/// (seed, its number) only, so that any rank can make any part.
namespace amacrine::stimulus {

/// The naturalistic ensemble: each second a new image at a random place, jittered, sometimes drifting, sometimes under a
/// full-field term.
struct NaturalSettings {
  int image_px = 144, supersample = 2;
  double leaf_radius_min_px = 1.5, leaf_radius_max_px = 36.0, leaf_radius_exponent = 3.0;
  double background_radius_min_px = 10.0;
  int leaves = 2500, background_leaves = 160;
  double dead_leaves_probability = 0.6;  ///< otherwise a Gaussian image of 1/f^2 power
  double flat_below_cycles = 2.0;        ///< per image
  double fixation_s = 1.0;
  double image_contrast_min = 0.4, image_contrast_max = 1.4;
  double jitter_px_per_frame = 0.2;
  double drift_probability = 0.2, drift_speed_min = 0.05, drift_speed_max = 0.25, drift_reverses = 0.5;  ///< px/frame
  double drift_reverse_from_s = 0.30, drift_reverse_to_s = 0.69;
  double full_field_probability = 0.3, full_field_noise_share = 0.5;
  double noise_tau_ms = 60.0, noise_sd = 0.8;
  double flash_probability_per_frame = 0.04, flash_min_ms = 20.0, flash_max_ms = 60.0, flash_dark_share = 0.6,
         flash_amplitude_min = 0.5, flash_amplitude_max = 2.5;
  double clip = 3.0;
};

/// Frames of one fixation: 100 at 10 ms.
std::size_t fixation_frames(const NaturalSettings& settings, const Screen& screen);
/// Writes fixation number `fixation` of the movie with that seed: fixation_frames x Y x X contrasts.
void natural_fixation(const NaturalSettings& settings, std::uint64_t seed, std::uint64_t fixation, const Screen& screen,
                      float* out);
/// Frames [first, first + frames) of the movie, whatever fixations they belong to. (T, Y, X) contrast.
core::Array<float, 3> natural_frames(const NaturalSettings& settings, std::uint64_t seed, std::size_t first, std::size_t frames,
                                     const Screen& screen);

/// Binary white noise: square checks of +-contrast, redrawn `rate_hz` times a second (30 Hz at 10 ms: held for 4, 3, 3 frames).
struct WhiteSettings {
  int check_px = 2;
  double rate_hz = 30.0, contrast = 1.0;
};
/// Frames [first, first + frames) into `out` (T x Y x X contrasts).
void white_frames(const WhiteSettings& settings, std::uint64_t seed, std::size_t first, std::size_t frames, const Screen& screen,
                  float* out);

/// Pixel value of a contrast: round(zero + unit contrast), limited to 0..255.
inline std::uint8_t quantise(float contrast, double zero = 127.0, double unit = 42.0) {
  const double value = std::nearbyint(zero + unit * static_cast<double>(contrast));
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}
/// Contrast of a pixel value: what a simulated cell sees.
inline float contrast_of(std::uint8_t pixel, double zero = 127.0, double unit = 42.0) {
  return static_cast<float>((static_cast<double>(pixel) - zero) / unit);
}

}  // namespace amacrine::stimulus
