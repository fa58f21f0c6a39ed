// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/settings.hpp"

#include <vector>

namespace amacrine::recording {

/// A receptive field fitted to a cell's spike-triggered average.
struct ReceptiveField {
  stimulus::Centre centre;     ///< px
  double radius_px = 0;        ///< 1 sd of the Gaussian
  double centre_error_px = 0;  ///< standard error, a jackknife over 16 stretches of the recording, the larger of y and x
  int peak_lag = 0;            ///< frames back from the bin at which the average is largest
  int polarity = 0;            ///< sign of the average there: +1 ON, -1 OFF
  /// Mean / standard error over 8 stretches of the average seen through a profile and a Gaussian fitted to the other 8.
  double consistency = 0;
  bool found = false;              ///< consistency of at least 5 and an error of at most 3 px
  std::vector<double> temporal;    ///< (lags) most recent first: leading temporal profile, unit length
  core::Array<double, 2> profile;  ///< (Y, X) spike-triggered average seen through the temporal profile
};

/// Receptive fields from spike-triggered averages, without building windows. A natural stimulus stays for long, so the average is
/// taken of what is new in each frame, s(f) - a s(f - 1), brought to unit rms, with a from the movie's own correlation 20 frames
/// apart (white noise: 0, and frames as they are). One pass over the movie with coarse pixels gives each cell's temporal profile
/// (the leading singular vector), a second one the spatial average seen through it. The circular Gaussian is the one through
/// which that stimulus correlates best with the response: it maximises (g . average)^2 / (g' C g), C being its spatial
/// autocovariance. Correlations blur the average, but do not move that maximum. On circuits of known place and size, centres were
/// right within 3 of their standard errors; radii within 10 % on white noise and 30 % on 12 minutes and more of natural movie.
/// Cells of several subunits (reversal) have no radius of that kind and are often not found. At
/// most `max_frames` frames are used, in 16 stretches spread over the recording. rates (N, T) Hz. Deterministic, local.
std::vector<ReceptiveField> fit_receptive_fields(const StoredMovie& movie, const ContrastCoding& coding,
                                                 const core::Array<float, 2>& rates, std::size_t lags = 40,
                                                 std::size_t max_frames = 120000);

/// Fills in the centres that are neither given nor in the file (all of them with centres = "sta") from the training part. Cells
/// without a receptive field keep none, with a warning.
void fit_centres(Recording& recording, const RecordingSettings& settings);

}  // namespace amacrine::recording
