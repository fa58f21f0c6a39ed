// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/train_noise.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include <Random123/philox.h>
#include <gtest/gtest.h>

namespace amacrine::model {
namespace {

TEST(TrainNoise, PhiloxIsThePublishedGenerator) {
  std::uint32_t c[4][3];
  for (std::uint32_t w = 0; w < 4; ++w)
    for (std::uint32_t i = 0; i < 3; ++i) c[w][i] = 0x12345678u * (w + 1) + 77u * i;
  std::vector<r123::Philox4x32::ctr_type> truth;
  for (int i = 0; i < 3; ++i) truth.push_back(r123::Philox4x32()({{c[0][i], c[1][i], c[2][i], c[3][i]}}, {{0xdeadbeefu, 42u}}));
  philox_rounds<3>(c, 0xdeadbeefu, 42u);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t w = 0; w < 4; ++w) EXPECT_EQ(c[w][i], truth[i][w]);
}

TEST(TrainNoise, RootOfLogarithmMatchesTheLibrary) {
  for (std::uint64_t word = 0; word < (std::uint64_t{1} << 32); word += 104729) {
    const auto w = static_cast<std::uint32_t>(word);
    const double u = (static_cast<double>(w >> 9) + 0.5) * 0x1p-23, truth = std::sqrt(-2 * std::log(u));
    ASSERT_TRUE(std::abs(static_cast<double>(rayleigh(w)) - truth) <= 1e-6 * truth) << w;
  }
  for (const std::uint32_t w : {0u, 511u, 512u, 0xffffffffu, 0xfffffe00u}) {
    const double u = (static_cast<double>(w >> 9) + 0.5) * 0x1p-23, truth = std::sqrt(-2 * std::log(u));
    EXPECT_TRUE(std::abs(static_cast<double>(rayleigh(w)) - truth) <= 1e-6 * truth) << w;
  }
}

TEST(TrainNoise, CosineAndSineMatchTheLibrary) {
  for (std::uint64_t word = 0; word < (std::uint64_t{1} << 32); word += 99991) {
    const auto w = static_cast<std::uint32_t>(word);
    float cosine = 0, sine = 0;
    turn(w, cosine, sine);
    const double angle = 2 * std::numbers::pi * static_cast<double>(w) * 0x1p-32;
    ASSERT_TRUE(std::abs(static_cast<double>(cosine) - std::cos(angle)) <= 3e-7) << w;
    ASSERT_TRUE(std::abs(static_cast<double>(sine) - std::sin(angle)) <= 3e-7) << w;
  }
}

/// Moments of 2^20 deviates within five standard errors, and no correlation between units, samples, layers and steps.
TEST(TrainNoise, DeviatesAreStandardNormal) {
  constexpr int lanes = 16;
  const std::size_t groups = 8192;
  std::vector<double> moments(4, 0.0);
  double neighbours = 0, samples = 0, layers = 0, steps = 0, beyond3 = 0;
  for (std::size_t group = 0; group < groups; ++group) {
    float a[noise_group][lanes], b[noise_group][lanes], c[noise_group][lanes];
    noise_normals<lanes>({5, 9, 0, 0}, static_cast<std::uint32_t>(group), 1000, a);
    noise_normals<lanes>({5, 9, 0, 1}, static_cast<std::uint32_t>(group), 1000, b);
    noise_normals<lanes>({5, 10, 0, 0}, static_cast<std::uint32_t>(group), 1000, c);
    for (int i = 0; i < lanes; ++i)
      for (int j = 0; j < noise_group; ++j) {
        const double x = a[j][i];
        for (int power = 0; power < 4; ++power) moments[static_cast<std::size_t>(power)] += std::pow(x, power + 1);
        beyond3 += std::abs(x) > 3;
        neighbours += x * static_cast<double>(a[(j + 1) % noise_group][i]);
        samples += x * static_cast<double>(a[j][(i + 1) % lanes]);
        layers += x * static_cast<double>(b[j][i]);
        steps += x * static_cast<double>(c[j][i]);
      }
  }
  const double count = static_cast<double>(groups) * lanes * noise_group, error = 5 / std::sqrt(count);
  EXPECT_TRUE(std::abs(moments[0] / count) <= error);
  EXPECT_TRUE(std::abs(moments[1] / count - 1) <= error * std::sqrt(2.0));
  EXPECT_TRUE(std::abs(moments[2] / count) <= error * std::sqrt(15.0));
  EXPECT_TRUE(std::abs(moments[3] / count - 3) <= error * std::sqrt(96.0));
  EXPECT_TRUE(std::abs(beyond3 / count - 0.0026998) <= error * std::sqrt(0.0027));
  for (const double product : {neighbours, samples, layers, steps}) EXPECT_TRUE(std::abs(product / count) <= error);
}

/// A deviate belongs to its unit and sample, whatever block of lanes computes it.
TEST(TrainNoise, DependsOnUnitAndSampleOnly) {
  float wide[noise_group][16], narrow[noise_group][1];
  noise_normals<16>({7, 3, 0, 1}, 12, 480, wide);
  for (std::size_t i = 0; i < 16; ++i) {
    noise_normals<1>({7, 3, 0, 1}, 12, 480 + i, narrow);
    for (int j = 0; j < noise_group; ++j) EXPECT_TRUE(std::abs(wide[j][i] - narrow[j][0]) <= 1e-6f);
  }
}

}  // namespace
}  // namespace amacrine::model
