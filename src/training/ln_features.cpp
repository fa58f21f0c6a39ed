// SPDX-License-Identifier: Apache-2.0
#include "ln_features.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amacrine::training {
namespace {

constexpr std::size_t largest_side = 8, cosines = 8;

/// First pixel of `extent` pixels as near to `centre` as `size` allows.
std::size_t first_pixel(double centre, std::size_t extent, std::size_t size) {
  const double first = std::round(centre - 0.5 * static_cast<double>(extent) + 0.5);
  return static_cast<std::size_t>(std::clamp(first, 0.0, static_cast<double>(size - extent)));
}

}  // namespace

Crop crop_around(const stimulus::Centre& centre, std::size_t height, std::size_t width) {
  Crop crop;
  crop.pool = std::min(height, width) < 2 * largest_side ? 1 : 2;
  crop.rows = std::min(largest_side, height / crop.pool), crop.columns = std::min(largest_side, width / crop.pool);
  crop.y = first_pixel(centre.y, crop.rows * crop.pool, height), crop.x = first_pixel(centre.x, crop.columns * crop.pool, width);
  return crop;
}

core::Array<float, 2> cosine_basis(std::size_t functions, std::size_t lags) {
  core::Array<float, 2> basis({functions, lags});
  const auto axis = [](std::size_t lag) { return std::log(static_cast<double>(lag) + 2.0); };
  const double step = functions > 1 ? (axis(lags - 1) - axis(0)) / static_cast<double>(functions - 1) : 1.0;
  for (std::size_t k = 0; k < functions; ++k)
    for (std::size_t lag = 0; lag < lags; ++lag) {
      const double away = std::abs(axis(lag) - axis(0) - step * static_cast<double>(k)) / (2 * step);
      basis.row(k)[lag] = away < 1 ? static_cast<float>(0.5 * (1 + std::cos(std::numbers::pi * away))) : 0.0F;
    }
  return basis;
}

LnFeatures::LnFeatures(const recording::StoredMovie& movie, const recording::ContrastCoding& coding,
                       const recording::Normalisation& normalisation, const Crop& crop, std::size_t lags)
    : crop_(crop), basis_(cosine_basis(std::min(cosines, lags), lags)), sites_({movie.frames(), crop.sites()}) {
  const std::size_t width = movie.width();
  const bool each = normalisation.mean.size() > 1;
  const float share = 1.0F / static_cast<float>(crop.pool * crop.pool);
  std::vector<float> frame(movie.height() * width);
  for (std::size_t t = 0; t < movie.frames(); ++t) {
    movie.contrast(t, coding, frame.data());
    const std::span<float> site = sites_.row(t);
    for (std::size_t y = 0; y < crop.rows * crop.pool; ++y)
      for (std::size_t x = 0; x < crop.columns * crop.pool; ++x) {
        const std::size_t p = (crop.y + y) * width + crop.x + x;
        const double value = (frame[p] - normalisation.mean[each ? p : 0]) / normalisation.scale[each ? p : 0];
        site[y / crop.pool * crop.columns + x / crop.pool] += share * static_cast<float>(value);
      }
  }
}

void LnFeatures::of_window(std::size_t last, std::span<float> out) const {
  const std::size_t sites = crop_.sites();
  std::fill(out.begin(), out.end(), 0.0F);
  for (std::size_t k = 0; k < basis_.extent(0); ++k)
    for (std::size_t lag = 0; lag < basis_.extent(1); ++lag) {
      const float weight = basis_.row(k)[lag];
      if (weight == 0) continue;
      const float* site = sites_.row(last - lag).data();
      for (std::size_t i = 0; i < sites; ++i) out[k * sites + i] += weight * site[i];
    }
  out.back() = 1;
}

std::vector<float> LnFeatures::filter(std::span<const double> coefficients, std::size_t height, std::size_t width) const {
  const std::size_t lags = basis_.extent(1);
  std::vector<float> filter(lags * height * width);
  for (std::size_t lag = 0; lag < lags; ++lag)
    for (std::size_t y = 0; y < crop_.rows * crop_.pool; ++y)
      for (std::size_t x = 0; x < crop_.columns * crop_.pool; ++x) {
        const std::size_t site = y / crop_.pool * crop_.columns + x / crop_.pool;
        double value = 0;
        for (std::size_t k = 0; k < basis_.extent(0); ++k)
          value += coefficients[k * crop_.sites() + site] * static_cast<double>(basis_.row(k)[lag]);
        filter[((lags - 1 - lag) * height + crop_.y + y) * width + crop_.x + x] =
            static_cast<float>(value / static_cast<double>(crop_.pool * crop_.pool));
      }
  return filter;
}

}  // namespace amacrine::training
