// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/ensemble.hpp"

#include "../../src/stimulus/images.hpp"
#include "support/screen.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include <gtest/gtest.h>

namespace amacrine::stimulus {
namespace {

using test::screen;
constexpr std::size_t pixels = 2500;

TEST(Fourier, AgreesWithTheSum) {
  core::Random random(5, core::Stream::test);
  for (const std::size_t n : {1UL, 7UL, 50UL, 144UL}) {
    std::vector<std::complex<double>> values(2 * n);
    for (auto& value : values) value = {random.normal(), random.normal()};
    std::vector<std::complex<double>> transformed = values;
    Fourier(n).transform(transformed.data() + 1, 2);
    for (std::size_t k = 0; k < n; ++k) {
      std::complex<double> sum = 0;
      for (std::size_t t = 0; t < n; ++t)
        sum +=
            values[2 * t + 1] * std::polar(1.0, 2 * std::numbers::pi * static_cast<double>(k * t % n) / static_cast<double>(n));
      ASSERT_LT(std::abs(transformed[2 * k + 1] - sum), 1e-11) << n;
      ASSERT_EQ(transformed[2 * k], values[2 * k]);
    }
  }
}

TEST(Natural, FixationsStandAlone) {
  const NaturalSettings settings;
  ASSERT_EQ(fixation_frames(settings, screen), 100U);
  const auto movie = natural_frames(settings, 9, 250, 230, screen);  // parts of fixations 2 and 4, all of 3
  std::vector<float> third(100 * pixels), again(100 * pixels), other(100 * pixels);
  natural_fixation(settings, 9, 3, screen, third.data());
  EXPECT_TRUE(std::equal(third.begin(), third.end(), movie.row(50).data()));
  natural_fixation(settings, 9, 4, screen, again.data());
  EXPECT_TRUE(std::equal(again.begin(), again.begin() + 80 * pixels, movie.row(150).data()));
  natural_fixation(settings, 10, 3, screen, other.data());
  EXPECT_NE(third, other);
  EXPECT_NE(third, again);
}

TEST(Natural, OtherScreensAndRefusals) {
  NaturalSettings settings;
  const Screen small{.height = 20, .width = 33, .pixel_um = 55, .frame_ms = 5};
  std::vector<float> out(200 * 20 * 33);
  natural_fixation(settings, 1, 0, small, out.data());
  EXPECT_NE(out.front(), out.back());
  settings.image_px = 60;
  EXPECT_THROW(natural_fixation(settings, 1, 0, screen, out.data()), core::InputError);
}

TEST(White, ChecksAreHeldForFourThreeThreeFrames) {
  const WhiteSettings settings;
  core::Array<float, 3> movie({100, 50, 50});
  white_frames(settings, 3, 0, 100, screen, movie.data());
  std::vector<int> held{1};
  for (std::size_t t = 1; t < 100; ++t) {
    const bool same = std::equal(movie.row(t).begin(), movie.row(t).end(), movie.row(t - 1).begin());
    same ? static_cast<void>(++held.back()) : held.push_back(1);
  }
  ASSERT_EQ(held.size(), 30U);
  for (std::size_t k = 0; k < held.size(); ++k) EXPECT_EQ(held[k], k % 3 == 0 ? 4 : 3);
  for (std::size_t y = 0; y < 50; ++y)
    for (std::size_t x = 0; x < 50; ++x) {
      ASSERT_EQ(std::abs(movie(0, y, x)), 1.0F);
      ASSERT_EQ(movie(0, y, x), movie(0, y / 2 * 2, x / 2 * 2));
    }
  std::vector<float> part(10 * pixels);
  white_frames(settings, 3, 55, 10, screen, part.data());
  EXPECT_TRUE(std::equal(part.begin(), part.end(), movie.row(55).data()));
}

TEST(White, ChecksAreIndependent) {
  const WhiteSettings settings;
  double sum = 0, neighbours = 0, next = 0;
  constexpr int patterns = 300, checks = 25;
  std::vector<float> now(pixels), before(pixels);
  for (std::size_t k = 0; k < patterns; ++k) {
    white_frames(settings, 8, k * 10 / 3 + 1, 1, screen, now.data());
    for (std::size_t y = 0; y < checks; ++y)
      for (std::size_t x = 0; x + 1 < checks; ++x) {
        const std::size_t at = 2 * y * 50 + 2 * x;
        sum += static_cast<double>(now[at]);
        neighbours += static_cast<double>(now[at] * now[at + 2]);
        if (k > 0) next += static_cast<double>(now[at] * before[at]);
      }
    std::swap(now, before);
  }
  const double n = patterns * checks * (checks - 1), four_sd = 4 / std::sqrt(n);
  EXPECT_LT(std::abs(sum / n), four_sd);
  EXPECT_LT(std::abs(neighbours / n), four_sd);
  EXPECT_LT(std::abs(next / n), four_sd);
}

TEST(Quantisation, RoundsAndLimits) {
  EXPECT_EQ(quantise(0.0F), 127);
  EXPECT_EQ(quantise(3.0F), 253);
  EXPECT_EQ(quantise(-3.0F), 1);
  EXPECT_EQ(quantise(10.0F), 255);
  EXPECT_EQ(quantise(-10.0F), 0);
  for (float contrast = -3; contrast <= 3; contrast += 0.013F)
    EXPECT_LE(std::abs(contrast_of(quantise(contrast)) - contrast), 0.5F / 42 + 1e-5F);
  for (int pixel = 0; pixel < 256; ++pixel)
    EXPECT_EQ(quantise(contrast_of(static_cast<std::uint8_t>(pixel))), static_cast<std::uint8_t>(pixel));
}

/// Slope of log power against log frequency, 2 to 21 cycles per field, over Hann-windowed frames half a second apart.
double spatial_exponent(const core::Array<float, 3>& movie) {
  Fourier fourier(50);
  std::vector<double> power(pixels, 0.0);
  for (std::size_t t = 0; t < movie.extent(0); t += 50) {
    double mean = 0;
    for (const float value : movie.row(t)) mean += static_cast<double>(value) / pixels;
    std::vector<std::complex<double>> plane(pixels);
    const auto hann = [](std::size_t i) { return 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / 49); };
    for (std::size_t i = 0; i < pixels; ++i)
      plane[i] = (static_cast<double>(movie.row(t)[i]) - mean) * hann(i / 50) * hann(i % 50);
    for (std::size_t y = 0; y < 50; ++y) fourier.transform(plane.data() + y * 50, 1);
    for (std::size_t x = 0; x < 50; ++x) fourier.transform(plane.data() + x, 50);
    for (std::size_t i = 0; i < pixels; ++i) power[i] += std::norm(plane[i]);
  }
  std::vector<double> sum(22, 0.0), count(22, 0.0);
  for (std::size_t i = 0; i < pixels; ++i) {
    const double fy = static_cast<double>(std::min(i / 50, 50 - i / 50)), fx = static_cast<double>(std::min(i % 50, 50 - i % 50));
    const auto ring = static_cast<std::size_t>(std::floor(std::hypot(fy, fx) + 0.5));
    if (ring < 22) sum[ring] += power[i], count[ring] += 1;
  }
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t ring = 2; ring < 22; ++ring) {
    const double x = std::log(static_cast<double>(ring)), y = std::log(sum[ring] / count[ring]);
    sx += x, sy += y, sxx += x * x, sxy += x * y;
  }
  return (20 * sxy - sx * sy) / (20 * sxx - sx * sx);
}

struct Moments {
  double mean = 0, sd = 0, excess_kurtosis = 0, p1 = 0, p99 = 0;
};

Moments moments(const core::Array<float, 3>& movie) {
  std::vector<double> values;
  for (std::size_t t = 0; t < movie.extent(0); t += 7)
    for (std::size_t y = 0; y < 50; y += 3)
      for (std::size_t x = 0; x < 50; x += 3) values.push_back(static_cast<double>(movie(t, y, x)));
  Moments m;
  const auto n = static_cast<double>(values.size());
  for (const double v : values) m.mean += v / n;
  double second = 0, fourth = 0;
  for (const double v : values) second += std::pow(v - m.mean, 2) / n, fourth += std::pow(v - m.mean, 4) / n;
  m.sd = std::sqrt(second);
  m.excess_kurtosis = fourth / (second * second) - 3;
  std::sort(values.begin(), values.end());
  m.p1 = values[values.size() / 100];
  m.p99 = values[values.size() * 99 / 100];
  return m;
}

// Bands: 4 standard deviations of single 120 s movies around the mean over 12 seeds of an independent generator of this ensemble.
TEST(FullNatural, StatisticsOverSeeds) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto movie = natural_frames(NaturalSettings{}, seed, 0, 12000, screen);
    const Moments m = moments(movie);
    EXPECT_NEAR(m.mean, -0.01, 0.06) << seed;
    EXPECT_NEAR(m.sd, 0.963, 0.072) << seed;
    EXPECT_NEAR(m.excess_kurtosis, 0.23, 0.44) << seed;
    EXPECT_NEAR(m.p1, -2.37, 0.40) << seed;
    EXPECT_NEAR(m.p99, 2.29, 0.20) << seed;
    EXPECT_NEAR(spatial_exponent(movie), -2.77, 0.19) << seed;
    EXPECT_LE(*std::max_element(movie.values().begin(), movie.values().end()), 3.0F);
    EXPECT_GE(*std::min_element(movie.values().begin(), movie.values().end()), -3.0F);
  }
}

TEST(FullWhite, PowerIsFlatUpToTheChecks) {
  core::Array<float, 3> movie({6000, 50, 50});
  white_frames(WhiteSettings{}, 4, 0, 6000, screen, movie.data());
  EXPECT_NEAR(spatial_exponent(movie), -0.91, 0.064);
  EXPECT_NEAR(moments(movie).sd, 1.0, 1e-3);
}

}  // namespace
}  // namespace amacrine::stimulus
