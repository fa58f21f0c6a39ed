// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/reduced_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace amacrine::reduction {

double Output::rate(double u) const {
  if (linear) return u;
  const double x = beta * u;
  return (std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)))) / beta;
}

double Output::slope(double u) const { return linear ? 1.0 : 1.0 / (1.0 + std::exp(-beta * u)); }

double Output::drive(double rate) const {
  if (linear) return rate;
  const double x = beta * std::max(rate, 1e-6);
  return (x + std::log(-std::expm1(-x))) / beta;
}

double PathwayRows::activity(std::size_t row, double threshold) const {
  double p = 0;
  const auto d = drive.row(row);
  for (std::size_t e = 0; e < profile.size(); ++e) p += profile[e] * std::max(0.0, d[e] + threshold);
  return p;
}

double PathwayRows::grey_activity(double threshold) const {
  double p = 0;
  for (std::size_t e = 0; e < profile.size(); ++e) p += profile[e] * std::max(0.0, grey[e] + threshold);
  return p;
}

namespace {

PathwayRows rows_of(const Pathway& pathway, const std::vector<const AttributedCondition*>& conditions, std::size_t rows) {
  PathwayRows result;
  for (const Element& e : pathway.elements) {
    result.profile.push_back(e.profile);
    result.grey.push_back(e.offset);
  }
  result.drive = core::Array<double, 2>({rows, pathway.elements.size()});
  std::size_t row = 0;
  for (const auto* condition : conditions)
    for (std::size_t t = 0; t < condition->size(); ++t, ++row)
      for (std::size_t e = 0; e < pathway.elements.size(); ++e) {
        const int column = condition->columns() == 1 ? 0 : std::max(0, pathway.elements[e].column);
        result.drive(row, e) = pathway.gain_sign * condition->drive(t, pathway.line, column) + pathway.elements[e].offset;
      }
  return result;
}

struct Moments {
  double count = 0, sum = 0, squares = 0;
  double variance() const { return count > 0 ? std::max(0.0, squares / count - (sum / count) * (sum / count)) : 0.0; }
};

}  // namespace

Problem make_problem(const std::vector<Pathway>& pathways, const std::vector<const AttributedCondition*>& conditions,
                     const Output& output) {
  Problem problem;
  problem.output = output;
  std::map<std::string, Moments> moments;
  for (const auto* condition : conditions) {
    problem.rate.insert(problem.rate.end(), condition->rate.begin(), condition->rate.end());
    if (condition->held_out) continue;
    Moments& m = moments[condition->stimulus];
    for (double r : condition->rate) {
      m.count += 1;
      m.sum += r;
      m.squares += r * r;
    }
  }
  double largest = 0;
  for (const auto& [name, m] : moments) largest = std::max(largest, m.variance());
  if (!(largest > 0)) largest = 1;
  for (const auto* condition : conditions) {
    const Moments& m = moments[condition->stimulus];
    const double weight = condition->held_out || m.count == 0 ? 0.0 : 1 / (m.count * std::max(m.variance(), 0.1 * largest));
    problem.weight.insert(problem.weight.end(), condition->size(), weight);
  }
  for (const Pathway& pathway : pathways) {
    problem.pathways.push_back(rows_of(pathway, conditions, problem.rows()));
    problem.sign.push_back(pathway.influence.sign);
  }
  return problem;
}

ReducedModel start_from_attribution(const std::vector<Pathway>& pathways,
                                    const std::vector<const AttributedCondition*>& conditions, const Problem& problem,
                                    double rest) {
  ReducedModel model;
  model.output = problem.output;
  const double u0 = problem.output.drive(rest);
  model.constant = u0;
  for (std::size_t i = 0; i < pathways.size(); ++i) {
    const double threshold = pathways[i].threshold, at_grey = problem.pathways[i].grey_activity(threshold);
    double projection = 0, squares = 0;
    std::size_t row = 0;
    for (const auto* condition : conditions)
      for (std::size_t t = 0; t < condition->size(); ++t, ++row) {
        if (problem.weight[row] == 0) continue;
        const double du = problem.output.drive(problem.rate[row]) - u0;
        const double slope = std::abs(du) > 1e-6 ? (problem.rate[row] - rest) / du : problem.output.slope(u0);
        const double change = slope * (problem.pathways[i].activity(row, threshold) - at_grey);
        projection += change * summed(pathways[i], condition->attribution, t);
        squares += change * change;
      }
    double weight = squares > 0 ? projection / squares : 0.0;
    if (problem.sign[i] * weight < 0) weight = -weight;
    model.weight.push_back(weight);
    model.threshold.push_back(threshold);
    model.constant -= weight * at_grey;
  }
  return model;
}

std::vector<double> respond(const ReducedModel& model, const Problem& problem, Lesion lesion, std::size_t pathway) {
  std::vector<double> response(problem.rows());
  for (std::size_t row = 0; row < problem.rows(); ++row) {
    double u = model.constant;
    for (std::size_t i = 0; i < problem.pathways.size(); ++i) {
      const bool out = lesion != Lesion::none && i == pathway;
      const PathwayRows& rows = problem.pathways[i];
      const double p = !out                     ? rows.activity(row, model.threshold[i])
                       : lesion == Lesion::grey ? rows.grey_activity(model.threshold[i])
                                                : 0.0;
      u += model.weight[i] * p;
    }
    response[row] = model.output.rate(u);
  }
  return response;
}

Score score(const std::vector<double>& response, const std::vector<double>& truth, const std::vector<bool>& use) {
  core::require(response.size() == truth.size() && use.size() == truth.size(),
                "a response of {} frames was scored against one of {}", response.size(), truth.size());
  double n = 0, mean_a = 0, mean_b = 0;
  for (std::size_t t = 0; t < truth.size(); ++t)
    if (use[t]) {
      n += 1;
      mean_a += response[t];
      mean_b += truth[t];
    }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (!(n > 1)) return {nan, nan, nan};
  mean_a /= n;
  mean_b /= n;
  double aa = 0, bb = 0, ab = 0, error = 0;
  for (std::size_t t = 0; t < truth.size(); ++t)
    if (use[t]) {
      const double a = response[t] - mean_a, b = truth[t] - mean_b, e = response[t] - truth[t];
      aa += a * a;
      bb += b * b;
      ab += a * b;
      error += e * e;
    }
  const double least = 1e-12 * n;  // a response that does not vary by a millionth of a Hz has no correlation
  return {aa > least && bb > least ? ab / std::sqrt(aa * bb) : nan, bb > least ? 1 - error / bb : nan, std::sqrt(error / n)};
}

}  // namespace amacrine::reduction
