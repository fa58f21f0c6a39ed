// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"
#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace amacrine::recording {

/// How batches are drawn. A window is named by its target frame t, the bin it predicts; its T = history stimulus frames are
/// t - minimum_lag - history + 1 ... t - minimum_lag.
struct Sampling {
  std::size_t history = 40;
  std::size_t minimum_lag = 0;
  std::size_t segments = 16;  ///< G per batch
  std::size_t windows = 32;   ///< L windows per segment
  std::uint64_t data_seed = 1;
  std::size_t spacing = 1;  ///< frames from one window of a segment to the next, 1 being neighbours
};

/// Batches as segments of time over a resident movie: windows are never built. Every epoch shifts each usable range's segments by
/// a random phase and permutes them; drawing depends on (data_seed, epoch, step, segment) only. Segments whose windows are apart
/// interleave, so that an epoch has every window at most once. No segment crosses the border of a block, reaches into skipped
/// seconds or into validation, and no window needs frames before its block's start, so that the stimulus frames of training and
/// validation windows are disjoint.
class SegmentSampler {
 public:
  /// Throws InputError where the training part is shorter than one batch.
  SegmentSampler(const Recording& recording, const RecordingSettings& settings, const Sampling& sampling);

  std::size_t segments_per_epoch() const { return segments_; }
  std::size_t steps_per_epoch() const { return segments_ / sampling_.segments; }
  std::size_t windows_per_epoch() const { return steps_per_epoch() * sampling_.segments * sampling_.windows; }

  /// Target frame of the first window of each of the G segments of a step; `step` counts within the epoch.
  std::vector<std::size_t> batch(std::size_t epoch, std::size_t step) const;

  /// Target frames used for training and for validation, as half-open ranges of the training part.
  const std::vector<parallel::Range>& training() const { return training_; }
  const std::vector<parallel::Range>& validation() const { return validation_; }
  /// The validation windows cut into runs of at most L windows, none left out.
  std::vector<parallel::Range> validation_segments() const;
  /// First target frames of segments of L windows spread evenly over training, together at least `windows` windows (or all).
  std::vector<std::size_t> spread(std::size_t windows) const;

  const Sampling& sampling() const { return sampling_; }

 private:
  std::size_t segments_of(const parallel::Range& range) const;
  std::size_t first_of(std::size_t segment) const;
  void shuffle(std::size_t epoch) const;

  Sampling sampling_;
  std::vector<parallel::Range> training_, validation_;
  std::size_t segments_ = 0;
  mutable std::size_t shuffled_epoch_ = static_cast<std::size_t>(-1);
  mutable std::vector<std::size_t> order_;  ///< first target frames of the shuffled epoch
};

}  // namespace amacrine::recording
