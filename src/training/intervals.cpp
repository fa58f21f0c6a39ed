// SPDX-License-Identifier: Apache-2.0
// Blocks and percentiles of the bootstrap, so that short test parts do not seem certain.
#include "amacrine/training/metrics.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace amacrine::training {
namespace {

double normal_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

double normal_quantile(double probability) {
  double low = -40, high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (normal_below(middle) < probability ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

/// Student's t where the normal distribution has z, by its expansion in 1 / freedom (Cornish and Fisher): within 0.3 % from 5 on.
double student_quantile(double z, double freedom) {
  const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, n = freedom;
  return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n);
}

}  // namespace

IntervalPlan plan_intervals(std::size_t frames, double frame_ms, int block_frames, double confidence) {
  constexpr double least_blocks = 6, shortest_ms = 150;
  const double length = static_cast<double>(frames);
  const int fitting = std::min(block_frames, static_cast<int>(length / least_blocks));
  const int least = std::min(block_frames, static_cast<int>(std::ceil(shortest_ms / frame_ms)));
  if (fitting < std::max(1, least))
    return {
        0, confidence,
        fmt::format("no intervals: {} test frames are fewer than {:.0f} blocks of {} frames, within which bins are correlated",
                    frames, least_blocks, least)};
  const double blocks = length / fitting, z = normal_quantile((1 + confidence) / 2);
  const double wider = student_quantile(z, blocks - 1) * std::sqrt(blocks / (blocks - 1));
  return {fitting, 2 * normal_below(wider) - 1,
          fitting < block_frames
              ? fmt::format("intervals are drawn from blocks of {} frames: the {} test frames are fewer than {:.0f} blocks of {}",
                            fitting, frames, least_blocks, block_frames)
              : ""};
}

}  // namespace amacrine::training
