// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/random.hpp"
#include "amacrine/stimulus/ensemble.hpp"

#include <complex>
#include <vector>

namespace amacrine::stimulus {

/// Square images of image_px x image_px, row-major, mean 0 and standard deviation 1.
/// Dead leaves: overlapping discs of uniform grey, their radii r spread as r^-exponent, over a floor of large ones.
std::vector<float> dead_leaves_image(const NaturalSettings& settings, core::Random& random);
/// Gaussian image whose amplitude falls as 1 / sqrt(f^2 + f0^2).
std::vector<float> gaussian_image(const NaturalSettings& settings, core::Random& random);

/// Discrete Fourier transform with the sign +1 in the exponent, not scaled, of any length: one pass per prime factor.
class Fourier {
 public:
  explicit Fourier(std::size_t length);
  /// values[0], values[stride], ... in place.
  void transform(std::complex<double>* values, std::size_t stride);

 private:
  void combine(std::size_t in, std::size_t in_stride, std::size_t out, std::size_t length);
  std::size_t length_;
  std::vector<std::complex<double>> roots_, in_, out_, column_;
};

}  // namespace amacrine::stimulus
