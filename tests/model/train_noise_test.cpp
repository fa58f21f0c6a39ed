// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/train_noise.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include <Random123/philox.h>
#include <gtest/gtest.h>

namespace amacrine::model {
namespace {

template <int Lanes>
void expect_philox() {
  std::uint32_t c[4][Lanes];
  for (std::uint32_t w = 0; w < 4; ++w)
    for (std::uint32_t i = 0; i < Lanes; ++i) c[w][i] = 0x12345678u * (w + 1) + 77u * i;
  std::vector<r123::Philox4x32::ctr_type> truth;
  for (int i = 0; i < Lanes; ++i)
    truth.push_back(r123::Philox4x32()({{c[0][i], c[1][i], c[2][i], c[3][i]}}, {{0xdeadbeefu, 42u}}));
  philox_rounds<Lanes>(c, 0xdeadbeefu, 42u);
  for (std::size_t i = 0; i < Lanes; ++i)
    for (std::size_t w = 0; w < 4; ++w) EXPECT_EQ(c[w][i], truth[i][w]) << Lanes;
}
TEST(TrainNoise, PhiloxIsThePublishedGenerator) {
  expect_philox<1>();
  expect_philox<4>();
  expect_philox<16>();
}

/// All 65,536 deviates against the quantile that bisection of erfc finds.
TEST(TrainNoise, DeviatesAreQuantilesOfTheNormalDistribution) {
  for (std::uint32_t first = 0; first < 65536; first += 16) {
    std::uint32_t words[16];
    for (std::uint32_t i = 0; i < 16; ++i) words[i] = (first + i) | 0xabcd0000u;
    float normal[16], one[1];
    quantiles(words, 0, normal);
    for (std::uint32_t i = 0; i < 16; ++i) {
      const double tail = ((first + i) % 32768 + 0.5) / 65536;
      double low = 0, high = 6;
      for (int step = 0; step < 50; ++step) {
        const double x = (low + high) / 2;
        (std::erfc(x / std::numbers::sqrt2) / 2 > tail ? low : high) = x;
      }
      const double truth = first + i < 32768 ? low : -low;
      ASSERT_TRUE(std::abs(static_cast<double>(normal[i]) - truth) <= 1.9e-4) << first + i;
      const std::uint32_t alone[1] = {words[i]};
      quantiles(alone, 0, one);
      EXPECT_TRUE(std::abs(one[0] - normal[i]) <= 1e-6f) << first + i;
    }
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
