// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/reduction/attributed.hpp"
#include "amacrine/reduction/pathways.hpp"

#include <vector>

namespace amacrine::reduction {

/// The output of a rate model: softplus(u) = log(1 + exp(beta u)) / beta, or u itself.
struct Output {
  double beta = 1;
  bool linear = false;
  double rate(double u) const;
  double slope(double u) const;
  /// u of a rate; rates below 1e-6 Hz count as that.
  double drive(double rate) const;
};

/// rate = output(constant + sum_i weight_i p_i), p_i = sum_e profile_ie max(0, drive_ie + threshold_i + offset_ie).
struct ReducedModel {
  Output output;
  double constant = 0;                    ///< Hz
  std::vector<double> weight, threshold;  ///< per pathway: Hz per unit of drive; drive

  /// Whether a pathway has a part in the response: the fit may have left its weight at 0.
  bool uses(std::size_t pathway) const { return weight[pathway] != 0; }
};

/// The pathways' drives over the frames of several conditions (rows R), ready for fits: sign of the gain and offset applied.
struct PathwayRows {
  core::Array<double, 2> drive;  ///< (R, E)
  std::vector<double> profile;   ///< (E)
  std::vector<double> grey;      ///< (E) the offsets: what `drive` is on grey
  double activity(std::size_t row, double threshold) const;
  double grey_activity(double threshold) const;
};

/// Everything a fit sees.
struct Problem {
  Output output;
  std::vector<double> rate;    ///< (R) the network's, Hz
  std::vector<double> weight;  ///< (R) of the squared error; 0 leaves a row out (held out)
  std::vector<PathwayRows> pathways;
  std::vector<int> sign;  ///< per pathway: the sign its weight must keep; 0 leaves it free

  std::size_t rows() const { return rate.size(); }
};

/// Rows are the conditions' frames one after another. Weights are 0 for held-out conditions; else each stimulus counts alike
/// however many frames it has, relative to its variance (stimuli without a response are not blown up: at least a tenth of the
/// largest variance).
Problem make_problem(const std::vector<Pathway>& pathways, const std::vector<const AttributedCondition*>& conditions,
                     const Output& output);

/// The start that attribution gives: weight_i = sum_t slope A_i dp_i / sum_t (slope dp_i)^2, dp_i = p_i - p_i(grey), slope the
/// mean slope of the output between grey and s, (F[s] - F[s0]) / (u - u0); thresholds from beta / kappa; constant such that grey
/// gives F[s0]. Without a softplus this is the projection sum_t A dp / sum_t dp^2.
ReducedModel start_from_attribution(const std::vector<Pathway>& pathways,
                                    const std::vector<const AttributedCondition*>& conditions, const Problem& problem,
                                    double rest);

/// What is taken out of a reduced model.
enum class Lesion {
  none,
  zero,  ///< the pathway's output is 0
  grey,  ///< the pathway is held at its value on grey: differs from zero where it is tonic
};
/// Response (R) in Hz, with `pathway` lesioned.
std::vector<double> respond(const ReducedModel& model, const Problem& problem, Lesion lesion = Lesion::none,
                            std::size_t pathway = 0);

/// How well a response stands in for another one; NaN where there are no rows or nothing varies.
struct Score {
  double r = 0;    ///< Pearson
  double fve = 0;  ///< 1 - sum of squared errors / sum of squares about the mean
  double rms = 0;  ///< Hz
};
Score score(const std::vector<double>& response, const std::vector<double>& truth, const std::vector<bool>& use);

/// What keeps a fit near the attributions where the responses do not say: weights and thresholds are drawn to those of `centre`.
struct Prior {
  ReducedModel centre;
  double strength = 0;                                ///< added to the error for a parameter that is one scale away
  std::vector<double> weight_scale, threshold_scale;  ///< |weight| and the drive's standard deviation; 0: not drawn
};
Prior prior_around(const Problem& problem, const ReducedModel& centre, double strength);

/// Levenberg-Marquardt from `start`; weights keep their pathway's sign (projected). Deterministic.
struct Fit {
  ReducedModel model;
  double error = 0;  ///< weighted sum of squares (about the fraction of variance not explained) plus the prior's cost
  int iterations = 0;
};
Fit fit_from(const Problem& problem, const Prior& prior, const ReducedModel& start, int iterations);
/// The best of `starts` fits: from `start`, and from deterministic changes of its weights and thresholds around it.
Fit fit(const Problem& problem, const ReducedModel& start, double prior, int starts, int iterations);

}  // namespace amacrine::reduction
