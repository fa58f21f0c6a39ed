// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/pathway/settings.hpp"

#include <span>
#include <vector>

namespace amacrine::pathway {

/// What filters are made of: S = n x n Gaussian bumps over space, centred on the cell's receptive field, and J raised cosines
/// over the T lags, spaced logarithmically.
struct Bases {
  std::vector<double> knots_px;   ///< (n) offsets of the bumps from the centre, the same along y and x
  double bump_px = 0;             ///< 1 sd of a bump; each sums to 1 over the plane
  core::Array<double, 2> course;  ///< (J, T) most recent lag first, largest value 1

  std::size_t bumps() const { return knots_px.size() * knots_px.size(); }
  std::size_t courses() const { return course.extent(0); }
  std::size_t lags() const { return course.extent(1); }
  /// (T) the time course of the coefficients (J), most recent lag first.
  std::vector<double> time_course(std::span<const double> coefficients) const;
  /// The spatial profile of the coefficients (S) at offsets from the centre, per pixel.
  double profile(std::span<const double> coefficients, double dy_px, double dx_px) const;
  /// Coefficients (S) of the Gaussian at an offset whose largest is 1.
  std::vector<double> gaussian(double dy_px, double dx_px, double sigma_px) const;
  /// Coefficients (J) nearest to a time course (T), least squares.
  std::vector<double> fitted(std::span<const double> time_course) const;
};

Bases make_bases(const PathwaySettings& settings, std::size_t lags);

}  // namespace amacrine::pathway
