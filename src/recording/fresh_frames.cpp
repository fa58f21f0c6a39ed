// SPDX-License-Identifier: Apache-2.0
#include "fresh_frames.hpp"

#include "spike_average.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace amacrine::recording {

namespace {

constexpr std::size_t most_per_side = 10;

std::size_t coarse_side(const StoredMovie& movie) {
  return (std::max(movie.height(), movie.width()) + most_per_side - 1) / most_per_side;
}

void subtract_mean(std::span<double> values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  for (double& value : values) value -= mean;
}

}  // namespace

FreshFrames::FreshFrames(const StoredMovie& movie, const ContrastCoding& coding)
    : movie_(movie),
      coding_(coding),
      side_(coarse_side(movie)),
      rows_((movie.height() + side_ - 1) / side_),
      columns_((movie.width() + side_ - 1) / side_),
      persistence_(temporal_persistence(movie, coding, 256)) {}

std::vector<double> FreshFrames::coarse_frame(std::size_t frame, std::vector<float>& scratch) const {
  movie_.contrast(frame, coding_, scratch.data());
  std::vector<double> coarse(pixels());
  for (std::size_t y = 0; y < movie_.height(); ++y)
    for (std::size_t x = 0; x < movie_.width(); ++x)
      coarse[(y / side_) * columns_ + x / side_] += static_cast<double>(scratch[y * movie_.width() + x]);
  return coarse;
}

/// Nothing where the picture is held. Of unit rms where pictures persist: otherwise the few frames on which a natural movie
/// changes altogether outweigh all others.
std::vector<double> FreshFrames::fresh(const std::vector<double>& now, const std::vector<double>& before) const {
  std::vector<double> difference(now.size());
  if (now == before) return difference;
  double squares = 0;
  for (std::size_t p = 0; p < now.size(); ++p) {
    difference[p] = now[p] - persistence_ * before[p];
    squares += difference[p] * difference[p];
  }
  if (persistence_ > 0 && squares > 0)
    for (double& value : difference) value /= std::sqrt(squares);
  return difference;
}

core::Array<double, 2> FreshFrames::block(std::size_t first, std::size_t count) const {
  core::Array<double, 2> values({pixels(), count});
  std::vector<float> scratch(movie_.height() * movie_.width());
  std::vector<double> before;
  if (first > 0) before = coarse_frame(first - 1, scratch);
  const std::size_t there = std::min(count, movie_.frames() - first);
  for (std::size_t t = 0; t < there; ++t) {
    std::vector<double> now = coarse_frame(first + t, scratch);
    if (!before.empty()) {
      const std::vector<double> difference = fresh(now, before);
      for (std::size_t p = 0; p < pixels(); ++p) values(p, t) = difference[p];
    }
    before = std::move(now);
  }
  for (std::size_t p = 0; p < pixels(); ++p) subtract_mean(values.row(p).first(there));
  return values;
}

}  // namespace amacrine::recording
