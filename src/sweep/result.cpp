// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/result.hpp"

#include "amacrine/core/csv.hpp"
#include "amacrine/core/log.hpp"
#include "parameter_columns.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace amacrine::sweep {
namespace {

constexpr double reliable_correlation = 0.6;

std::string counts(const SweepState& state) {
  std::map<Standing, std::size_t> of;
  for (std::size_t t = 0; t < state.size(); ++t) ++of[state.standing(t)];
  std::string text;
  for (const auto& [standing, count] : of) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name_of(standing));
  return text;
}

/// How well the order at a rung tells that at a later one. Warns where it does not.
std::string order_text(const SweepResult& result, std::size_t rung, std::size_t later) {
  std::size_t both = 0;
  for (std::size_t t = 0; t < result.state.size(); ++t) both += result.state.values(t).size() > later ? 1 : 0;
  const auto correlation = rung_correlation(result.state, rung, later);
  if (!correlation) return fmt::format("unknown ({} trials)", both);
  if (*correlation < reliable_correlation)
    core::warn(
        "the order of trials after {} epochs tells little of that after {} (rank correlation {:.2f}, over the {} trials "
        "that have both); compare later with fewer rungs (sweep.rungs), or stop fewer trials with a smaller sweep.reduction",
        result.rungs[rung], result.rungs[later], *correlation, both);
  return fmt::format("{:.2f} ({} trials)", *correlation, both);
}

std::string rung_lines(const SweepResult& result) {
  std::string text;
  const std::size_t last = result.rungs.size() - 1;
  for (std::size_t rung = 0; rung < last; ++rung) {
    text += fmt::format("  rung {} ({} epochs): rank correlation with the order at the end {}", rung + 1, result.rungs[rung],
                        order_text(result, rung, last));
    if (rung + 1 < last) text += fmt::format(", at the next rung {}", order_text(result, rung, rung + 1));
    text += "\n";
  }
  return text;
}

std::string best_lines(const SweepResult& result, std::size_t best) {
  std::vector<std::size_t> order = result.state.ranking();
  if (order.size() > best) order.resize(best);
  std::string text;
  for (const std::size_t t : order)
    text += fmt::format("  trial {:>4}  {} {:.4f}  {}\n", t, result.metric == "loss" ? "loss" : "r",
                        result.state.values(t).back(), fmt::join(result.values[t], " "));
  return text;
}

/// Failures by their reason.
std::string failure_lines(const SweepResult& result) {
  std::map<std::string, std::vector<std::size_t>> of;
  for (std::size_t t = 0; t < result.state.size(); ++t)
    if (result.state.standing(t) == Standing::failed) of[result.state.reason(t)].push_back(t);
  std::string text;
  for (const auto& [reason, trials] : of) text += fmt::format("  failed: trials {}: {}\n", fmt::join(trials, ", "), reason);
  return text;
}

}  // namespace

double utilisation(const std::vector<Entry>& entries) {
  // Trials trained together share their time.
  std::set<std::pair<std::size_t, double>> tasks;
  std::set<std::size_t> groups;
  double begin = INFINITY, end = -INFINITY, busy = 0;
  for (const Entry& entry : entries) {
    if (entry.kind == Entry::Kind::retry || entry.end <= 0) continue;
    groups.insert(entry.group);
    begin = std::min(begin, entry.begin), end = std::max(end, entry.end);
    if (tasks.emplace(entry.group, entry.begin).second) busy += entry.end - entry.begin;
  }
  return end > begin ? busy / (static_cast<double>(groups.size()) * (end - begin)) : 0;
}

std::size_t epochs_trained(const SweepState& state) {
  std::size_t epochs = 0;
  for (std::size_t t = 0; t < state.size(); ++t) epochs += state.epochs(t);
  return epochs;
}

std::string sweep_csv(const SweepResult& result) {
  const ParameterColumns columns(result.values);
  std::string text = "trial,standing,epochs,windows,value";
  for (const std::size_t epochs : result.rungs) text += fmt::format(",value_{}_epochs", epochs);
  for (const std::string& key : columns.keys()) text.append(",").append(core::csv_text(key));
  text += ",reason\n";
  for (std::size_t t = 0; t < result.state.size(); ++t) {
    const std::vector<double>& values = result.state.values(t);
    text += fmt::format("{},{},{},{:.0f},{}", t, name_of(result.state.standing(t)), result.state.epochs(t),
                        result.state.windows(t), values.empty() ? "" : fmt::format("{:.9g}", values.back()));
    for (std::size_t rung = 0; rung < result.rungs.size(); ++rung)
      text += values.size() > rung ? fmt::format(",{:.9g}", values[rung]) : ",";
    for (std::size_t key = 0; key < columns.keys().size(); ++key) text.append(",").append(core::csv_text(columns.text(t, key)));
    text.append(",").append(core::csv_text(result.state.reason(t))).append("\n");
  }
  return text;
}

std::string sweep_table(const SweepResult& result, std::size_t best) {
  const std::size_t whole = result.state.size() * result.rungs.back(), done = epochs_trained(result.state);
  return fmt::format("{} trials: {}; {} epochs trained of {} without stopping ({:.0f} %)\n", result.state.size(),
                     counts(result.state), done, whole, 100.0 * static_cast<double>(done) / static_cast<double>(whole)) +
         best_lines(result, best) + failure_lines(result) + rung_lines(result);
}

}  // namespace amacrine::sweep
