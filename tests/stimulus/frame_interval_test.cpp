// SPDX-License-Identifier: Apache-2.0
// Presence at frame intervals other than 10 ms: rules in milliseconds know that a peak lies between two frames.
#include "amacrine/stimulus/phenomena.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::stimulus {
namespace {

double softplus_hz(double z) { return std::log1p(std::exp(0.3 * z)) / 0.3; }

/// Rates of a cell that answers each frame of light with a bump of 60 ms, 1 - (t / 30 ms)^2, `delay_ms` later: one filter, one
/// nonlinearity. `earlier_ms` per unit of contrast shortens the delay.
CellResponses flashed(const std::vector<Condition>& shown, double frame_ms, double delay_ms, double earlier_ms) {
  CellResponses responses;
  for (const Condition& condition : shown) {
    std::vector<double> hz;
    for (std::size_t t = 0; t < condition.frames; ++t) {
      double drive = 0;
      for (std::size_t s = 0; s < condition.level.size() && s <= t; ++s) {
        const double delay = delay_ms - earlier_ms * std::abs(condition.level[s]);
        const double off = (static_cast<double>(t - s) * frame_ms - delay) / 30;
        drive += std::abs(condition.level[s]) * std::max(0.0, 1 - off * off) * frame_ms / 10;
      }
      hz.push_back(softplus_hz(30 * drive - 8));
    }
    responses.push_back(hz);
  }
  return responses;
}

LatencyFigures measured(double frame_ms, double delay_ms, double earlier_ms) {
  Screen screen;
  screen.frame_ms = frame_ms;
  const auto shown = conditions(LatencyProbe{}, screen);
  return reported(measure_latency(shown, flashed(shown, frame_ms, delay_ms, earlier_ms), screen, softplus_hz(-8)));
}

TEST(FrameInterval, OneFilterHasNoLatencyCodingWhereverItsPeakLiesBetweenFrames) {
  for (const double frame_ms : {1.0, 5.0, 8.3333, 16.6667, 25.0, 33.3333})
    for (double delay_ms = 80; delay_ms < 120; delay_ms += 1.7) {
      const LatencyFigures f = measured(frame_ms, delay_ms, 0);
      EXPECT_EQ(f.overall, Presence::no_effect) << frame_ms << " ms, delay " << delay_ms << ": shift " << f.total_shift_ms;
    }
}

TEST(FrameInterval, AShiftOfTwoFramesOrMoreIsFound) {
  for (const double frame_ms : {1.0, 5.0, 10.0, 16.6667, 25.0, 33.3333})
    for (double delay_ms = 150; delay_ms < 180; delay_ms += 5) {
      const LatencyFigures f = measured(frame_ms, delay_ms, 30);  // 75 ms from contrast 0.5 to 3
      EXPECT_EQ(f.overall, Presence::present) << frame_ms << " ms, delay " << delay_ms << ": shift " << f.total_shift_ms;
    }
}

}  // namespace
}  // namespace amacrine::stimulus
