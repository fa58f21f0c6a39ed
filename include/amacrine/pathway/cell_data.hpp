// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"
#include "amacrine/pathway/bases.hpp"
#include "amacrine/recording/recording.hpp"

#include <vector>

namespace amacrine::pathway {

/// A run of frames whose responses are compared with a model's.
using parallel::Range;

/// What a cell was shown, seen through the bumps around its receptive field, and what it answered. Frame f is the newest one that
/// the response f depends on.
struct CellData {
  std::size_t frames = 0, bumps = 0;
  std::vector<float> stimulus;  ///< (S, F) contrast under each bump, times `scale`
  std::vector<float> counts;    ///< (F) spikes in the frame
  double frame_s = 0.01;
  double scale = 1;  ///< such that filters with coefficients of order 1 have outputs of order 1
  const float* bump(std::size_t s) const { return stimulus.data() + s * frames; }
};

/// Which frames serve what: the training part's usable frames without its tail, and that tail.
struct Division {
  std::vector<Range> fitted, held_out;
};

/// The contrast of a movie under each bump around `centre`, (S, F) unscaled; what lies outside of the movie is grey. Each frame
/// once.
std::vector<float> project(const recording::StoredMovie& movie, const recording::ContrastCoding& coding, const Bases& bases,
                           const stimulus::Centre& centre);

/// A cell's data: `rates` (F) Hz of the same frames; `minimum_lag` frames lie between a response and the newest frame it depends
/// on. `scale` 0: chosen such that a centred Gaussian with a single lobe has outputs of sd 1 (use that of the training part for
/// the test part).
CellData make_cell_data(std::vector<float> projected, std::span<const float> rates, const Bases& bases, double frame_s,
                        std::size_t minimum_lag, double scale = 0);

/// The first (0) or second (1) half of the frames of `ranges`.
std::vector<Range> half_of(const std::vector<Range>& ranges, int half);
/// The ranges cut into blocks of at most `length` frames.
std::vector<Range> blocks_of(const std::vector<Range>& ranges, std::size_t length);

}  // namespace amacrine::pathway
