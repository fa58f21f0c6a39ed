// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/state.hpp"

#include "amacrine/core/random.hpp"
#include "amacrine/sweep/result.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <queue>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::sweep {
namespace {

/// Made-up trials: a final value each, and a value at every rung that tells it the better the later the rung.
struct Trials {
  std::vector<std::vector<double>> values;  ///< (trial, rung)
  std::vector<std::size_t> fails_at;        ///< rung; beyond the last: never
  Trials(std::size_t count, std::size_t rungs, double noise, std::uint64_t seed) {
    for (std::size_t t = 0; t < count; ++t) {
      core::Random random(seed, core::Stream::test, t);
      const double final = random.uniform();
      values.emplace_back();
      for (std::size_t r = 0; r < rungs; ++r)
        values.back().push_back(final +
                                noise * static_cast<double>(rungs - 1 - r) / static_cast<double>(rungs) * random.normal());
      fails_at.push_back(random.uniform() < 0.1 ? random.below(static_cast<std::uint32_t>(rungs)) : rungs);
    }
  }
};

Entry entry_of(const Trials& trials, std::size_t trial, std::size_t rung) {
  Entry entry;
  entry.trial = trial, entry.rung = rung;
  if (trials.fails_at[trial] == rung) {
    entry.kind = Entry::Kind::failed, entry.reason = "made up";
  } else {
    entry.value = trials.values[trial][rung];
    entry.finished = rung + 1 == trials.values[trial].size();
  }
  return entry;
}

/// The rule by its definition, rung by rung: how many rungs each trial has a value at.
std::vector<std::size_t> defined_reach(const Trials& trials, double reduction) {
  const std::size_t count = trials.values.size(), rungs = trials.values[0].size();
  std::vector<std::size_t> reach(count, 0);
  std::vector<bool> comes(count, true);
  for (std::size_t rung = 0; rung < rungs; ++rung) {
    for (std::size_t t = 0; t < count; ++t) {
      comes[t] = comes[t] && trials.fails_at[t] != rung;
      if (comes[t]) reach[t] = rung + 1;
    }
    const std::vector<bool> came = comes;
    for (std::size_t t = 0; t < count; ++t) {
      if (!came[t]) continue;
      std::size_t rank = 1, compared = 0;
      for (std::size_t u = 0; u < count; ++u) {
        const bool counts = u <= t || static_cast<double>(u) < std::max(8.0, std::pow(reduction, static_cast<double>(rung + 1)));
        if (!came[u] || !counts) continue;
        ++compared;
        if (trials.values[u][rung] > trials.values[t][rung]) ++rank;
      }
      comes[t] = static_cast<double>(rank) <= std::max(1.0, std::floor(static_cast<double>(compared) / reduction));
    }
  }
  return reach;
}

/// The same where all that came to the end of the rule may have failed: one after the other, the best of those that came furthest
/// goes on by itself.
std::vector<std::size_t> rescued_reach(const Trials& trials, double reduction) {
  const std::size_t rungs = trials.values[0].size();
  std::vector<std::size_t> reach = defined_reach(trials, reduction);
  while (std::find(reach.begin(), reach.end(), rungs) == reach.end()) {
    std::optional<std::size_t> best;
    for (std::size_t t = 0; t < reach.size(); ++t) {
      if (trials.fails_at[t] == reach[t]) continue;
      if (!best ||
          std::pair(reach[t], trials.values[t][reach[t] - 1]) > std::pair(reach[*best], trials.values[*best][reach[*best] - 1]))
        best = t;
    }
    if (!best) break;
    while (reach[*best] < rungs && trials.fails_at[*best] != reach[*best]) ++reach[*best];
  }
  return reach;
}

std::vector<std::size_t> reach_of(const SweepState& state) {
  std::vector<std::size_t> reach;
  for (std::size_t t = 0; t < state.size(); ++t) reach.push_back(state.values(t).size());
  return reach;
}

/// A simulated clock: groups take tasks of random lengths; `again` of the entries are applied a second time as after a restart.
SweepState computed(const Trials& trials, const Rule& rule, std::size_t groups, std::size_t models, std::uint64_t seed) {
  SweepState state(rule, std::vector<std::string>(trials.values.size(), "all"));
  core::Random random(seed, core::Stream::test, 999);
  using End = std::pair<double, std::size_t>;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  std::map<std::size_t, Task> running;
  std::vector<std::size_t> idle;
  for (std::size_t g = 0; g < groups; ++g) idle.push_back(g);
  double now = 0;
  while (true) {
    for (std::size_t g = 0; g < idle.size();) {
      const auto task = state.next(models);
      if (!task) break;
      running[idle[g]] = *task;
      ends.emplace(now + random.uniform() * static_cast<double>(1 + 3 * task->rung), idle[g]);
      idle.erase(idle.begin() + static_cast<std::ptrdiff_t>(g));
    }
    if (ends.empty()) break;
    now = ends.top().first;
    const std::size_t g = ends.top().second;
    ends.pop();
    for (const std::size_t t : running[g].trials) state.apply(entry_of(trials, t, running[g].rung));
    idle.push_back(g);
  }
  EXPECT_TRUE(state.done());
  return state;
}

TEST(RungEpochs, AreSharesOfTheBudget) {
  SweepSettings s;
  s.reduction = 4, s.rungs = 2;
  EXPECT_THAT(rung_epochs(s, 48), testing::ElementsAre(3, 12, 48));
  EXPECT_THAT(rung_epochs(s, 12), testing::ElementsAre(1, 3, 12));
  EXPECT_THAT(rung_epochs(s, 4), testing::ElementsAre(1, 4));
  EXPECT_THAT(rung_epochs(s, 1), testing::ElementsAre(1));
  s.stops = false;
  EXPECT_THAT(rung_epochs(s, 48), testing::ElementsAre(48));
}

/// Whatever the number of groups, the times that tasks take, and how many models are trained together, the same trials come
/// equally far, and as far as the definition says.
TEST(SweepState, DecidesTheSameInAnyOrder) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Trials trials(60, 3, 0.3, seed);
    for (const double reduction : {2.0, 3.0, 4.0}) {
      const Rule rule{3, reduction, true};
      const std::vector<std::size_t> wanted = defined_reach(trials, reduction);
      for (const std::size_t groups : {1U, 2U, 7U, 60U})
        for (const std::size_t models : {1U, 5U})
          EXPECT_EQ(reach_of(computed(trials, rule, groups, models, seed + groups)), wanted) << groups << " " << models;
    }
  }
}

/// Trials of which most fail, so that often none is left of those that go on by the rule.
TEST(SweepState, GoesOnWithTheBestStoppedTrialWhereAllOthersHaveFailed) {
  std::size_t rescued = 0, lost = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Trials trials(12, 3, 0.3, seed);
    core::Random random(seed, core::Stream::test, 100);
    for (std::size_t t = 0; t < 12; ++t) trials.fails_at[t] = random.uniform() < 0.2 ? 3 : random.below(3);
    const std::vector<std::size_t> wanted = rescued_reach(trials, 4);
    rescued += wanted != defined_reach(trials, 4);
    lost += std::find(wanted.begin(), wanted.end(), 3U) == wanted.end();
    for (const std::size_t groups : {1U, 3U, 12U})
      for (const std::size_t models : {1U, 5U})
        EXPECT_EQ(reach_of(computed(trials, {3, 4, true}, groups, models, seed + groups)), wanted) << seed << " " << groups;
  }
  EXPECT_GE(rescued, 10U);
  EXPECT_LT(lost, 20U) << "sweeps in which all trials fail";
}

TEST(SweepState, MoreTrialsChangeNothingForThoseBefore) {
  const Trials many(90, 3, 0.3, 5);
  Trials few = many;
  few.values.resize(30), few.fails_at.resize(30);
  const Rule rule{3, 4, true};  // 30 is more than the first 4^2, which are compared with each other
  const auto all = reach_of(computed(many, rule, 5, 1, 1)), first = reach_of(computed(few, rule, 3, 1, 2));
  EXPECT_TRUE(std::equal(first.begin(), first.end(), all.begin()));
}

/// A restart: the entries so far are applied to a new state, and it goes on; what was running is begun again.
TEST(SweepState, GoesOnAfterARestart) {
  const Trials trials(40, 3, 0.3, 8);
  const Rule rule{3, 4, true};
  const auto wanted = defined_reach(trials, 4);
  std::vector<Entry> journal;
  for (std::size_t stop = 1; journal.size() < 80; stop += 3) {
    SweepState state(rule, std::vector<std::string>(40));
    for (const Entry& entry : journal) state.apply(entry);
    bool more = false;
    for (std::size_t i = 0; i < stop; ++i) {
      const auto task = state.next(1), abandoned = state.next(1);
      more = more || task.has_value();
      if (!task) continue;
      journal.push_back(entry_of(trials, task->trials[0], task->rung));
      state.apply(journal.back());
      if (abandoned) state.put_back(*abandoned);
    }
    if (more) continue;
    EXPECT_EQ(reach_of(state), wanted);
    EXPECT_TRUE(state.done());
    return;
  }
  FAIL() << "more entries than trials and rungs allow";
}

/// The entries of a whole sweep, all at once and one by one; also of sweeps that were cut short, and with failures tried again.
TEST(SweepState, AppliesManyEntriesAsOneByOne) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    const Trials trials(40, 3, 0.3, seed);
    SweepState one({3, 2, true}, std::vector<std::string>(40));
    std::vector<Entry> entries;
    while (const auto task = one.next(1)) {
      entries.push_back(entry_of(trials, task->trials[0], task->rung));
      one.apply(entries.back());
      if (entries.back().kind != Entry::Kind::failed || entries.size() % 2 == 0) continue;
      Entry again;
      again.kind = Entry::Kind::retry, again.trial = task->trials[0];
      entries.push_back(again);
      one.apply(again);
      if (entries.size() > 200) break;
    }
    SweepState stepwise({3, 2, true}, std::vector<std::string>(40));
    for (std::size_t count = 0; count <= entries.size(); ++count) {
      if (count > 0) stepwise.apply(entries[count - 1]);
      SweepState whole({3, 2, true}, std::vector<std::string>(40));
      whole.apply(std::vector<Entry>(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(count)));
      for (std::size_t t = 0; t < 40; ++t) ASSERT_EQ(whole.standing(t), stepwise.standing(t)) << count << " " << t;
      ASSERT_EQ(reach_of(whole), reach_of(stepwise));
      ASSERT_EQ(whole.ranking(), stepwise.ranking());
    }
  }
}

/// A journal of 10,000 entries is read back in a moment: 8 ms, where deciding after every entry takes most of a minute.
TEST(SweepState, ReplaysALongJournalInTime) {
  const Trials trials(10000, 2, 0.3, 1);
  std::vector<Entry> entries;
  for (std::size_t t = 0; t < 10000; ++t) entries.push_back(entry_of(trials, t, 0));
  SweepState state({2, 4, true}, std::vector<std::string>(10000));
  const auto begin = std::chrono::steady_clock::now();
  state.apply(entries);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_GT(state.next(10000)->trials.size(), 1000U);
}

TEST(SweepState, ALossIsBetterWhereItIsLower) {
  SweepState state({2, 2, false}, std::vector<std::string>(10));
  Trials trials(10, 2, 0, 1);
  // Of the first eight half go on; of nine trials four, of ten five.
  trials.values = {{5, 5}, {4, 4}, {6, 6}, {1, 1}, {8, 8}, {2, 2}, {7, 7}, {3, 3}, {4.5, 4.5}, {2.5, 2.5}};
  trials.fails_at.assign(10, 2);
  while (const auto task = state.next(1)) state.apply(entry_of(trials, task->trials[0], task->rung));
  EXPECT_THAT(state.ranking(), testing::ElementsAre(3, 5, 9, 7, 1));
  for (const std::size_t t : {0U, 2U, 4U, 6U, 8U}) EXPECT_EQ(state.standing(t), Standing::stopped);
}

TEST(SweepState, FailedTrialsAreNeverRankedAndCanBeTriedAgain) {
  SweepState state({2, 2, true}, std::vector<std::string>(2));
  Trials trials(2, 2, 0, 1);
  trials.values = {{9, 9}, {1, 1}};
  trials.fails_at = {1, 2};
  while (const auto task = state.next(1)) state.apply(entry_of(trials, task->trials[0], task->rung));
  EXPECT_EQ(state.standing(0), Standing::failed);
  EXPECT_EQ(state.reason(0), "made up");
  EXPECT_THAT(state.ranking(), testing::ElementsAre(1)) << "it was stopped, but the trial that was better has failed";
  EXPECT_TRUE(state.done());
  Entry again;
  again.kind = Entry::Kind::retry;
  state.apply(again);
  const auto task = state.next(1);
  ASSERT_TRUE(task);
  EXPECT_EQ(task->rung, 1U) << "it goes on where it was";
  trials.fails_at[0] = 2;
  state.apply(entry_of(trials, 0, 1));
  EXPECT_THAT(state.ranking(), testing::ElementsAre(0, 1));
}

TEST(SweepState, AnEndBeforeTheLastRungCountsAtAllFurtherOnes) {
  SweepState state({3, 2, true}, std::vector<std::string>(2));
  Entry early;
  early.trial = 0, early.rung = 0, early.value = 0.7, early.finished = true;
  state.apply(early);
  EXPECT_EQ(state.standing(0), Standing::finished);
  EXPECT_THAT(state.values(0), testing::ElementsAre(0.7, 0.7, 0.7));
}

TEST(SweepState, OnlyTrialsThatShareTheirBatchesAreTrainedTogether) {
  SweepState state({1, 4, true}, {"a", "b", "a", "b", "a"});
  EXPECT_THAT(state.next(2)->trials, testing::ElementsAre(0, 2));
  const auto second = state.next(3);
  EXPECT_THAT(second->trials, testing::ElementsAre(1, 3));
  state.separate(*second), state.put_back(*second);
  EXPECT_THAT(state.next(3)->trials, testing::ElementsAre(1));
}

/// Trials of which the early values tell the final order well: the best is found at a fraction of the cost.
TEST(SweepState, FindsTheBestAtAFractionOfTheCost) {
  SweepSettings settings;
  settings.reduction = 4, settings.rungs = 2;
  const std::vector<std::size_t> rungs = rung_epochs(settings, 48);
  double cost = 0, lost = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Trials trials(64, 3, 0.05, seed);
    std::fill(trials.fails_at.begin(), trials.fails_at.end(), 3);
    const SweepState state = computed(trials, {3, 4, true}, 8, 1, seed);
    double best = 0;
    for (const auto& values : trials.values) best = std::max(best, values.back());
    for (const std::size_t reach : reach_of(state)) cost += static_cast<double>(rungs[reach - 1]);
    lost = std::max(lost, 1 - state.values(state.ranking().front()).back() / best);
  }
  EXPECT_LE(cost, 0.2 * 20 * 64 * 48);
  EXPECT_LE(lost, 0.05);
}

TEST(RungCorrelation, IsSpearmans) {
  SweepState state({2, 100, true}, std::vector<std::string>(5));
  const std::vector<double> first{1, 2, 3, 4, 5}, last{2, 1, 4, 3, 5};
  EXPECT_FALSE(rung_correlation(state, 0, 1));
  for (std::size_t t = 0; t < 5; ++t) {
    Entry entry;
    entry.trial = t, entry.value = first[t];
    state.apply(entry);
    entry.rung = 1, entry.value = last[t], entry.finished = true;
    state.apply(entry);
  }
  EXPECT_NEAR(rung_correlation(state, 0, 1).value_or(0), 0.8, 1e-12);  // 1 - 6 * 4 / (5 * 24)
}

/// Of trials whose order turns round after the first of three rungs; with fewer rungs there is nothing to warn of.
TEST(SweepResult, WarnsWhereARungTellsLittle) {
  const auto table = [](std::size_t rungs) {
    SweepResult result{"correlation",
                       {1, 4, 16},
                       std::vector<std::vector<std::string>>(5),
                       {},
                       {},
                       SweepState({rungs, 100, true}, std::vector<std::string>(5))};
    result.rungs.erase(result.rungs.begin(), result.rungs.end() - static_cast<std::ptrdiff_t>(rungs));
    for (std::size_t t = 0; t < 5; ++t)
      for (std::size_t rung = 0; rung < rungs; ++rung) {
        Entry entry;
        entry.trial = t, entry.rung = rung, entry.finished = rung + 1 == rungs;
        entry.value = rungs == 3 && rung == 0 ? 5 - static_cast<double>(t) : static_cast<double>(t);
        result.state.apply(entry);
      }
    testing::internal::CaptureStderr();
    const std::string text = sweep_table(result, 3);
    return text + testing::internal::GetCapturedStderr();
  };
  const std::string poor = table(3), good = table(2);
  EXPECT_THAT(poor, testing::HasSubstr("rung 1 (1 epochs): rank correlation with the order at the end -1.00 (5 trials)"));
  EXPECT_THAT(poor, testing::HasSubstr("compare later with fewer rungs (sweep.rungs)"));
  EXPECT_THAT(good, testing::HasSubstr("rung 1 (4 epochs): rank correlation with the order at the end 1.00 (5 trials)"));
  EXPECT_THAT(good, testing::Not(testing::HasSubstr("compare later")));
}

TEST(SweepEntry, SurvivesItsText) {
  Entry entry;
  entry.trial = 12, entry.values = {"training.l2=0.1", "model.channels=[4, 4]"}, entry.rung = 2, entry.finished = true;
  entry.epochs = 7, entry.windows = 1e5, entry.value = 0.1 + 0.2, entry.group = 3, entry.begin = 1.5, entry.end = 1764000000.25;
  const Entry read = decode(encode(entry)).value();
  EXPECT_EQ(read.value, entry.value);
  EXPECT_EQ(read.end, entry.end);
  EXPECT_EQ(read.values, entry.values);
  EXPECT_EQ(encode(read), encode(entry));
  entry.kind = Entry::Kind::failed, entry.reason = "line\nbreak and \xff";
  EXPECT_EQ(encode(entry).find('\n'), std::string::npos);
  EXPECT_EQ(decode(encode(entry)).value().kind, Entry::Kind::failed);
  EXPECT_FALSE(decode("{\"event\": \"sweep\", \"trials\": 3}"));
  EXPECT_FALSE(decode("no JSON"));
}

TEST(SweepResult, UtilisationIsTheShareOfTimeInWhichGroupsTrain) {
  std::vector<Entry> entries(3);
  entries[0].group = 0, entries[0].begin = 0, entries[0].end = 4;
  entries[1].group = 1, entries[1].begin = 0, entries[1].end = 2;
  entries[2].group = 1, entries[2].begin = 0, entries[2].end = 2, entries[2].trial = 1;  // together with the one before
  EXPECT_NEAR(utilisation(entries), 6.0 / 8, 1e-12);
}

}  // namespace
}  // namespace amacrine::sweep
