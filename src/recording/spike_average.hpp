// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"
#include "amacrine/recording/recording.hpp"

#include <vector>

/// Spike-triggered averages of what is new in each frame, s(f) - persistence s(f - 1), in two cheap passes. Private to the
/// receptive-field fit.
namespace amacrine::recording {

/// `count` stretches of equal length spread over the bins [lags - 1, frames), together at most `max_frames`.
std::vector<parallel::Range> spread_stretches(std::size_t frames, std::size_t lags, std::size_t count, std::size_t max_frames);

/// Share of a frame that is still there in the next one: the 20th root of the correlation of pixels 20 frames apart, 0 where that
/// is below 0.1 (white noise).
double temporal_persistence(const StoredMovie& movie, const ContrastCoding& coding, std::size_t samples);

/// Per cell the leading temporal profile (lags, most recent first, unit length, largest element positive) of the average over
/// pixels of 5 x 5.
std::vector<std::vector<double>> temporal_profiles(const StoredMovie& movie, const ContrastCoding& coding, double persistence,
                                                   const core::Array<float, 2>& rates, std::size_t lags,
                                                   const std::vector<parallel::Range>& stretches);

/// Per cell and stretch the spatial average sum_f fresh(f) w(f) / bins, where w is the rate about its mean
/// seen through the cell's profile: (N, stretches, Y * X).
core::Array<double, 3> spatial_averages(const StoredMovie& movie, const ContrastCoding& coding, double persistence,
                                        const core::Array<float, 2>& rates, const std::vector<std::vector<double>>& profiles,
                                        const std::vector<parallel::Range>& stretches);

/// Spatial autocovariance of what is new, from `samples` frames spread over it: (2 Y - 1, 2 X - 1), zero displacement in the
/// middle. Sums over pixel pairs are divided by their number; 0 from 25 px on.
core::Array<double, 2> autocovariance(const StoredMovie& movie, const ContrastCoding& coding, double persistence,
                                      std::size_t samples);

}  // namespace amacrine::recording
