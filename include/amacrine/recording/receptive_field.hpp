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
  double centre_error_px = 0;  ///< standard error from fits to disjoint blocks of the recording (the larger of y and x)
  int peak_lag = 0;            ///< frames back from the predicted bin
  int polarity = 0;            ///< sign of the profile's centre at the peak lag: +1 ON, -1 OFF
  double peak_over_noise =
      0;  ///< largest |profile| over the sd of the profile's frame border: below 4 there is no receptive field
  bool found = false;
  core::Array<double, 2> profile;  ///< (Y, X) the whitened spike-triggered average at the peak lag
};

/// Receptive fields of cells from their spike-triggered averages, computed in one streaming pass over the movie without building
/// windows. Correlated (natural) stimuli blur the average; it is whitened with the stimulus's own spatial power spectrum, damped
/// where the spectrum is weak, before a circular Gaussian is fitted. At most `max_frames` frames, spread over the recording, are
/// used. rates (N, T) Hz.
std::vector<ReceptiveField> fit_receptive_fields(const StoredMovie& movie, const ContrastCoding& coding,
                                                 const core::Array<float, 2>& rates, std::size_t history = 40,
                                                 std::size_t max_frames = 60000);

/// Fills in the centres that are neither given nor in the file (all of them with centres = "sta") from the training part. Cells
/// without a receptive field keep none. Local and deterministic.
void fit_centres(Recording& recording, const RecordingSettings& settings);

}  // namespace amacrine::recording
