// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/reader.hpp"
#include "support/compare.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

/// Two pixels: the first alternates 100, 200; the second stays at 50.
StoredMovie two_pixels() {
  StoredMovie movie;
  movie.pixels = core::Array<std::uint8_t, 3>({4, 1, 2}, {100, 50, 200, 50, 100, 50, 200, 50});
  return movie;
}

TEST(Normalisation, ScalarIsMeanAndSdOfContrast) {
  const ContrastCoding coding{100.0, 50.0};
  const Normalisation result = fit_normalisation(two_pixels(), coding, "scalar");
  // values 100 50 200 50 twice: mean 100, mean square 13750, variance 3750
  ASSERT_EQ(result.mean.size(), 1u);
  EXPECT_NEAR(result.mean[0], 0.0, 1e-15);
  EXPECT_NEAR(result.scale[0], std::sqrt(3750.0) / 50.0, 1e-14);
}

TEST(Normalisation, PerPixelGivesConstantPixelsScaleOne) {
  const ContrastCoding coding{100.0, 50.0};
  const Normalisation result = fit_normalisation(two_pixels(), coding, "per_pixel");
  EXPECT_THAT(result.mean, testing::Pointwise(testing::DoubleNear(1e-14), {1.0, -1.0}));
  EXPECT_THAT(result.scale, testing::Pointwise(testing::DoubleNear(1e-14), {1.0, 1.0}));  // sd 50 / 50; constant
  StoredMovie wide;
  wide.pixels = core::Array<std::uint8_t, 3>({2, 1, 2}, {0, 7, 200, 7});
  EXPECT_THAT(fit_normalisation(wide, coding, "per_pixel").scale, testing::Pointwise(testing::DoubleNear(1e-14), {2.0, 1.0}));
}

TEST(Normalisation, ConstantFloatMovieOnALargePedestalIsConstant) {
  StoredMovie movie;
  movie.pixels = core::Array<float, 3>({100, 2, 2}, 1e6f + 0.3f);
  EXPECT_EQ(fit_normalisation(movie, {0.0, 1.0}, "scalar").scale[0], 1.0);
  EXPECT_EQ(fit_normalisation(movie, {0.0, 1.0}, "per_pixel").scale[3], 1.0);
}

TEST(Normalisation, FloatMovieOnAPedestalKeepsItsSd) {
  core::Array<float, 3> pixels({1000, 1, 1});
  for (std::size_t t = 0; t < 1000; ++t) pixels(t, 0, 0) = 1e5f + (t % 2 == 0 ? 0.5f : -0.5f);
  StoredMovie movie;
  movie.pixels = pixels;
  const Normalisation result = fit_normalisation(movie, {0.0, 1.0}, "scalar");
  EXPECT_NEAR(result.mean[0], 1e5, 1e-9);
  EXPECT_NEAR(result.scale[0], 0.5, 1e-9);
}

TEST(Normalisation, NoneAndUnknownKinds) {
  const Normalisation none = fit_normalisation(two_pixels(), {}, "none");
  EXPECT_EQ(none.mean, std::vector<double>{0.0});
  EXPECT_EQ(none.scale, std::vector<double>{1.0});
  EXPECT_THROW(fit_normalisation(two_pixels(), {}, "whitened"), core::Error);
}

TEST(Normalisation, TestMovieIsNormalisedAsAskedFor) {
  Recording recording;
  recording.coding = {100.0, 50.0};
  recording.train.movie = two_pixels();
  recording.test.movie.pixels = core::Array<std::uint8_t, 3>({2, 1, 1}, {150, 250});
  const Normalisation train = fit_normalisation(recording.train.movie, recording.coding, "scalar");
  RecordingSettings settings;
  EXPECT_EQ(test_normalisation(recording, settings, train).scale, train.scale);
  settings.test_statistics = "own";
  const Normalisation own = test_normalisation(recording, settings, train);
  EXPECT_NEAR(own.mean[0], 2.0, 1e-14);
  EXPECT_NEAR(own.scale[0], 1.0, 1e-14);
}

TEST(StoredMovie, GreyIsExactlyZeroAndBytesStayBytes) {
  StoredMovie movie;
  movie.pixels = core::Array<std::uint8_t, 3>({1, 1, 3}, {127, 169, 43});
  std::vector<float> contrast(3);
  movie.contrast(0, {127.0, 42.0}, contrast.data());
  EXPECT_EQ(contrast[0], 0.0f);
  EXPECT_NEAR(contrast[1], 1.0f, 1e-6);
  EXPECT_NEAR(contrast[2], -2.0f, 1e-6);
  EXPECT_EQ(movie.bytes(), 3u);
}

}  // namespace
}  // namespace amacrine::recording
