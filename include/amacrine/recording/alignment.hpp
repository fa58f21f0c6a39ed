// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"

#include <string>
#include <vector>

/// When responses come after their stimulus: a ganglion cell's rise 20 to 250 ms after what causes them. Responses that were
/// shifted against the movie, or trials against each other, are found by it.
namespace amacrine::recording {

/// When a cell answers what is new in a movie, by the pixel whose correlation with the response stands out most.
struct ResponseLag {
  double rise_ms = 0;        ///< from a frame to where the correlation has risen to half its peak, negative: before the frame
  double rise_error_ms = 0;  ///< standard error of that: sd of the correlation 2 s and more from zero lag over its slope there
  double peak_ms = 0;        ///< from a frame to the peak
  double score = 0;          ///< peak over that sd
  bool found = false;        ///< score of at least 7, and 1.4 times the largest of those far lags
};

/// Response lags of all cells; rates (N, T) Hz, T the movie's frames. The movie is averaged into at most 10 x 10 pixels and
/// reduced to what is new, s(f) - a s(f - 1), brought to unit rms, with a from the movie's own correlation; frames that show the
/// one before bring nothing new. Its correlation with the responses is divided by its power spectrum, so that a slow stimulus
/// does not answer for its future. Lags from -1.2 s to 1.5 s are looked at. At most 128 blocks of about 10 s are used, spread
/// over the movie. Movies shorter than 1.5 blocks give nothing found. Deterministic, local.
std::vector<ResponseLag> response_lags(const StoredMovie& movie, const ContrastCoding& coding, const core::Array<float, 2>& rates,
                                       double frame_ms);

/// Warns of the cells of a part whose responses rise, by two standard errors, too early or after 250 ms, with about how many
/// frames they are shifted. Too early is before 15 ms in bins of up to 10 ms, before 30 - 1.5 bins in longer ones, before the
/// stimulus from bins of 20 ms on. `smoothing_ms` is the sd of the responses' smoothing: half of it is allowed for.
void check_alignment(const Recording& recording, const Part& part, const std::string& name, double smoothing_ms);

/// A trial that fits the other trials of its cell better when it is moved.
struct ShiftedTrial {
  std::size_t trial = 0;
  std::vector<std::size_t> cells;  ///< empty: all cells together
  int frames = 0;                  ///< the trial's response comes so many frames after the others', negative: before
};
/// Trials that are shifted by 2 frames and more, up to 1 s, against the mean of the others of the same cell. repeats (R, N, T)
/// Hz; fewer than 3 trials or 3 s tell nothing. Deterministic, local.
std::vector<ShiftedTrial> shifted_trials(const core::Array<float, 3>& repeats, double frame_ms);

}  // namespace amacrine::recording
