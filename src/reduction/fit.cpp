// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/random.hpp"
#include "amacrine/reduction/reduced_model.hpp"
#include "eigen.hpp"

#include <cmath>
#include <limits>

/// Levenberg-Marquardt on the parameters (constant, weights, thresholds). Few parameters, many rows: the normal equations are
/// summed row by row, in order.
namespace amacrine::reduction {

namespace {

Eigen::VectorXd pack(const ReducedModel& model) {
  const auto n = static_cast<Eigen::Index>(model.weight.size());
  Eigen::VectorXd x(1 + 2 * n);
  x(0) = model.constant;
  for (Eigen::Index i = 0; i < n; ++i) {
    x(1 + i) = model.weight[static_cast<std::size_t>(i)];
    x(1 + n + i) = model.threshold[static_cast<std::size_t>(i)];
  }
  return x;
}

ReducedModel unpack(const Eigen::VectorXd& x, const Output& output) {
  const Eigen::Index n = (x.size() - 1) / 2;
  ReducedModel model;
  model.output = output;
  model.constant = x(0);
  for (Eigen::Index i = 0; i < n; ++i) {
    model.weight.push_back(x(1 + i));
    model.threshold.push_back(x(1 + n + i));
  }
  return model;
}

double prior_cost(const Prior& prior, const ReducedModel& model) {
  double cost = 0;
  for (std::size_t i = 0; i < model.weight.size(); ++i) {
    const double ws = prior.weight_scale[i], ts = prior.threshold_scale[i];
    if (ws > 0) cost += std::pow((model.weight[i] - prior.centre.weight[i]) / ws, 2);
    if (ts > 0) cost += std::pow((model.threshold[i] - prior.centre.threshold[i]) / ts, 2);
  }
  return prior.strength * cost;
}

double weighted_error(const Problem& problem, const Prior& prior, const ReducedModel& model) {
  const std::vector<double> response = respond(model, problem);
  double error = 0;
  for (std::size_t row = 0; row < problem.rows(); ++row) {
    const double e = response[row] - problem.rate[row];
    error += problem.weight[row] * e * e;
  }
  return error + prior_cost(prior, model);
}

struct Normal {
  Eigen::MatrixXd matrix;    ///< J^T W J
  Eigen::VectorXd gradient;  ///< J^T W e
};

/// The model's response in one row and its derivatives by every parameter.
double row_gradient(const Problem& problem, const Eigen::VectorXd& x, std::size_t row, Eigen::VectorXd& gradient) {
  const auto n = static_cast<Eigen::Index>(problem.pathways.size());
  double u = x(0);
  for (Eigen::Index i = 0; i < n; ++i) {
    const PathwayRows& rows = problem.pathways[static_cast<std::size_t>(i)];
    const auto d = rows.drive.row(row);
    double p = 0, active = 0;
    for (std::size_t e = 0; e < rows.profile.size(); ++e)
      if (d[e] + x(1 + n + i) > 0) {
        p += rows.profile[e] * (d[e] + x(1 + n + i));
        active += rows.profile[e];
      }
    u += x(1 + i) * p;
    gradient(1 + i) = p;
    gradient(1 + n + i) = x(1 + i) * active;
  }
  gradient(0) = 1;
  gradient *= problem.output.slope(u);
  return problem.output.rate(u);
}

Normal normal_equations(const Problem& problem, const Prior& prior, const Eigen::VectorXd& x) {
  Normal normal{Eigen::MatrixXd::Zero(x.size(), x.size()), Eigen::VectorXd::Zero(x.size())};
  Eigen::VectorXd gradient(x.size());
  for (std::size_t row = 0; row < problem.rows(); ++row) {
    const double weight = problem.weight[row];
    if (weight == 0) continue;
    const double error = row_gradient(problem, x, row, gradient) - problem.rate[row];
    normal.matrix.selfadjointView<Eigen::Lower>().rankUpdate(gradient, weight);
    normal.gradient += weight * error * gradient;
  }
  normal.matrix = normal.matrix.selfadjointView<Eigen::Lower>();
  const Eigen::VectorXd centre = pack(prior.centre);
  const auto draw = [&](Eigen::Index k, double scale) {
    if (!(scale > 0)) return;
    normal.matrix(k, k) += prior.strength / (scale * scale);
    normal.gradient(k) += prior.strength * (x(k) - centre(k)) / (scale * scale);
  };
  const auto n = static_cast<Eigen::Index>(problem.pathways.size());
  for (Eigen::Index i = 0; i < n; ++i) {
    draw(1 + i, prior.weight_scale[static_cast<std::size_t>(i)]);
    draw(1 + n + i, prior.threshold_scale[static_cast<std::size_t>(i)]);
  }
  return normal;
}

/// A weight at 0 that wants to cross it is held there.
std::vector<Eigen::Index> free_parameters(const Problem& problem, const Eigen::VectorXd& x, const Eigen::VectorXd& gradient) {
  const auto n = static_cast<Eigen::Index>(problem.pathways.size());
  std::vector<Eigen::Index> free;
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    const bool weight = k >= 1 && k <= n;
    const int sign = weight ? problem.sign[static_cast<std::size_t>(k - 1)] : 0;
    if (!(sign != 0 && x(k) == 0 && sign * -gradient(k) < 0)) free.push_back(k);
  }
  return free;
}

Eigen::VectorXd damped_step(const Normal& normal, const std::vector<Eigen::Index>& free, double damping, Eigen::Index size) {
  const auto n = static_cast<Eigen::Index>(free.size());
  Eigen::MatrixXd matrix(n, n);
  Eigen::VectorXd gradient(n);
  for (Eigen::Index a = 0; a < n; ++a) {
    gradient(a) = normal.gradient(free[static_cast<std::size_t>(a)]);
    for (Eigen::Index b = 0; b < n; ++b)
      matrix(a, b) = normal.matrix(free[static_cast<std::size_t>(a)], free[static_cast<std::size_t>(b)]);
  }
  const Eigen::VectorXd diagonal = matrix.diagonal();
  const double floor = 1e-12 * std::max(diagonal.maxCoeff(), 1e-300);
  for (Eigen::Index a = 0; a < n; ++a)
    matrix(a, a) += damping * diagonal(a) + floor;  // a dead pathway has an empty row: the floor keeps it put
  const Eigen::VectorXd solution = matrix.ldlt().solve(-gradient);
  Eigen::VectorXd step = Eigen::VectorXd::Zero(size);
  for (Eigen::Index a = 0; a < n; ++a) step(free[static_cast<std::size_t>(a)]) = solution(a);
  return step;
}

Eigen::VectorXd keep_signs(const Problem& problem, Eigen::VectorXd x) {
  for (std::size_t i = 0; i < problem.pathways.size(); ++i) {
    double& weight = x(1 + static_cast<Eigen::Index>(i));
    if (problem.sign[i] * weight < 0) weight = 0;
  }
  return x;
}

/// Spread of a pathway's drive over the fitted rows: how far thresholds may be shaken.
double spread(const Problem& problem, std::size_t pathway) {
  double n = 0, sum = 0, squares = 0;
  for (std::size_t row = 0; row < problem.rows(); ++row) {
    if (problem.weight[row] == 0) continue;
    for (double d : problem.pathways[pathway].drive.row(row)) {
      n += 1;
      sum += d;
      squares += d * d;
    }
  }
  return n > 0 ? std::sqrt(std::max(0.0, squares / n - (sum / n) * (sum / n))) : 0.0;
}

/// The start number `index` of a fit: grey keeps its rate.
ReducedModel shaken(const Problem& problem, const ReducedModel& start, int index) {
  core::Random random(20190612, core::Stream::weights, static_cast<std::uint64_t>(index));
  ReducedModel model = start;
  double at_grey = start.constant;
  for (std::size_t i = 0; i < start.weight.size(); ++i)
    at_grey += start.weight[i] * problem.pathways[i].grey_activity(start.threshold[i]);
  for (std::size_t i = 0; i < start.weight.size(); ++i) {
    model.weight[i] *= std::exp(0.7 * random.normal());
    model.threshold[i] += 0.7 * spread(problem, i) * random.normal();
    at_grey -= model.weight[i] * problem.pathways[i].grey_activity(model.threshold[i]);
  }
  model.constant = at_grey;
  return model;
}

}  // namespace

Prior prior_around(const Problem& problem, const ReducedModel& centre, double strength) {
  Prior prior{centre, strength, {}, {}};
  for (std::size_t i = 0; i < problem.pathways.size(); ++i) {
    prior.weight_scale.push_back(std::abs(centre.weight[i]));
    prior.threshold_scale.push_back(spread(problem, i));
  }
  return prior;
}

Fit fit_from(const Problem& problem, const Prior& prior, const ReducedModel& start, int iterations) {
  Eigen::VectorXd x = keep_signs(problem, pack(start));
  Fit fit{unpack(x, problem.output), weighted_error(problem, prior, unpack(x, problem.output)), 0};
  double damping = 1e-3;
  for (; fit.iterations < iterations && damping < 1e12; ++fit.iterations) {
    const Normal normal = normal_equations(problem, prior, x);
    const auto free = free_parameters(problem, x, normal.gradient);
    bool better = false;
    double gain = 0;
    for (; !better && damping < 1e12; damping *= better ? 0.1 : 4) {
      const Eigen::VectorXd trial = keep_signs(problem, x + damped_step(normal, free, damping, x.size()));
      const double error = weighted_error(problem, prior, unpack(trial, problem.output));
      better = error < fit.error;
      if (!better) continue;
      gain = (fit.error - error) / fit.error;
      x = trial;
      fit.error = error;
    }
    if (!better || gain < 1e-10 || fit.error < 1e-20) break;
  }
  fit.model = unpack(x, problem.output);
  return fit;
}

Fit fit(const Problem& problem, const ReducedModel& start, double prior, int starts, int iterations) {
  const Prior around = prior_around(problem, start, prior);
  Fit best = fit_from(problem, around, start, iterations);
  for (int index = 1; index < starts; ++index) {
    if (best.error < 1e-12) break;  // nothing left to explain
    const Fit other = fit_from(problem, around, shaken(problem, start, index), iterations);
    if (other.error < best.error) best = other;
  }
  return best;
}

}  // namespace amacrine::reduction
