// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/block.hpp"
#include "attribution/naive.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

core::Array<float, 3> times(core::Array<float, 3> movie, float factor) {
  for (float& value : movie.values()) value *= factor;
  return movie;
}

TEST(Rays, EveryScaleIsTheMovieAtThatContrast) {
  const naive::Network net = naive::random_network(2, 61);
  const core::Array<float, 3> movie = naive::random_movie(net, 12, 62, 2.0);
  const std::vector<double> scales{0.25, 0.5, 1.0};
  for (double tolerance : {0.0, 0.01}) {
    AttributionSettings settings;
    settings.tolerance = tolerance;
    BlockAttributor<double> attributor(core::Exec(), naive::inference<double>(net), settings);
    const std::vector<Block> ray = attributor.attribute_ray(movie, scales, 3, 8, {0, 1}, Level::unit);
    ASSERT_EQ(ray.size(), 3U);
    for (std::size_t j = 0; j < scales.size(); ++j) {
      const Block plain = attributor.attribute(times(movie, static_cast<float>(scales[j])), 3, 8, {0, 1}, Level::unit);
      for (std::size_t i = 0; i < plain.rate.size(); ++i) EXPECT_NEAR(ray[j].rate.values()[i], plain.rate.values()[i], 1e-12);
      for (std::size_t i = 0; tolerance == 0 && i < plain.unit_attribution.size(); ++i)
        EXPECT_NEAR(ray[j].unit_attribution[i], plain.unit_attribution[i], 1e-6);
      for (std::size_t i = 0; tolerance > 0 && i < plain.rate.size(); ++i)
        EXPECT_LE(ray[j].error_estimate.values()[i], tolerance);
    }
  }
}

TEST(Rays, ScalesAreFoundWhereMoviesAreProportional) {
  const naive::Network net = naive::random_network(1, 63);
  const core::Array<float, 3> movie = naive::random_movie(net, 9, 64, 2.0);
  BlockAttributor<float> attributor(core::Exec(), naive::inference<float>(net), {});
  const std::vector<double> scales = ray_scales(attributor, {times(movie, 0.1F), times(movie, 0.7F), movie}, 2, 6);
  ASSERT_EQ(scales.size(), 3U);
  EXPECT_NEAR(scales[0], 0.1, 1e-6);
  EXPECT_NEAR(scales[1], 0.7, 1e-6);
  EXPECT_EQ(scales[2], 1.0);
  core::Array<float, 3> clipped = times(movie, 0.7F);
  clipped(5, 2, 2) += 0.01F;
  EXPECT_TRUE(ray_scales(attributor, {clipped, movie}, 2, 6).empty());
  EXPECT_TRUE(ray_scales(attributor, {times(movie, -0.5F), movie}, 2, 6).empty());                     // the other polarity
  EXPECT_TRUE(ray_scales(attributor, {times(movie, 0.7F), times(movie, 0.1F), movie}, 2, 6).empty());  // not ascending
}

TEST(Rays, NodesAreNoFartherApartThanOnEachScalesOwnPath) {
  std::vector<double> scales;
  for (int j = 1; j <= 40; ++j) scales.push_back(j / 40.0);
  const RayQuadrature ray = make_ray(scales, 24);
  const Quadrature own = make_quadrature(Rule::secant, 24);
  const double longest = *std::max_element(own.weight.begin(), own.weight.end());
  for (std::size_t j = 0; j < scales.size(); ++j) {
    const auto mark = static_cast<std::size_t>(ray.marks[j]);
    EXPECT_EQ(ray.quadrature.alpha[mark], scales[j]);
    EXPECT_GE(mark, 24U);
    for (std::size_t k = 1; k <= mark; ++k)
      EXPECT_LE(ray.quadrature.alpha[k] - ray.quadrature.alpha[k - 1], longest * scales[j] * (1 + 1e-9));
  }
}

}  // namespace
}  // namespace amacrine::attribution
