// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"

#include <vector>

namespace amacrine::recording {

/// What is new in each frame of a movie, in few coarse pixels.
class FreshFrames {
 public:
  FreshFrames(const StoredMovie& movie, const ContrastCoding& coding);
  std::size_t pixels() const { return rows_ * columns_; }
  /// Rows of coarse pixels (pixels, count) for frames [first, first + count), each about its mean; zeros after the movie's end.
  core::Array<double, 2> block(std::size_t first, std::size_t count) const;

 private:
  std::vector<double> coarse_frame(std::size_t frame, std::vector<float>& scratch) const;
  std::vector<double> fresh(const std::vector<double>& now, const std::vector<double>& before) const;

  const StoredMovie& movie_;
  ContrastCoding coding_;
  std::size_t side_, rows_, columns_;  ///< pixels a side of a coarse one, and their numbers
  double persistence_;
};

}  // namespace amacrine::recording
