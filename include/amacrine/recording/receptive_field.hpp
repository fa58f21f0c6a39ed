// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/settings.hpp"

#include <vector>

namespace amacrine::recording {

/// A receptive field fitted to a cell's spike-triggered average.
struct ReceptiveField {
  stimulus::Centre centre;         ///< px
  double radius_px = 0;            ///< 1 sd of the Gaussian
  double centre_error_px = 0;      ///< standard error from fits to 16 disjoint stretches of the recording, the larger of y and x
  int peak_lag = 0;                ///< frames back from the bin at which the average is largest
  int polarity = 0;                ///< sign of the average there: +1 ON, -1 OFF
  double consistency = 0;          ///< mean over the stretches / its standard error of the average seen through the Gaussian
  bool found = false;              ///< consistency of at least 6 and an error of at most 3 px
  std::vector<double> temporal;    ///< (lags) most recent first: leading temporal profile, unit length
  core::Array<double, 2> profile;  ///< (Y, X) spike-triggered average seen through the temporal profile
};

/// Receptive fields from spike-triggered averages, without building windows: one pass over the movie with coarse pixels gives
/// each cell's temporal profile (the leading singular vector), a second one the spatial average seen through it. The circular
/// Gaussian is the one through which the stimulus correlates best with the response, (g . average)^2 / (g' C g) with the movie's
/// own spatial autocovariance C: a correlated (natural) stimulus blurs the average, but does not move this maximum, nor widen it.
/// At most `max_frames` frames are used, in 16 stretches spread over the recording. rates (N, T) Hz. Deterministic, local.
std::vector<ReceptiveField> fit_receptive_fields(const StoredMovie& movie, const ContrastCoding& coding,
                                                 const core::Array<float, 2>& rates, std::size_t lags = 40,
                                                 std::size_t max_frames = 120000);

/// Fills in the centres that are neither given nor in the file (all of them with centres = "sta") from the training part. Cells
/// without a receptive field keep none, with a warning.
void fit_centres(Recording& recording, const RecordingSettings& settings);

}  // namespace amacrine::recording
