// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <complex>
#include <cstddef>
#include <span>
#include <unsupported/Eigen/FFT>
#include <vector>

/// Correlations over many lags at once by Fourier transforms, in double.
namespace amacrine::recording {

using Spectrum = std::vector<std::complex<double>>;

/// Real transforms of one length, a power of two.
class Transform {
 public:
  explicit Transform(std::size_t length) : values_(length) { fft_.SetFlag(Eigen::FFT<double>::HalfSpectrum); }
  std::size_t length() const { return values_.size(); }
  std::size_t frequencies() const { return length() / 2 + 1; }
  /// Of `values`, followed by zeros.
  Spectrum forward(std::span<const double> values) {
    std::copy(values.begin(), values.end(), values_.begin());
    std::fill(values_.begin() + static_cast<std::ptrdiff_t>(values.size()), values_.end(), 0.0);
    Spectrum spectrum;
    fft_.fwd(spectrum, values_);
    return spectrum;
  }
  std::vector<double> inverse(const Spectrum& spectrum) {
    std::vector<double> values;
    fft_.inv(values, spectrum);
    return values;
  }

 private:
  Eigen::FFT<double> fft_;
  std::vector<double> values_;
};

/// The smallest power of two that is not below `least`.
inline std::size_t power_of_two(double least) {
  std::size_t power = 1;
  while (static_cast<double>(power) < least) power *= 2;
  return power;
}

}  // namespace amacrine::recording
