// SPDX-License-Identifier: Apache-2.0
// The naturalistic movie against a slow one made here: the same draws, each pixel interpolated by itself in double.
#include "../../src/stimulus/images.hpp"
#include "amacrine/stimulus/ensemble.hpp"
#include "support/compare.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace amacrine::stimulus {
namespace {

/// Bilinear interpolation of a square image at (y, x).
double between_pixels(const std::vector<float>& image, int side, double y, double x) {
  const int row = static_cast<int>(std::floor(y)), column = static_cast<int>(std::floor(x));
  const auto at = [&](int i, int j) { return static_cast<double>(image[static_cast<std::size_t>(i * side + j)]); };
  const double b = y - row, a = x - column;
  const double upper = at(row, column) + a * (at(row, column + 1) - at(row, column));
  const double lower = at(row + 1, column) + a * (at(row + 1, column + 1) - at(row + 1, column));
  return upper + b * (lower - upper);
}

struct Walk {
  double y, x, drift_y = 0, drift_x = 0;
  std::size_t turn = 1'000'000;  ///< frame from which the drift is the other way round
};

/// A place beyond an end of the image is as far inside it.
double reflected(double place, double end) {
  if (place < 1) return 1 + (1 - place);
  return place > end ? end - (place - end) : place;
}

/// The first place and the drift: x is drawn before y, then whether it drifts, at what speed, at what angle to the x axis.
Walk first_place(const NaturalSettings& s, const Screen& screen, core::Random& random) {
  const double x = random.uniform(11, s.image_px - screen.width - 12), y = random.uniform(11, s.image_px - screen.height - 12);
  Walk walk{y, x};
  if (random.uniform() >= s.drift_probability) return walk;
  const double speed = random.uniform(s.drift_speed_min, s.drift_speed_max), angle = random.uniform(0, 2 * std::numbers::pi);
  walk.drift_y = speed * std::sin(angle), walk.drift_x = speed * std::cos(angle);
  if (random.uniform() >= s.drift_reverses) return walk;
  const double frames_per_s = 1000 / screen.frame_ms;
  const auto first = static_cast<std::uint32_t>(std::lround(s.drift_reverse_from_s * frames_per_s)),
             last = static_cast<std::uint32_t>(std::lround(s.drift_reverse_to_s * frames_per_s));
  walk.turn = first + random.below(last - first + 1);
  return walk;
}

/// max |movie - reference| over the first `frames` frames of one fixation. Settings without full-field terms.
double deviation(const NaturalSettings& s, const Screen& screen, std::uint64_t seed, std::uint64_t fixation, std::size_t frames) {
  const std::size_t pixels = static_cast<std::size_t>(screen.height * screen.width);
  std::vector<float> movie(fixation_frames(s, screen) * pixels);
  natural_fixation(s, seed, fixation, screen, movie.data());
  core::Random drawing(seed, core::Stream::image, fixation), looking(seed, core::Stream::fixation, fixation);
  const bool leaves = drawing.uniform() < s.dead_leaves_probability;
  const std::vector<float> image = leaves ? dead_leaves_image(s, drawing) : gaussian_image(s, drawing);
  const double scale = looking.uniform(s.image_contrast_min, s.image_contrast_max);
  Walk walk = first_place(s, screen, looking);
  double worst = 0;
  for (std::size_t t = 0; t < frames; ++t) {
    for (int i = 0; i < screen.height; ++i)
      for (int j = 0; j < screen.width; ++j) {
        const double value = scale * between_pixels(image, s.image_px, walk.y + i, walk.x + j);
        const double found = static_cast<double>(movie[t * pixels + static_cast<std::size_t>(i * screen.width + j)]);
        const double error = std::abs(found - std::clamp(value, -s.clip, s.clip));
        if (!std::isfinite(error)) return error;
        worst = std::max(worst, error);
      }
    const double dx = looking.normal(), dy = looking.normal();
    const double way = t >= walk.turn ? -1 : 1;
    walk.x = reflected(walk.x + way * walk.drift_x + s.jitter_px_per_frame * dx, s.image_px - screen.width - 2);
    walk.y = reflected(walk.y + way * walk.drift_y + s.jitter_px_per_frame * dy, s.image_px - screen.height - 2);
  }
  return worst;
}

NaturalSettings plain() {
  NaturalSettings settings;
  settings.full_field_probability = 0;
  settings.drift_reverses = 0;
  settings.image_px = 64;
  settings.leaves = 200, settings.background_leaves = 20;
  return settings;
}

const Screen wide{.height = 12, .width = 17, .pixel_um = 50, .frame_ms = 10};

TEST(Gaze, JitterIsInterpolatedAlongEachAxis) {
  NaturalSettings settings = plain();
  settings.drift_probability = 0;
  for (const std::uint64_t fixation : {0, 1, 2, 3}) {
    const double error = deviation(settings, wide, 5, fixation, 20);
    EXPECT_TRUE(error <= 1e-5) << fixation << ": " << error;
  }
}

TEST(Gaze, DriftGoesWhereItsAngleSays) {
  NaturalSettings settings = plain();
  settings.drift_probability = 1;
  settings.jitter_px_per_frame = 0.05;
  for (const std::uint64_t fixation : {0, 1, 2, 3}) {
    const double error = deviation(settings, wide, 6, fixation, 30);
    EXPECT_TRUE(error <= 1e-5) << fixation << ": " << error;
  }
}

TEST(Gaze, DriftTurnsRoundOnce) {
  NaturalSettings settings = plain();
  settings.drift_probability = settings.drift_reverses = 1;
  settings.drift_reverse_from_s = 0.05, settings.drift_reverse_to_s = 0.15;
  for (const std::uint64_t fixation : {0, 1, 2, 3}) {
    const double error = deviation(settings, wide, 8, fixation, 30);
    EXPECT_TRUE(error <= 1e-5) << fixation << ": " << error;
  }
}

TEST(Gaze, TheEdgeOfTheImageReflects) {
  NaturalSettings settings = plain();
  settings.drift_probability = 1;
  settings.drift_speed_min = settings.drift_speed_max = 2.5;  // reaches an edge within 20 frames, and stays near it
  for (const std::uint64_t fixation : {0, 1, 2, 3}) {
    const double error = deviation(settings, wide, 9, fixation, 30);
    EXPECT_TRUE(error <= 1e-5) << fixation << ": " << error;
  }
}

TEST(Gaze, ContrastIsClipped) {
  NaturalSettings settings = plain();
  settings.drift_probability = 0, settings.clip = 0.3;
  const double error = deviation(settings, wide, 7, 1, 5);
  EXPECT_TRUE(error <= 1e-5) << error;
}

}  // namespace
}  // namespace amacrine::stimulus
