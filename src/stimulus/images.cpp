// SPDX-License-Identifier: Apache-2.0
#include "images.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amacrine::stimulus {
namespace {

struct Disc {
  double radius, x, y, grey;
};

/// Fills the pixels whose centres lie in the disc, row by row.
void paint(const Disc& disc, int side, float* image) {
  const int top = std::max(0, static_cast<int>(std::ceil(disc.y - disc.radius)));
  const int bottom = std::min(side - 1, static_cast<int>(std::floor(disc.y + disc.radius)));
  for (int y = top; y <= bottom; ++y) {
    const double half = std::sqrt(std::max(0.0, disc.radius * disc.radius - (y - disc.y) * (y - disc.y)));
    const int left = std::max(0, static_cast<int>(std::ceil(disc.x - half)));
    const int right = std::min(side - 1, static_cast<int>(std::floor(disc.x + half)));
    if (left <= right) std::fill(image + y * side + left, image + y * side + right + 1, static_cast<float>(disc.grey));
  }
}

/// Means over blocks of `factor` x `factor` pixels.
std::vector<float> shrink(const std::vector<float>& fine, int side, int factor) {
  std::vector<float> coarse(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), 0.0F);
  const int fine_side = side * factor;
  for (int y = 0; y < fine_side; ++y) {
    const float* row = fine.data() + static_cast<std::ptrdiff_t>(y) * fine_side;
    float* out = coarse.data() + static_cast<std::ptrdiff_t>(y / factor) * side;
    for (int x = 0; x < side; ++x)
      for (int k = 0; k < factor; ++k) out[x] += row[x * factor + k];
  }
  return coarse;
}

void standardise(std::vector<float>& image) {
  double sum = 0, square = 0;
  for (const float value : image) sum += static_cast<double>(value);
  const double mean = sum / static_cast<double>(image.size());
  for (const float value : image) square += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
  const double scale = 1 / std::sqrt(square / static_cast<double>(image.size()));
  for (float& value : image) value = static_cast<float>((static_cast<double>(value) - mean) * scale);
}

}  // namespace

std::vector<float> dead_leaves_image(const NaturalSettings& s, core::Random& random) {
  const int side = s.image_px * s.supersample;
  std::vector<float> fine(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), 0.0F);
  // Inverse of the cumulative distribution of a density r^-exponent between the smallest and the largest radius.
  const double power = s.leaf_radius_exponent - 1;
  const double small = std::pow(s.leaf_radius_min_px, -power), large = std::pow(s.leaf_radius_max_px, -power);
  for (int i = 0; i < s.background_leaves + s.leaves; ++i) {
    const double radius = i < s.background_leaves ? random.uniform(s.background_radius_min_px, s.leaf_radius_max_px)
                                                  : std::pow(small + random.uniform() * (large - small), -1 / power);
    const double x = random.uniform(0, side), y = random.uniform(0, side), grey = random.uniform(-1, 1);
    paint({radius * s.supersample, x, y, grey}, side, fine.data());
  }
  std::vector<float> image = shrink(fine, s.image_px, s.supersample);
  standardise(image);
  return image;
}

std::vector<float> gaussian_image(const NaturalSettings& s, core::Random& random) {
  const auto side = static_cast<std::size_t>(s.image_px);
  const auto cycles = [side](std::size_t k) { return static_cast<double>(k <= side / 2 ? k : side - k); };
  std::vector<std::complex<double>> plane(side * side);
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      const double f2 = cycles(y) * cycles(y) + cycles(x) * cycles(x);
      const double amplitude = f2 > 0 ? 1 / std::sqrt(f2 + s.flat_below_cycles * s.flat_below_cycles) : 0;
      const double re = random.normal(), im = random.normal();
      plane[y * side + x] = amplitude * std::complex<double>(re, im);
    }
  }
  Fourier fourier(side);
  for (std::size_t y = 0; y < side; ++y) fourier.transform(plane.data() + y * side, 1);
  for (std::size_t x = 0; x < side; ++x) fourier.transform(plane.data() + x, side);
  std::vector<float> image(plane.size());
  std::transform(plane.begin(), plane.end(), image.begin(),
                 [](const std::complex<double>& value) { return static_cast<float>(value.real()); });
  standardise(image);
  return image;
}

Fourier::Fourier(std::size_t length) : length_(length), roots_(length), in_(length), out_(length), column_(length) {
  for (std::size_t k = 0; k < length; ++k)
    roots_[k] = std::polar(1.0, 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length));
}

void Fourier::transform(std::complex<double>* values, std::size_t stride) {
  for (std::size_t i = 0; i < length_; ++i) in_[i] = values[i * stride];
  combine(0, 1, 0, length_);
  for (std::size_t i = 0; i < length_; ++i) values[i * stride] = out_[i];
}

/// out_[out .. out + length) = transform of in_[in], in_[in + in_stride], ...: the transforms of every factor-th value, put
/// together.
void Fourier::combine(std::size_t in, std::size_t in_stride, std::size_t out, std::size_t length) {
  if (length <= 1) {
    out_[out] = in_[in];
    return;
  }
  std::size_t factor = 2;
  while (length % factor != 0) ++factor;
  const std::size_t part = length / factor, step = length_ / length;
  for (std::size_t r = 0; r < factor; ++r) combine(in + r * in_stride, in_stride * factor, out + r * part, part);
  for (std::size_t k = 0; k < part; ++k) {
    for (std::size_t q = 0; q < factor; ++q) {
      const std::size_t frequency = k + q * part;
      double re = 0, im = 0;
      for (std::size_t r = 0; r < factor; ++r) {
        const std::complex<double>&root = roots_[frequency * r * step % length_], &value = out_[out + r * part + k];
        re += root.real() * value.real() - root.imag() * value.imag();
        im += root.real() * value.imag() + root.imag() * value.real();
      }
      column_[q] = {re, im};
    }
    for (std::size_t q = 0; q < factor; ++q) out_[out + q * part + k] = column_[q];
  }
}

}  // namespace amacrine::stimulus
