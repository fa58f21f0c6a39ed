// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace amacrine::training {

/// A stretch of the screen in sites of `pool` x `pool` pixels.
struct Crop {
  std::size_t y = 0, x = 0, rows = 0, columns = 0, pool = 1;  ///< first pixel; numbers of sites
  std::size_t sites() const { return rows * columns; }
};

/// At most 8 x 8 sites of 2 x 2 pixels (of 1 x 1 on screens below 16 pixels), as near to `centre` as the screen allows.
Crop crop_around(const stimulus::Centre& centre, std::size_t height, std::size_t width);

/// Raised cosines (K, lags), neighbours half overlapping on a logarithmic axis of lags, lag 0 most recent.
core::Array<float, 2> cosine_basis(std::size_t functions, std::size_t lags);

/// What an LN model is linear in: a basis over time at every site, and a constant.
class LnFeatures {
 public:
  /// Reads the whole movie once, normalised as the model sees it.
  LnFeatures(const recording::StoredMovie& movie, const recording::ContrastCoding& coding,
             const recording::Normalisation& normalisation, const Crop& crop, std::size_t lags);

  std::size_t count() const { return basis_.extent(0) * crop_.sites() + 1; }
  const Crop& crop() const { return crop_; }
  /// Features of the window that ends with frame `last`, the constant at the end, into `out` (count()).
  void of_window(std::size_t last, std::span<float> out) const;
  /// The filter (T, Y, X), oldest frame first, of these coefficients (count(), the constant's is not used).
  std::vector<float> filter(std::span<const double> coefficients, std::size_t height, std::size_t width) const;

 private:
  Crop crop_;
  core::Array<float, 2> basis_;  ///< (K, lags)
  core::Array<float, 2> sites_;  ///< (frames, sites): mean of a site's pixels
};

}  // namespace amacrine::training
