// SPDX-License-Identifier: Apache-2.0
// What a baseline looks like to the network: contrast less the normalisation's mean, over its scale, pixel by pixel.
#include "amacrine/attribution/baseline.hpp"

#include "attribution/small_model.hpp"

#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

constexpr std::size_t pixels = 13 * 12;

/// The frame that path integrals start from, for a model with this normalisation.
std::vector<double> frame_of(const recording::Normalisation& normalisation, const AttributionSettings& settings) {
  model::Model model = small_model();
  model.normalisation = normalisation;
  return baseline_frame(make_path_network(model::make_inference<double>(model)), settings);
}

const recording::Normalisation one_pair{"scalar", {0.75}, {2.0}};

recording::Normalisation pair_of_each_pixel() {
  recording::Normalisation each{"per_pixel", {}, {}};
  for (std::size_t i = 0; i < pixels; ++i) {
    each.mean.push_back(0.1 * static_cast<double>(i) - 3);
    each.scale.push_back(1 + 0.01 * static_cast<double>(i));
  }
  return each;
}

void expect_frame(const std::vector<double>& found, const std::vector<double>& contrast, const recording::Normalisation& norm) {
  ASSERT_EQ(found.size(), pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::size_t k = norm.mean.size() == 1 ? 0 : i;
    EXPECT_NEAR(found[i], (contrast[i] - norm.mean[k]) / norm.scale[k], 1e-12) << "pixel " << i;
  }
}

TEST(Baseline, AGivenFrameIsNormalisedAsTheStimuliAre) {
  AttributionSettings settings;
  settings.baseline = Baseline::given;
  for (std::size_t i = 0; i < pixels; ++i) settings.baseline_frame.contrast.push_back(0.02 * static_cast<double>(i) - 1);
  for (const recording::Normalisation& norm : {one_pair, pair_of_each_pixel()})
    expect_frame(frame_of(norm, settings), settings.baseline_frame.contrast, norm);
}

TEST(Baseline, GreyAndAGivenContrastAreNormalisedToo) {
  AttributionSettings settings;
  for (const recording::Normalisation& norm : {one_pair, pair_of_each_pixel()}) {
    settings.baseline = Baseline::grey;
    expect_frame(frame_of(norm, settings), std::vector<double>(pixels, 0.0), norm);
    settings.baseline = Baseline::given, settings.baseline_contrast = -0.5;
    expect_frame(frame_of(norm, settings), std::vector<double>(pixels, -0.5), norm);
    settings.baseline = Baseline::mean;
    EXPECT_EQ(frame_of(norm, settings), std::vector<double>(pixels, 0.0));
  }
}

/// The differences that the path integrates are of the same kind: s - s0, normalised.
TEST(Baseline, DifferencesFromItAreOfNormalisedFrames) {
  AttributionSettings settings;
  model::Model model = small_model();
  model.normalisation = pair_of_each_pixel();
  const auto network = make_path_network(model::make_inference<double>(model));
  const std::vector<double> grey = baseline_frame(network, settings);
  core::Array<float, 3> contrast({8, 13, 12});
  for (std::size_t i = 0; i < contrast.size(); ++i) contrast.values()[i] = static_cast<float>(i % 7) / 4 - 0.5F;
  const std::vector<double> found = difference_frames(network, contrast, 5, 3, grey);
  ASSERT_EQ(found.size(), pixels * 8);  // frames 0 to 7, the last axis
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t t = 0; t < 8; ++t)
      EXPECT_NEAR(found[i * 8 + t], static_cast<double>(contrast.values()[t * pixels + i]) / model.normalisation.scale[i], 1e-6);
}

}  // namespace
}  // namespace amacrine::attribution
