// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/reduce.hpp"

#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace amacrine::reduction {

std::vector<std::string> stimuli_of(const std::vector<AttributedCondition>& conditions) {
  std::vector<std::string> names;
  for (const auto& condition : conditions)
    if (std::find(names.begin(), names.end(), condition.stimulus) == names.end()) names.push_back(condition.stimulus);
  return names;
}

std::size_t Reduction::used() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < pathways.size(); ++i) count += model.uses(i) ? 1 : 0;
  return count;
}

double Reduction::judged_r() const { return std::isfinite(held_out.r) ? held_out.r : fitted.r; }

namespace {

using Conditions = std::vector<const AttributedCondition*>;

const Score no_score{std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN(),
                     std::numeric_limits<double>::quiet_NaN()};

/// Which rows belong to fitted (or held-out) conditions, of one stimulus where it is named.
std::vector<bool> rows_used(const Conditions& conditions, bool held_out, const std::string& stimulus = {}) {
  std::vector<bool> use;
  for (const auto* condition : conditions)
    use.insert(use.end(), condition->size(),
               condition->held_out == held_out && (stimulus.empty() || condition->stimulus == stimulus));
  return use;
}

/// Sum over t of |A| per channel and column, as parts of all channels' summed |A|.
void measure_shares(Reduction& reduction, const Conditions& conditions, const std::vector<Line>& lines, std::size_t channels) {
  std::size_t columns = 1;
  for (const auto* condition : conditions) columns = std::max(columns, condition->columns());
  reduction.channel_share.assign(channels, 0.0);
  if (columns > 1) reduction.column_share = core::Array<double, 2>({channels, columns});
  double total = 0, total_columns = 0;
  for (const auto* condition : conditions)
    for (std::size_t t = 0; t < condition->size(); ++t) {
      std::vector<double> channel(channels, 0.0);
      for (std::size_t l = 0; l < lines.size(); ++l)
        for (std::size_t x = 0; x < condition->columns(); ++x) {
          const double a = condition->attribution(t, l, x);
          const auto c = static_cast<std::size_t>(lines[l].channel);
          channel[c] += a;
          if (condition->columns() == 1 || reduction.column_share.empty()) continue;
          reduction.column_share(c, x) += std::abs(a);
          total_columns += std::abs(a);
        }
      for (std::size_t c = 0; c < channels; ++c) {
        reduction.channel_share[c] += std::abs(channel[c]);
        total += std::abs(channel[c]);
      }
    }
  for (double& share : reduction.channel_share) share = total > 0 ? share / total : 0.0;
  for (double& share : reduction.column_share.values()) share = total_columns > 0 ? share / total_columns : 0.0;
}

/// Stimuli whose response never leaves rest: noise has no mechanism.
std::set<std::string> silent_stimuli(const AttributedCell& cell, double below_hz) {
  std::map<std::string, double> largest;
  for (const auto& condition : cell.conditions)
    for (double rate : condition.rate)
      largest[condition.stimulus] = std::max(largest[condition.stimulus], std::abs(rate - cell.rest));
  std::set<std::string> silent;
  for (const auto& [stimulus, change] : largest)
    if (!(change >= below_hz)) silent.insert(stimulus);
  return silent;
}

/// Pathways are there: start, fit, scores, lesions.
void fit_reduction(Reduction& reduction, const Conditions& conditions, const FirstLayer& layer, double rest,
                   const ReductionSettings& settings) {
  const Problem problem = make_problem(reduction.pathways, conditions, {layer.softplus_beta, layer.linear_output});
  reduction.rate = problem.rate;
  reduction.start = start_from_attribution(reduction.pathways, conditions, problem, rest);
  reduction.model = fit(problem, reduction.start, settings.prior, settings.starts, settings.iterations).model;
  reduction.reduced = respond(reduction.model, problem);
  reduction.start_score = score(respond(reduction.start, problem), problem.rate, std::vector<bool>(problem.rows(), true));
  reduction.fitted = score(reduction.reduced, problem.rate, rows_used(conditions, false));
  reduction.held_out = score(reduction.reduced, problem.rate, rows_used(conditions, true));
  const std::size_t count = reduction.pathways.size(), rows = problem.rows();
  reduction.activity = core::Array<double, 2>({count, rows});
  reduction.lesioned = core::Array<double, 3>({count, 2, rows});
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t row = 0; row < rows; ++row)
      reduction.activity(i, row) = problem.pathways[i].activity(row, reduction.model.threshold[i]);
    const auto zero = respond(reduction.model, problem, Lesion::zero, i),
               grey = respond(reduction.model, problem, Lesion::grey, i);
    std::copy(zero.begin(), zero.end(), &reduction.lesioned(i, 0, 0));
    std::copy(grey.begin(), grey.end(), &reduction.lesioned(i, 1, 0));
  }
}

}  // namespace

CellReduction reduce_cell(const FirstLayer& layer, const std::vector<Line>& lines, const std::vector<ChannelLabel>& labels,
                          const AttributedCell& cell, const ReductionSettings& settings) {
  CellReduction result;
  result.name = cell.name;
  result.rest = cell.rest;
  result.share_of_ceiling = cell.share_of_ceiling;
  result.least_share = settings.least_share;
  const auto names = stimuli_of(cell.conditions);
  const auto silent = silent_stimuli(cell, settings.silent_below_hz);
  const auto reduce = [&](const std::string& stimulus, const std::string& only, int at_most) {
    parallel::throw_if_stopped();
    Reduction reduction;
    reduction.stimulus = stimulus;
    Conditions conditions, heard;
    for (std::size_t k = 0; k < cell.conditions.size(); ++k)
      if (only.empty() || cell.conditions[k].stimulus == only) {
        reduction.conditions.push_back(k);
        conditions.push_back(&cell.conditions[k]);
        if (!silent.contains(cell.conditions[k].stimulus)) heard.push_back(conditions.back());
      }
    measure_shares(reduction, conditions, lines, layer.channels.size());
    reduction.pathways = keep(find_pathways(layer, lines, labels, heard, cell.centre_x, settings), settings.keep_share, at_most);
    for (const Pathway& pathway : reduction.pathways) reduction.share_kept += pathway.share;
    fit_reduction(reduction, conditions, layer, cell.rest, settings);
    if (heard.empty()) reduction.fitted = reduction.held_out = reduction.start_score = no_score;
    return reduction;
  };
  for (const auto& name : names) result.stimuli.push_back(reduce(name, name, settings.keep_at_most));
  result.joint = reduce("joint", {}, settings.keep_at_most_joint);
  Conditions all;
  for (const auto& condition : cell.conditions) all.push_back(&condition);
  for (const auto& name : names) {
    const auto scored = [&](bool held_out) {
      return silent.contains(name) ? no_score : score(result.joint.reduced, result.joint.rate, rows_used(all, held_out, name));
    };
    result.joint_fitted.push_back(scored(false));
    result.joint_held_out.push_back(scored(true));
  }
  return result;
}

}  // namespace amacrine::reduction
