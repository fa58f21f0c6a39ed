// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"
#include "amacrine/model/train_graph.hpp"
#include "amacrine/recording/recording.hpp"

#include <variant>
#include <vector>

namespace amacrine::training {

/// The training movie and responses where the device reads them: on a host in place, without a copy; on a GPU copied once, bytes
/// staying bytes. Normalised frames and targets of a batch are gathered from it. The recording must outlive it.
class BatchSource {
 public:
  BatchSource(const recording::Recording& recording, const recording::Normalisation& normalisation, std::size_t history,
              std::size_t minimum_lag);

  /// Fills the graph's frames, or their source, and targets with the segments whose runs' first windows predict the frames
  /// `first` (one per run of this rank). Throws core::Error where a window would leave the movie.
  void fill(const core::Exec& exec, const std::vector<std::size_t>& first, model::TrainGraph<float>& graph) const;
  /// Only normalised frames (G, Y, X, F) of the windows from `first` on, `spacing` apart, as many runs for each segment.
  void fill_frames(const core::Exec& exec, const std::vector<std::size_t>& first, const core::View4<float>& frames,
                   std::size_t spacing) const;

 private:
  std::vector<std::int64_t> first_frames(const std::vector<std::size_t>& first, std::size_t segments, std::size_t frames) const;
  model::SegmentSource<float> fused_frames(const std::vector<std::size_t>& first, std::size_t segments, std::size_t frames,
                                           std::size_t spacing) const;

  std::variant<core::View3<const std::uint8_t>, core::View3<const float>> movie_;
  core::View2<const float> response_;
  core::View1<float> scale_, offset_;
  std::size_t reach_, frames_;
};

}  // namespace amacrine::training
