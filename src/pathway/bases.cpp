// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/bases.hpp"

#include "amacrine/core/eigen_settings.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <Eigen/Dense>

namespace amacrine::pathway {

namespace {

constexpr std::size_t course_count = 12;
constexpr double first_lag_offset = 4;    ///< lags are spaced like their logarithm once they are well above it
constexpr double bump_per_spacing = 0.6;  ///< sd of a bump

/// (J, T) raised cosines on log(lag + offset), each two spacings to either side.
core::Array<double, 2> raised_cosines(std::size_t count, std::size_t lags) {
  const double first = std::log(first_lag_offset), last = std::log(static_cast<double>(lags - 1) + first_lag_offset);
  const double spacing = (last - first) / static_cast<double>(count - 1);
  core::Array<double, 2> bases({count, lags});
  for (std::size_t j = 0; j < count; ++j)
    for (std::size_t l = 0; l < lags; ++l) {
      const double at = (std::log(static_cast<double>(l) + first_lag_offset) - first) / spacing - static_cast<double>(j);
      bases(j, l) = std::abs(at) < 2 ? 0.5 * (1 + std::cos(at * std::numbers::pi / 2)) : 0.0;
    }
  return bases;
}

}  // namespace

std::vector<double> Bases::time_course(std::span<const double> coefficients) const {
  std::vector<double> values(lags(), 0.0);
  for (std::size_t j = 0; j < courses(); ++j)
    for (std::size_t l = 0; l < lags(); ++l) values[l] += coefficients[j] * course(j, l);
  return values;
}

double Bases::profile(std::span<const double> coefficients, double dy_px, double dx_px) const {
  const double scale = 1 / (2 * std::numbers::pi * bump_px * bump_px);
  const std::size_t n = knots_px.size();
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const double y = (dy_px - knots_px[i]) / bump_px, x = (dx_px - knots_px[j]) / bump_px;
      sum += coefficients[i * n + j] * scale * std::exp(-0.5 * (y * y + x * x));
    }
  return sum;
}

std::vector<double> Bases::gaussian(double dy_px, double dx_px, double sigma_px) const {
  std::vector<double> values;
  for (double y : knots_px)
    for (double x : knots_px)
      values.push_back(std::exp(-0.5 * ((y - dy_px) * (y - dy_px) + (x - dx_px) * (x - dx_px)) / (sigma_px * sigma_px)));
  const double largest = *std::max_element(values.begin(), values.end());
  for (double& v : values) v /= largest;
  return values;
}

std::vector<double> Bases::fitted(std::span<const double> time_course) const {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto rows = static_cast<Eigen::Index>(courses()), columns = static_cast<Eigen::Index>(lags());
  const Eigen::Map<const Matrix> bases(course.data(), rows, columns);
  const Eigen::Map<const Eigen::VectorXd> wanted(time_course.data(), columns);
  const Eigen::VectorXd found = (bases * bases.transpose()).ldlt().solve(bases * wanted);
  return {found.begin(), found.end()};
}

Bases make_bases(const PathwaySettings& settings, std::size_t lags) {
  Bases bases;
  const auto each_side = static_cast<int>(std::floor(settings.radius_px / settings.spacing_px));
  for (int i = -each_side; i <= each_side; ++i) bases.knots_px.push_back(i * settings.spacing_px);
  bases.bump_px = bump_per_spacing * settings.spacing_px;
  bases.course = raised_cosines(course_count, lags);
  return bases;
}

}  // namespace amacrine::pathway
