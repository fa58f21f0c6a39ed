// SPDX-License-Identifier: Apache-2.0
#include "bump_fit.hpp"

#include "eigen.hpp"
#include "lobes.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::reduction {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::size_t least_history = 16;

/// Bumps of a grid of orders and peaks, by lag: rows are bumps. None is narrower than two lags. All are 0 at lag 0.
Matrix bump_grid(std::size_t history) {
  constexpr double orders[] = {1.5, 2.2, 3.2, 4.6, 6.5, 9.0};
  constexpr double first_peak = 2.8, next_peak = 1.17, least_sd = 1.0;  // lags; a bump's sd is about p / sqrt(n)
  std::vector<std::pair<double, double>> shapes;
  for (double order : orders)
    for (double peak = first_peak; peak <= 0.75 * static_cast<double>(history); peak *= next_peak)
      if (peak / std::sqrt(order) >= least_sd) shapes.emplace_back(order, peak);
  Matrix bumps = Matrix::Zero(static_cast<Eigen::Index>(shapes.size()), static_cast<Eigen::Index>(history));
  for (Eigen::Index i = 0; i < bumps.rows(); ++i)
    for (Eigen::Index lag = 1; lag < bumps.cols(); ++lag) {
      const auto [order, peak] = shapes[static_cast<std::size_t>(i)];
      const double x = static_cast<double>(lag) / peak;
      bumps(i, lag) = std::exp(order * (std::log(x) + 1 - x));
    }
  return bumps;
}

/// One bump (`second` = -1) or two, with their amplitudes, and the squares they leave over.
struct Candidate {
  Eigen::Index first = 0, second = -1;
  double a = 0, b = 0, left = 0;
};

/// Least squares of every bump and of every pair of opposite signs. Pairs that are nearly one bump are left out.
std::vector<Candidate> fit_all(const Matrix& bumps, const Eigen::VectorXd& filter) {
  constexpr double least_angle = 1e-3;
  const Matrix products = bumps * bumps.transpose();
  const Eigen::VectorXd shared = bumps * filter;
  const double all = filter.squaredNorm();
  std::vector<Candidate> fits;
  for (Eigen::Index i = 0; i < bumps.rows(); ++i) {
    const double ii = products(i, i), yi = shared(i);
    fits.push_back({i, -1, yi / ii, 0, all - yi * yi / ii});
    for (Eigen::Index j = i + 1; j < bumps.rows(); ++j) {
      const double jj = products(j, j), ij = products(i, j), yj = shared(j), determinant = ii * jj - ij * ij;
      if (!(determinant > least_angle * ii * jj)) continue;
      const double a = (jj * yi - ij * yj) / determinant, b = (ii * yj - ij * yi) / determinant;
      if (a * b < 0) fits.push_back({i, j, a, b, all - a * yi - b * yj});
    }
  }
  return fits;
}

std::vector<double> curve_of(const Candidate& fit, const Matrix& bumps) {
  std::vector<double> curve(static_cast<std::size_t>(bumps.cols()));
  for (std::size_t lag = 0; lag < curve.size(); ++lag) {
    const auto l = static_cast<Eigen::Index>(lag);
    curve[lag] = fit.a * bumps(fit.first, l) + (fit.second < 0 ? 0.0 : fit.b * bumps(fit.second, l));
  }
  return curve;
}

/// Whether neighbouring values are uncorrelated, as those of noise are: of 40 lags, one white residual in 400 looks correlated.
bool white(const Eigen::VectorXd& residual) {
  constexpr double largest_correlation = 0.35;
  const Eigen::Index n = residual.size() - 1;
  return residual.head(n).dot(residual.tail(n)) <= largest_correlation * residual.squaredNorm();
}

/// Sign of the first lobe that counts; 0 where there are more than two lobes. A pair makes a third when the later bump rises
/// before the earlier one, which only noise in the first lags asks for.
int first_sign(const std::vector<double>& curve, double threshold) {
  constexpr double third_lobe = 0.08;
  if (runs_above(curve, third_lobe).size() > 2) return 0;
  const std::vector<Lobe> found = runs_above(curve, threshold);
  return found.empty() ? 0 : found.front().height > 0 ? 1 : -1;
}

/// The likelihoods of all curves that start with one sign, and the best of them.
struct Vote {
  double likelihood = 0, best = 0;
  std::vector<double> curve;

  void add(double more, std::vector<double>&& by) {
    likelihood += more;
    if (!(more > best)) return;
    best = more;
    curve = std::move(by);
  }
};

/// The most likely curve of the sign that wins; none where no curve has a first lobe. `variance` is the noise's.
std::optional<std::vector<double>> elect(const std::vector<Candidate>& fits, const Matrix& bumps, double least_left,
                                         double variance, double threshold) {
  constexpr double negligible = 20;  // -2 log likelihood
  const double singles = static_cast<double>(bumps.rows()), pairs = singles * (singles - 1) / 2;
  Vote light, dark;
  for (const Candidate& fit : fits) {
    const double excess = (fit.left - least_left) / variance;
    if (!(excess < negligible)) continue;
    std::vector<double> curve = curve_of(fit, bumps);
    const int sign = first_sign(curve, threshold);
    if (sign == 0) continue;
    (sign > 0 ? light : dark).add(std::exp(-excess / 2) / (fit.second < 0 ? singles : pairs), std::move(curve));
  }
  if (light.best == 0 && dark.best == 0) return {};
  return light.likelihood > dark.likelihood ? light.curve : dark.curve;
}

}  // namespace

std::optional<std::vector<double>> fit_bumps(const std::vector<double>& filter, double threshold) {
  constexpr double parameters = 6, least_variance = 1e-6;  // of the filter's mean square: below, there is no noise to speak of
  if (filter.size() < least_history) return {};
  Eigen::VectorXd values = Eigen::Map<const Eigen::VectorXd>(filter.data(), static_cast<Eigen::Index>(filter.size()));
  values(0) = 0;  // as all bumps
  const Matrix bumps = bump_grid(filter.size());
  const std::vector<Candidate> fits = fit_all(bumps, values);
  const auto best =
      std::min_element(fits.begin(), fits.end(), [](const Candidate& a, const Candidate& b) { return a.left < b.left; });
  const std::vector<double> curve = curve_of(*best, bumps);
  const Eigen::VectorXd residual = values - Eigen::Map<const Eigen::VectorXd>(curve.data(), values.size());
  const double lags = static_cast<double>(filter.size() - 1), variance = best->left / (lags - parameters);
  if (!white(residual.tail(residual.size() - 1)) || !(variance * lags > least_variance * values.squaredNorm())) return {};
  return elect(fits, bumps, best->left, variance, threshold);
}

}  // namespace amacrine::reduction
