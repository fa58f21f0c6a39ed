// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/sweep/entry.hpp"
#include "amacrine/sweep/settings.hpp"

#include <optional>
#include <string>
#include <vector>

namespace amacrine::sweep {

/// The epochs at whose ends trials are compared, ascending, the last being the whole budget of `epochs`: its shares by powers of
/// settings.reduction, distinct; the budget alone where nothing is stopped.
std::vector<std::size_t> rung_epochs(const SweepSettings& settings, std::size_t epochs);

/// How trials are compared: enough to decide which go on.
struct Rule {
  std::size_t rungs = 1;  ///< the whole budget among them
  double reduction = 4;
  bool higher_is_better = true;
};

/// waiting: nothing done yet; paused: at a rung, others must come there first; ready: goes on from a rung.
enum class Standing { waiting, running, paused, ready, stopped, finished, failed };
const char* name_of(Standing standing);

/// Several trials that a group of ranks trains together, from where they are to the end of a rung.
struct Task {
  std::vector<std::size_t> trials;
  std::size_t rung = 0;
};

/// The trials of a sweep and what is known of them. Decisions are ASHA's (Li et al. 2020: a trial goes on past a rung while it is
/// among the best 1 / reduction there), asynchronous, with one difference: a trial is compared with the trials of lower numbers
/// only, and the first ones with each other (8, or reduction^(rung + 1) where that is more, rungs counted from 0). So the same
/// trials go on whatever the order in which they are computed, on any number of groups, after any interruption, and where there
/// were so many at first, trials added later change nothing for those before. No group waits: a trial that cannot be decided yet
/// is put aside, since trials can be resumed. Where all that went on have failed, so that nothing is left to train and nothing is
/// finished, the best of those stopped last goes on after all, and so forth, until one is finished or none is left.
class SweepState {
 public:
  /// `shares`: per trial, what trials must agree in to be trained together.
  SweepState(const Rule& rule, std::vector<std::string> shares);

  /// What has happened. Entries of trials beyond the last are ignored.
  void apply(const Entry& entry);
  /// The same for many entries, as of a journal, in time linear in their number: the standings are decided once, since they
  /// follow from the values, ends and failures alone and not from earlier standings.
  void apply(const std::vector<Entry>& entries);
  /// The next task, whose trials are now running; nothing where none can be given now.
  std::optional<Task> next(std::size_t models);
  /// The trials of a task that was stopped: they are as they were before.
  void put_back(const Task& task);
  /// The trials of a task are trained by themselves from now on.
  void separate(const Task& task);
  /// Whether nothing is running, nor can be started.
  bool done() const;

  std::size_t size() const { return trials_.size(); }
  Standing standing(std::size_t trial) const { return trials_[trial].standing; }
  /// Values at the rungs that it has reached; one that finished before the last rung has its last value at all further ones.
  const std::vector<double>& values(std::size_t trial) const { return trials_[trial].values; }
  const std::string& reason(std::size_t trial) const { return trials_[trial].reason; }
  double windows(std::size_t trial) const { return trials_[trial].windows; }
  std::size_t epochs(std::size_t trial) const { return trials_[trial].epochs; }
  const Rule& rule() const { return rule_; }
  /// Finished trials, the best first.
  std::vector<std::size_t> ranking() const;

 private:
  struct Trial {
    Standing standing = Standing::waiting;
    std::vector<double> values;
    double windows = 0;
    std::size_t epochs = 0;
    std::string reason;
  };
  bool better(double a, double b) const { return rule_.higher_is_better ? a > b : a < b; }
  void take(const Entry& entry);
  void decide();
  void decide_at(std::size_t rung);
  void rescue();
  /// Whether more than the trial itself is needed to know what comes of it.
  static bool pending(const Trial& trial);

  Rule rule_;
  std::vector<std::string> shares_;
  std::vector<Trial> trials_;
};

/// Spearman's rank correlation between the values of rung and `later` rung over the trials that have both; nothing below 3 of
/// them.
std::optional<double> rung_correlation(const SweepState& state, std::size_t rung, std::size_t later);

}  // namespace amacrine::sweep
