// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/spikes.hpp"

#include "amacrine/recording/smoothing.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

TEST(Smoothing, AnImpulseBecomesTheGaussianInHz) {
  std::vector<float> counts(101);
  counts[50] = 2;
  const std::vector<float> rate = firing_rate(counts, 20.0, 10.0);
  double norm = 0;
  for (int i = -10; i <= 10; ++i) norm += std::exp(-0.5 * i * i * 0.25);
  std::vector<double> expected(101);
  for (int i = -10; i <= 10; ++i) expected[static_cast<std::size_t>(50 + i)] = 200.0 * std::exp(-0.5 * i * i * 0.25) / norm;
  EXPECT_LE(test::absolute_error(rate, expected), 1e-5);
  EXPECT_NEAR(std::accumulate(rate.begin(), rate.end(), 0.0) * 0.01, 2.0, 1e-5);  // spikes are kept
}

TEST(Smoothing, WidthsAreTheLabs) {
  EXPECT_EQ(gaussian_weights(5, 10).size(), 5u);    // +-25 ms
  EXPECT_EQ(gaussian_weights(10, 10).size(), 11u);  // +-50 ms
  EXPECT_EQ(gaussian_weights(20, 10).size(), 21u);
}

TEST(Smoothing, BinsBeyondTheEndsCountAsZero) {
  const std::vector<float> rate = firing_rate(std::vector<float>(50, 1.0f), 10.0, 10.0);
  EXPECT_NEAR(rate[25], 100.0, 1e-4);
  const std::vector<double> weights = gaussian_weights(10, 10);
  EXPECT_NEAR(rate[0], 100.0 * std::accumulate(weights.begin() + 5, weights.end(), 0.0), 1e-4);
}

/// Mean and variance of counts.
std::pair<double, double> moments(const std::vector<std::uint8_t>& counts) {
  double sum = 0, squares = 0;
  for (std::uint8_t count : counts) {
    sum += count;
    squares += static_cast<double>(count) * count;
  }
  const double n = static_cast<double>(counts.size()), mean = sum / n;
  return {mean, squares / n - mean * mean};
}

TEST(PoissonCounts, HaveMeanAndVarianceOfTheRateAndPoissonFrequencies) {
  const std::size_t bins = 200000;
  for (const double rate : {3.0, 40.0, 250.0}) {
    const double lambda = rate * 0.01;
    const std::vector<std::uint8_t> counts = poisson_counts({5, 2, false, 0}, 0, std::vector<double>(bins, rate), 10.0);
    const auto [mean, variance] = moments(counts);
    EXPECT_NEAR(mean, lambda, 5 * std::sqrt(lambda / bins));
    EXPECT_NEAR(variance, lambda, 5 * std::sqrt((lambda + 2 * lambda * lambda) / bins));  // var of a sample variance
    double p = std::exp(-lambda);
    for (std::size_t k = 0; k < 4; ++k) {
      const double share = static_cast<double>(std::count(counts.begin(), counts.end(), k)) / static_cast<double>(bins);
      EXPECT_NEAR(share, p, 5 * std::sqrt(p * (1 - p) / static_cast<double>(bins))) << "rate " << rate << ", " << k << " spikes";
      p *= lambda / static_cast<double>(k + 1);
    }
  }
}

TEST(PoissonCounts, DependOnTheBinNotOnTheBlock) {
  std::vector<double> rates(500);
  for (std::size_t t = 0; t < rates.size(); ++t) rates[t] = 20.0 + static_cast<double>(t % 50);
  const SpikeKey key{1, 3, true, 4};
  const std::vector<std::uint8_t> whole = poisson_counts(key, 1000, rates, 10.0);
  std::vector<std::uint8_t> pieces = poisson_counts(key, 1000, std::span(rates).first(123), 10.0);
  const std::vector<std::uint8_t> rest = poisson_counts(key, 1123, std::span(rates).subspan(123), 10.0);
  pieces.insert(pieces.end(), rest.begin(), rest.end());
  EXPECT_EQ(pieces, whole);
}

TEST(PoissonCounts, TrialsCellsAndPartsAreIndependent) {
  const std::vector<double> rates(20000, 50.0);
  const std::vector<std::uint8_t> base = poisson_counts({1, 0, true, 0}, 0, rates, 10.0);
  for (const SpikeKey& key :
       {SpikeKey{1, 0, true, 1}, SpikeKey{1, 1, true, 0}, SpikeKey{1, 0, false, 0}, SpikeKey{2, 0, true, 0}}) {
    const std::vector<std::uint8_t> other = poisson_counts(key, 0, rates, 10.0);
    double covariance = 0;
    for (std::size_t t = 0; t < rates.size(); ++t)
      covariance += (base[t] - 0.5) * (other[t] - 0.5) / static_cast<double>(rates.size());
    EXPECT_LE(std::abs(covariance), 5 * 0.5 / std::sqrt(20000.0));
  }
}

}  // namespace
}  // namespace amacrine::recording
