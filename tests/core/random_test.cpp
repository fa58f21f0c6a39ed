// SPDX-License-Identifier: Apache-2.0
// That random numbers are independent of one another, not only of the right size.
#include "amacrine/core/random.hpp"

#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

namespace amacrine::core {
namespace {

constexpr int count = 40000;
const double four_se = 4 / std::sqrt(static_cast<double>(count));

std::vector<double> drawn(Random random, const std::function<double(Random&)>& draw) {
  std::vector<double> values;
  for (int i = 0; i < count + 2; ++i) values.push_back(draw(random));
  return values;
}

/// Correlation of f(a_i) and f(b_(i + apart)).
double correlation(const std::vector<double>& a, const std::vector<double>& b, std::size_t apart, double power) {
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double p = std::pow(a[i], power), q = std::pow(b[i + apart], power);
    x += p / count, y += q / count, xx += p * p / count, yy += q * q / count, xy += p * q / count;
  }
  return (xy - x * y) / std::sqrt((xx - x * x) * (yy - y * y));
}

/// Deviates come in pairs: neither value nor size of one tells of the next.
TEST(RandomNumbers, DeviatesAreIndependentOfTheNextOnes) {
  const std::vector<double> normal = drawn(Random(5, Stream::test), [](Random& r) { return r.normal(); });
  const std::vector<double> uniform = drawn(Random(6, Stream::test), [](Random& r) { return r.uniform() - 0.5; });
  for (const std::size_t apart : {1U, 2U})
    for (const double power : {1.0, 2.0}) {
      EXPECT_LT(std::abs(correlation(normal, normal, apart, power)), four_se) << apart << ", power " << power;
      EXPECT_LT(std::abs(correlation(uniform, uniform, apart, power)), four_se) << apart << ", power " << power;
    }
}

TEST(RandomNumbers, StreamsAreIndependent) {
  const auto normal = [](Random& r) { return r.normal(); };
  const std::vector<double> first = drawn(Random(5, Stream::test, 1), normal);
  for (const Random& other :
       {Random(5, Stream::test, 2), Random(6, Stream::test, 1), Random(5, Stream::weights, 1),
        Random(5 + (std::uint64_t{1} << 32), Stream::test, 1), Random(5, Stream::test, 1 + (std::uint64_t{1} << 32))})
    for (const double power : {1.0, 2.0}) EXPECT_LT(std::abs(correlation(first, drawn(other, normal), 0, power)), four_se);
}

/// A mean of 2.5 in each of many bins: probabilities of 0 to 8 events are exp(-2.5) 2.5^k / k!.
TEST(RandomNumbers, PoissonCountsHaveTheirProbabilities) {
  const std::vector<double> counts =
      drawn(Random(7, Stream::test), [](Random& r) { return static_cast<double>(r.poisson(2.5)); });
  double expected = std::exp(-2.5);
  for (int k = 0; k < 9; expected *= 2.5 / ++k) {
    double found = 0;
    for (const double value : counts) found += value == k;
    EXPECT_NEAR(found / static_cast<double>(counts.size()), expected, 4 * std::sqrt(expected / count)) << k;
  }
}

}  // namespace
}  // namespace amacrine::core
