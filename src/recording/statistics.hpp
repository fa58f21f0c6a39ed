// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace amacrine::recording {

/// Mean and sd of pixel values, per pixel and over all, in one pass over frames. Sums are kept about a fixed integer shift in
/// double: exact for uint8 movies.
class PixelStatistics {
 public:
  explicit PixelStatistics(std::size_t pixels) : sum_(pixels), squares_(pixels) {}

  template <class T>
  void add(const T* frame) {
    if (frames_ == 0) shift_ = std::round(static_cast<double>(frame[0]));
    for (std::size_t p = 0; p < sum_.size(); ++p) {
      const double value = static_cast<double>(frame[p]) - shift_;
      sum_[p] += value;
      squares_[p] += value * value;
    }
    ++frames_;
  }

  double mean(std::size_t pixel) const { return shift_ + sum_[pixel] / static_cast<double>(frames_); }
  double sd(std::size_t pixel) const { return deviation(sum_[pixel], squares_[pixel], static_cast<double>(frames_)); }
  double mean() const { return shift_ + total(sum_) / count(); }
  double sd() const { return deviation(total(sum_), total(squares_), count()); }

 private:
  double count() const { return static_cast<double>(frames_) * static_cast<double>(sum_.size()); }
  static double total(const std::vector<double>& values) {
    double sum = 0;
    for (double value : values) sum += value;
    return sum;
  }
  /// Zero for values that never change, round-off included.
  static double deviation(double sum, double squares, double count) {
    const double mean = sum / count, variance = squares / count - mean * mean;
    return variance > 1e-12 * (squares / count) ? std::sqrt(variance) : 0.0;
  }

  std::vector<double> sum_, squares_;
  double shift_ = 0;
  std::size_t frames_ = 0;
};

}  // namespace amacrine::recording
