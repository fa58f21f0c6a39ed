// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>

namespace amacrine::model {

/// A run of windows drawn together: each begins `spacing` frames after the one before it, 1 being neighbours. Windows further
/// apart share fewer frames and are less alike.
struct WindowRun {
  std::size_t windows = 1, spacing = 1;
  WindowRun(std::size_t count, std::size_t apart = 1)  // NOLINT(google-explicit-constructor)
      : windows(count), spacing(count > 1 ? apart : 1) {}
  std::size_t reach() const { return (windows - 1) * spacing; }  ///< frames from the first window's target to the last one's
};

/// A batch of `runs` runs of windows that `ranks` ranks can share, or as many as there are runs where these are fewer.
struct Batch {
  std::size_t runs;
  WindowRun run;
  std::size_t ranks = 32;
  std::size_t owners() const { return std::max<std::size_t>(1, std::min(ranks, runs)); }
};

/// A segment: `windows` windows in one run, or in several equally long runs side by side, so that short ones fill the lanes that
/// a segment is computed in.
///
/// Its frames (G, Y, X, F) are those of its runs one after another, and a run's lie by their phase, p = 0 ... spacing - 1: first
/// those spacing * i, then those spacing * i + 1, and so on. So what neighbouring windows see at one lag stands side by side at
/// any spacing: lag l = spacing * m + p of window b is frame b + m of phase p.
struct SegmentShape {
  std::size_t windows = 0, runs = 1, spacing = 1;
  SegmentShape(std::size_t all, std::size_t side_by_side = 1, std::size_t apart = 1)  // NOLINT(google-explicit-constructor)
      : windows(all), runs(side_by_side), spacing(apart) {}
  std::size_t run() const { return windows / runs; }
  /// Lags of a phase; where the spacing does not divide the history, the last phases' last ones are beyond it.
  std::size_t phase_lags(std::size_t history) const { return (history + spacing - 1) / spacing; }
  std::size_t phase_frames(std::size_t history) const { return run() + phase_lags(history) - 1; }
  std::size_t run_frames(std::size_t history) const { return spacing * phase_frames(history); }
  std::size_t frames(std::size_t history) const { return runs * run_frames(history); }
};

/// Neighbouring segments whose gradients are best summed before they are written: about 64 windows, so few that `owners` ranks
/// share the segments, and a divisor of these.
inline std::size_t sharing_neighbours(std::size_t segments, std::size_t windows, std::size_t owners) {
  constexpr std::size_t shared_windows = 64;
  std::size_t together =
      std::max<std::size_t>(1, std::min(shared_windows / std::max<std::size_t>(windows, 1), segments / owners));
  while (segments % together != 0) --together;
  return together;
}

}  // namespace amacrine::model
