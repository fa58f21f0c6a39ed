// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/lanes.hpp"
#include "amacrine/core/views.hpp"

#include <functional>

namespace amacrine::model {

/// A later layer's convolutions in the frequency domain, one register of lanes at a time, each by a single host thread that makes
/// its inputs row by row and uses its outputs row by row: nothing but one set of spectra exists, which stays in the core's cache.
/// A lane's bits do not depend on the lanes beside it.
template <class S>
class LaneConv {
 public:
  static constexpr int lanes = core::lane_count<S>;
  /// Writes row y of a map, (X, lanes); or reads one.
  using Fill = std::function<void(int channel, int y, S* row)>;
  using Take = std::function<void(int channel, int y, const S* row)>;
  /// Reads row y of what input channel d alone gives output channel c.
  using TakePair = std::function<void(int d, int c, int y, const S* row)>;

  /// Whether the default execution space is a host with vector registers and the frequency domain pays for these sizes.
  static bool pays(int height, int width, int kernel_y, int kernel_x, std::size_t channels);
  /// Multiply-adds of one lane's forward() or backward(), a transform counted as 15 for every value.
  static double multiply_adds(int height, int width, std::size_t in_channels, std::size_t out_channels);
  /// Bytes of the kernel's spectra and of the working memory of so many threads.
  static double bytes(int height, int width, std::size_t in_channels, std::size_t out_channels, std::size_t threads);

  LaneConv() = default;
  /// kernel (C, D, KY, KX) of a layer whose input is height x width.
  LaneConv(const core::Exec& exec, const core::View4<S>& kernel, int height, int width);

  /// Values of working memory that a thread lends to each of the calls below.
  std::size_t scratch() const;
  /// out(c) = sum_d kernel(c, d) * in(d), rows of (OY, OX).
  void forward(const Fill& in, const Take& out, S* scratch) const;
  /// d_in(d) = sum_c transposed kernel(c, d) * d_out(c), rows of (Y, X).
  void backward(const Fill& d_out, const Take& d_in, S* scratch) const;
  /// out(d, c) = kernel(c, d) * in(d): every input channel by itself.
  void by_channel(const Fill& in, const TakePair& out, S* scratch) const;

 private:
  int n_ = 0, in_channels_ = 0, out_channels_ = 0, kernel_y_ = 0, kernel_x_ = 0, height_ = 0, width_ = 0;
  core::View1<S> twiddles_;
  core::View1<S> kernel_spectra_;  ///< (kx, ky, C, D, re | im)
};

}  // namespace amacrine::model
