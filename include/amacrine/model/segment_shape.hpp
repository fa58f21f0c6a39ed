// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

namespace amacrine::model {

/// A segment: `windows` windows in one run of neighbours, or in several equally long runs side by side, so that short ones fill
/// the lanes that a segment is computed in. Its frames (G, Y, X, F) are those of its runs one after another.
struct SegmentShape {
  std::size_t windows = 0, runs = 1;
  SegmentShape(std::size_t all, std::size_t side_by_side = 1)
      : windows(all), runs(side_by_side) {}  // NOLINT(google-explicit-constructor)
  std::size_t run() const { return windows / runs; }
  std::size_t frames(std::size_t history) const { return runs * (run() + history - 1); }
};

/// Neighbouring segments whose gradients are best summed before they are written: about 64 windows, at most an eighth of the
/// segments, of which it is a divisor.
inline std::size_t sharing_neighbours(std::size_t segments, std::size_t windows) {
  constexpr std::size_t shared_windows = 64, parts = 8;
  std::size_t together = std::max<std::size_t>(1, std::min(shared_windows / std::max<std::size_t>(windows, 1), segments / parts));
  while (segments % together != 0) --together;
  return together;
}

}  // namespace amacrine::model
