// SPDX-License-Identifier: Apache-2.0
// The contrast added to the whole screen, seen alone: images of no contrast.
#include "amacrine/core/random.hpp"
#include "amacrine/stimulus/ensemble.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::stimulus {
namespace {

const Screen small{.height = 2, .width = 3, .pixel_um = 50, .frame_ms = 10};

NaturalSettings field_alone(double noise_share) {
  NaturalSettings settings;
  settings.image_px = 32, settings.leaves = 5, settings.background_leaves = 2;
  settings.image_contrast_min = settings.image_contrast_max = 0;
  settings.full_field_probability = 1, settings.full_field_noise_share = noise_share;
  settings.clip = 100;
  return settings;
}

/// The level of each frame of a fixation; every pixel must have it.
std::vector<double> level_of(const NaturalSettings& settings, std::uint64_t fixation) {
  std::vector<float> movie(fixation_frames(settings, small) * 6);
  natural_fixation(settings, 4, fixation, small, movie.data());
  std::vector<double> level;
  for (std::size_t i = 0; i < movie.size(); ++i) {
    if (i % 6 == 0) level.push_back(static_cast<double>(movie[i]));
    EXPECT_EQ(static_cast<double>(movie[i]), level.back());
  }
  return level;
}

TEST(FieldTerm, NoiseHasItsDeviationAndItsTimeConstant) {
  const NaturalSettings settings = field_alone(1.0);
  double count = 0, squares = 0, products = 0;
  for (std::uint64_t fixation = 0; fixation < 300; ++fixation) {
    const std::vector<double> level = level_of(settings, fixation);
    for (std::size_t t = 30; t + 1 < level.size(); ++t)  // five time constants after the start at 0
      count += 1, squares += level[t] * level[t], products += level[t] * level[t + 1];
  }
  // 300 x 69 values, of which about one in eleven is independent: 1.6 % for the standard deviation.
  EXPECT_NEAR(std::sqrt(squares / count), 0.8, 0.8 * 0.07);
  EXPECT_NEAR(products / squares, std::exp(-10.0 / 60), 0.03);
}

TEST(FieldTerm, FlashesHaveTheirLengthsAmplitudesAndSigns) {
  NaturalSettings settings = field_alone(0.0);
  settings.flash_probability_per_frame = 0.004;
  double flashes = 0, dark = 0, amplitude = 0, length = 0;
  for (std::uint64_t fixation = 0; fixation < 1500; ++fixation) {
    const std::vector<double> level = level_of(settings, fixation);
    std::size_t first = 0, last = 0, alike = 0;
    while (first < level.size() && level[first] == 0) ++first;
    if (first == level.size()) continue;
    for (last = level.size(); level[last - 1] == 0;) --last;
    for (std::size_t t = first; t < last; ++t) alike += level[t] == level[first];
    if (alike != last - first || last == level.size()) continue;  // several, or one cut by the end
    flashes += 1, dark += level[first] < 0, amplitude += std::abs(level[first]), length += static_cast<double>(last - first);
    EXPECT_GE(std::abs(level[first]), 0.5 - 1e-6);
    EXPECT_LE(std::abs(level[first]), 2.5 + 1e-6);
    EXPECT_GE(last - first, 2U);
    EXPECT_LE(last - first, 6U);
  }
  ASSERT_GT(flashes, 300);
  const double four_se = 4 / std::sqrt(flashes);
  EXPECT_NEAR(dark / flashes, 0.6, 0.5 * four_se);
  EXPECT_NEAR(amplitude / flashes, 1.5, 0.58 * four_se);
  EXPECT_NEAR(length / flashes, 4, 1.42 * four_se);
}

/// On a screen that is not square, with checks that its edges cut.
TEST(Checks, LieInRows) {
  const Screen screen{.height = 5, .width = 8, .pixel_um = 50, .frame_ms = 10};
  WhiteSettings settings;
  settings.check_px = 3;
  std::vector<float> frame(40);
  white_frames(settings, 6, 0, 1, screen, frame.data());
  core::Random random(6, core::Stream::checks, 0);
  std::vector<float> checks;  // two rows of three
  for (int i = 0; i < 6; ++i) checks.push_back(random.bits() >= 0x80000000U ? 1.0F : -1.0F);
  for (std::size_t y = 0; y < 5; ++y)
    for (std::size_t x = 0; x < 8; ++x) EXPECT_EQ(frame[y * 8 + x], checks[y / 3 * 3 + x / 3]) << y << ", " << x;
}

}  // namespace
}  // namespace amacrine::stimulus
