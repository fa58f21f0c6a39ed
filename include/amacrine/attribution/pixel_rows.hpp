// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/path_network.hpp"
#include "amacrine/attribution/pieces.hpp"
#include "amacrine/model/lane_conv.hpp"
#include "amacrine/model/spectral.hpp"

#include <vector>

namespace amacrine::attribution {

/// How the transposed first layer is applied: in the frequency domain, rows side by side in a host's registers or in planes of
/// spectra (GPUs, hosts without vectors), or tap by tap.
enum class PixelWay { lanes, planes, taps };
const char* to_string(PixelWay way);

/// Pixel attributions (Eq. 1): one transposed first layer per window and cell, a few rows at a time, so that the working memory
/// does not grow with their number. A row's bits do not depend on the rows beside it. W windows, M cells, U units of the first
/// layer, T Y X a window.
template <class S>
class PixelRows {
 public:
  /// What serves a network, by its sizes alone.
  static PixelWay way(const PathNetwork<S>& network);
  /// Multiply-adds of a row, a transform counted as 15 for every value.
  static double multiply_adds(const PathNetwork<S>& network);
  /// Bytes of the working memory, whatever the number of rows.
  static double bytes(const PathNetwork<S>& network);

  PixelRows(const core::Exec& exec, const PathNetwork<S>& network, PixelWay way);

  /// A_lyx = scale (s - s0)_lyx sum_u kernel_u,lyx G_u, G_nu = gain_u push_nu: push (M, W, U), the windows at frames `at` (W) of
  /// s - s0 -> rows (W, M, T, Y, X).
  void attribute(const JoinedFrames<S>& frames, const std::vector<std::size_t>& at, S scale, const core::View3<S>& push,
                 std::vector<float>& rows);

 private:
  void by_lanes(const std::vector<S>& frames, const std::vector<std::size_t>& at, S scale, const core::View3<S>& push,
                float* rows);
  void by_groups(const std::vector<S>& frames, const std::vector<std::size_t>& at, S scale, const core::View3<S>& push,
                 float* rows);

  core::Exec exec_;
  PathLayer<S> layer_;
  std::size_t history_, height_, width_;
  PixelWay way_;
  model::LaneConv<S> lanes_;
  core::View2<S> scratch_;  ///< (threads, working memory)
  model::SpectralConv<S> planes_;
  core::View1<S> weights_, gradients_;  ///< of a group of rows
};

}  // namespace amacrine::attribution
