// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/state.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace amacrine::sweep {
namespace {

/// At least so many first trials are compared with each other.
constexpr double first_trials = 8;

/// Ranks from 0 of values, the mean rank where several are equal.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double value : values) {
    double below = 0, equal = 0;
    for (const double other : values) below += other < value ? 1 : 0, equal += other == value ? 1 : 0;
    ranks.push_back(below + (equal - 1) / 2);
  }
  return ranks;
}

}  // namespace

std::vector<std::size_t> rung_epochs(const SweepSettings& settings, std::size_t epochs) {
  std::vector<std::size_t> rungs{epochs};
  if (!settings.stops) return rungs;
  for (std::size_t k = 1; k <= settings.rungs; ++k) {
    const double share = static_cast<double>(epochs) * std::pow(settings.reduction, -static_cast<double>(k));
    const auto at = std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(share)));
    if (at < rungs.back()) rungs.push_back(at);
  }
  std::reverse(rungs.begin(), rungs.end());
  return rungs;
}

const char* name_of(Standing standing) {
  static const char* const names[] = {"waiting", "running", "paused", "ready", "stopped", "finished", "failed"};
  return names[static_cast<int>(standing)];
}

SweepState::SweepState(const Rule& rule, std::vector<std::string> shares)
    : rule_(rule), shares_(std::move(shares)), trials_(shares_.size()) {}

void SweepState::apply(const Entry& entry) {
  take(entry);
  decide();
}

void SweepState::apply(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) take(entry);
  decide();
}

void SweepState::take(const Entry& entry) {
  if (entry.trial >= trials_.size()) return;
  Trial& trial = trials_[entry.trial];
  switch (entry.kind) {
    case Entry::Kind::failed:
      trial.standing = Standing::failed, trial.reason = entry.reason;
      break;
    case Entry::Kind::retry:
      if (trial.standing == Standing::failed)
        trial.standing = trial.values.empty() ? Standing::waiting : Standing::ready, trial.reason.clear();
      break;
    case Entry::Kind::reached:
      trial.values.resize(std::min(entry.rung, rule_.rungs - 1), entry.value);
      trial.values.push_back(entry.value);
      trial.windows = entry.windows, trial.epochs = entry.epochs;
      trial.standing = entry.finished ? Standing::finished : Standing::paused;
      if (entry.finished) trial.values.resize(rule_.rungs, entry.value);
  }
}

bool SweepState::pending(const Trial& trial) {
  return trial.standing != Standing::stopped && trial.standing != Standing::failed && trial.standing != Standing::finished;
}

void SweepState::decide() {
  for (std::size_t rung = 0; rung + 1 < rule_.rungs; ++rung) decide_at(rung);
  rescue();
}

/// Where every trial is stopped or has failed, the best of those that came furthest goes on.
void SweepState::rescue() {
  Trial* best = nullptr;
  for (Trial& trial : trials_) {
    if (trial.standing == Standing::failed) continue;
    if (trial.standing != Standing::stopped) return;
    const bool further = best == nullptr || trial.values.size() > best->values.size();
    if (further || (trial.values.size() == best->values.size() && better(trial.values.back(), best->values.back())))
      best = &trial;
  }
  if (best != nullptr) best->standing = Standing::ready;
}

/// The first trials are compared with each other, each later one with all before it. Those that have not come here, but may, can
/// be better or worse.
void SweepState::decide_at(std::size_t rung) {
  const double block = std::max(first_trials, std::ceil(std::pow(rule_.reduction, static_cast<double>(rung + 1))));
  const std::size_t first = std::min(trials_.size(), static_cast<std::size_t>(std::min(block, 1e9)));
  std::vector<double> values;  // of those compared with, the better first
  std::size_t unknown = 0;
  const auto better_one = [&](double a, double b) { return better(a, b); };
  const auto add = [&](const Trial& trial) {
    if (trial.values.size() <= rung) {
      unknown += pending(trial) ? 1 : 0;
    } else {
      values.insert(std::upper_bound(values.begin(), values.end(), trial.values[rung], better_one), trial.values[rung]);
    }
  };
  for (std::size_t t = 0; t < first; ++t) add(trials_[t]);
  for (std::size_t t = 0; t < trials_.size(); ++t) {
    if (t >= first) add(trials_[t]);
    Trial& trial = trials_[t];
    const bool here = trial.values.size() == rung + 1 && trial.standing != Standing::running &&
                      trial.standing != Standing::failed && trial.standing != Standing::finished;
    if (!here) continue;
    const auto place = std::lower_bound(values.begin(), values.end(), trial.values[rung], better_one);
    const auto rank = static_cast<std::size_t>(place - values.begin()) + 1;
    const auto count = static_cast<std::size_t>(static_cast<double>(values.size() + unknown) / rule_.reduction);
    const std::size_t most = std::max<std::size_t>(1, count);
    trial.standing = rank + unknown <= most ? Standing::ready : rank > most ? Standing::stopped : Standing::paused;
  }
}

std::optional<Task> SweepState::next(std::size_t models) {
  Task task;
  // The furthest first: a good trial is known soonest.
  std::optional<std::size_t> first;
  for (std::size_t t = 0; t < trials_.size(); ++t)
    if (trials_[t].standing == Standing::ready && (!first || trials_[t].values.size() > trials_[*first].values.size())) first = t;
  for (std::size_t t = 0; t < trials_.size() && !first; ++t)
    if (trials_[t].standing == Standing::waiting) first = t;
  if (!first) return std::nullopt;
  task.rung = trials_[*first].values.size();
  const Standing standing = trials_[*first].standing;
  for (std::size_t t = *first; t < trials_.size() && task.trials.size() < models; ++t)
    if (trials_[t].standing == standing && trials_[t].values.size() == task.rung && shares_[t] == shares_[*first])
      task.trials.push_back(t);
  for (const std::size_t t : task.trials) trials_[t].standing = Standing::running;
  return task;
}

void SweepState::put_back(const Task& task) {
  for (const std::size_t t : task.trials)
    if (trials_[t].standing == Standing::running)
      trials_[t].standing = trials_[t].values.empty() ? Standing::waiting : Standing::ready;
  decide();
}

void SweepState::separate(const Task& task) {
  for (const std::size_t t : task.trials) shares_[t] += fmt::format("#{}", t);
}

bool SweepState::done() const {
  return std::none_of(trials_.begin(), trials_.end(), [](const Trial& trial) {
    return trial.standing == Standing::running || trial.standing == Standing::ready || trial.standing == Standing::waiting;
  });
}

std::vector<std::size_t> SweepState::ranking() const {
  std::vector<std::size_t> order;
  for (std::size_t t = 0; t < trials_.size(); ++t)
    if (trials_[t].standing == Standing::finished) order.push_back(t);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return better(trials_[a].values.back(), trials_[b].values.back()); });
  return order;
}

std::optional<double> rung_correlation(const SweepState& state, std::size_t rung, std::size_t later) {
  std::vector<double> a, b;
  for (std::size_t t = 0; t < state.size(); ++t)
    if (state.values(t).size() > later) a.push_back(state.values(t)[rung]), b.push_back(state.values(t)[later]);
  if (a.size() < 3) return std::nullopt;
  const std::vector<double> x = ranks_of(a), y = ranks_of(b);
  const double mean = (static_cast<double>(a.size()) - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    xy += (x[i] - mean) * (y[i] - mean), xx += (x[i] - mean) * (x[i] - mean), yy += (y[i] - mean) * (y[i] - mean);
  if (!(xx > 0) || !(yy > 0)) return std::nullopt;
  return xy / std::sqrt(xx * yy);
}

}  // namespace amacrine::sweep
