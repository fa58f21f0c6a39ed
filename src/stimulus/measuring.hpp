// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"
#include "amacrine/stimulus/phenomena.hpp"

#include <cmath>
#include <limits>
#include <span>
#include <vector>

/// What the four measurements share.
namespace amacrine::stimulus::measuring {

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Conditions of one family and set, with their responses' indices.
std::vector<std::size_t> select(const std::vector<Condition>& conditions, const CellResponses& responses, Family family,
                                ParameterSet set);
/// Samples [begin, end) of a response; throws InputError where it is shorter.
std::span<const double> window(const Condition& condition, const std::vector<double>& response, int begin, int end);
double largest(std::span<const double> hz);

/// Largest rate in the last three cycles before an omission is noticed: up to the omitted onset itself.
double ongoing_rate(const Condition& train, const std::vector<double>& response);

Presence judge(const Peak& peak, double rest_hz, double threshold_hz);
/// Presence of a whole sweep: at least half of its conditions and `least` of them (or all, where it has fewer).
Presence judge_sweep(const std::vector<Presence>& each, std::size_t least);

/// values[i] where presence[i] is present.
std::vector<double> keep_present(const std::vector<double>& values, const std::vector<Presence>& presence);
void blank_absent(std::vector<double>& values, const std::vector<Presence>& presence);

double mean(const std::vector<double>& values);                ///< NaN for none
double standard_deviation(const std::vector<double>& values);  ///< over n, NaN for none
double minimum(const std::vector<double>& values);             ///< NaN for none
double maximum(const std::vector<double>& values);             ///< NaN for none

/// Kendall's rank correlation of values with their order: 1 rises throughout, -1 falls throughout; NaN for fewer than two.
double rank_correlation(const std::vector<double>& values);

/// Least-squares line y = intercept + slope x; NaN for fewer than two distinct x.
struct Line {
  double slope = nan, intercept = nan;
};
Line fit_line(const std::vector<double>& x, const std::vector<double>& y);

}  // namespace amacrine::stimulus::measuring
