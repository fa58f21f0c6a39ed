// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Figures of merit of a prediction against a recording (docs/metrics.md). Host,
/// double.
namespace amacrine::training {

/// What is known of one cell over the kept test frames, all of T values in Hz. `noiseless` and `repeats` may be empty.
struct CellSeries {
  std::span<const float> prediction;
  std::span<const float> target;                ///< trial mean, or the recording's own test response
  std::span<const float> noiseless;             ///< simulated rate
  std::vector<std::span<const float>> repeats;  ///< single trials
};

/// Figures of a model on one cell; NaN where undefined.
enum ModelFigure { score, pearson_r, fev, feve };
inline constexpr std::array<const char*, 4> model_figure_names{"score", "pearson_r", "fev", "feve"};
/// Figures of the recording itself; NaN with fewer than 2 repeats.
enum CeilingFigure { oracle_jackknife, oracle_conservative, explainable_variance, noise_ceiling };
inline constexpr std::array<const char*, 4> ceiling_figure_names{"oracle_jackknife", "oracle_conservative",
                                                                 "explainable_variance", "noise_ceiling"};
using Figures = std::array<double, 4>;

/// Sums over frames from which every figure follows, so that a bootstrap resample costs a few additions per block. Series are
/// centred on their means over all frames before products are formed.
class FrameSums {
 public:
  /// Throws core::Error where lengths differ or a value is not finite.
  explicit FrameSums(const CellSeries& series);
  std::size_t frames() const { return frames_; }
  std::size_t repeats() const { return repeats_; }

  /// Sums over the frames of `blocks`: pairs (first frame, number of frames), overlaps allowed.
  struct Block {
    std::size_t first, count;
  };
  std::vector<double> sum(std::span<const Block> blocks) const;
  std::vector<double> sum() const;

  Figures model_figures(std::span<const double> sums) const;
  Figures ceiling_figures(std::span<const double> sums) const;

 private:
  std::size_t frames_, repeats_, features_;
  bool has_noiseless_;
  double offset_target_ = 0, offset_repeats_ = 0;  ///< mean prediction less mean response
  std::vector<double> prefix_;                     ///< (T + 1, features)
};

/// corr(x, y) over all frames, NaN where one of them does not vary.
double pearson(std::span<const double> x, std::span<const double> y);

/// A moving-block bootstrap: `resamples` sequences of `frames` frames, each of overlapping blocks of `block_frames` (the last one
/// cut). Resample i depends on (seed, i) only.
struct Bootstrap {
  int resamples = 1000;
  int block_frames = 100;
  double level = 0.95;
  std::uint64_t seed = 1;
};
std::vector<FrameSums::Block> draw_blocks(const Bootstrap& bootstrap, std::size_t frames, int resample);

/// How the intervals of a test part are drawn.
struct IntervalPlan {
  int block_frames = 0;   ///< 0: there are none
  double level = 0.95;    ///< of the percentiles, wider than the confidence where there are few blocks
  std::string told = {};  ///< why blocks are shorter than asked for, or why there are no intervals; else empty
};
/// At least 6 blocks fit into the frames: blocks are shortened to that, but not below 150 ms (or what is asked for, where that is
/// less), within which neighbouring bins are correlated; a shorter test part has no intervals. The percentiles are those at which
/// intervals of a mean over so few blocks, by Student's t, hold the truth as often as they say (Hesterberg's expanded
/// percentiles).
IntervalPlan plan_intervals(std::size_t frames, double frame_ms, int block_frames, double confidence);

/// Percentile interval (low, high) of the values that are finite at the given level, linear between order statistics; NaN where
/// fewer than half of them are finite.
std::array<double, 2> percentile_interval(std::vector<double> values, double level);

}  // namespace amacrine::training
