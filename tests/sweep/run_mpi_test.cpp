// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/sweep/run.hpp"

#include <chrono>
#include <cmath>
#include <csignal>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::sweep {
namespace {

using parallel::Communicator;

constexpr std::size_t trials = 24, rungs = 3;

double value_of(std::size_t trial, std::size_t rung) { return std::fmod(static_cast<double>(7 * trial + 3 * rung), 24.0); }

SweepState new_state(const std::vector<Entry>& entries = {}) {
  SweepState state({rungs, 3, true}, std::vector<std::string>(trials, "all"));
  for (const Entry& entry : entries) state.apply(entry);
  return state;
}

std::vector<Reach> reaches_of(const Task& task) {
  std::vector<Reach> reaches;
  for (const std::size_t t : task.trials)
    reaches.push_back({false, task.rung + 1 == rungs, task.rung + 1, 0, value_of(t, task.rung)});
  return reaches;
}

Work work_of(std::vector<Entry>& kept) {
  Work work;
  work.values.resize(trials);
  work.keep = [&](const std::vector<Entry>& entries) { kept.insert(kept.end(), entries.begin(), entries.end()); };
  work.train = [](const Communicator& group, const Task& task, const std::function<bool()>& interrupt) {
    for (std::size_t step = 0; step < 1 + task.trials.front() % 3; ++step) {
      group.barrier();
      interrupt();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return reaches_of(task);
  };
  return work;
}

/// What became of every trial, whoever computed it and when.
std::map<std::pair<std::size_t, std::size_t>, double> outcome(const std::vector<Entry>& entries) {
  std::map<std::pair<std::size_t, std::size_t>, double> all;
  for (const Entry& entry : entries) {
    const double value = entry.kind == Entry::Kind::failed ? -1 : entry.value;
    EXPECT_TRUE(all.emplace(std::pair{entry.trial, entry.rung}, value).second) << "done twice: trial " << entry.trial;
  }
  return all;
}

/// The same on one rank.
std::map<std::pair<std::size_t, std::size_t>, double> outcome_alone(const SweepSettings& settings) {
  std::vector<Entry> kept;
  SweepState state = new_state();
  EXPECT_TRUE(run_trials(Communicator::self(), settings, work_of(kept), state));
  return outcome(kept);
}

TEST(SweepRun, GroupsOfAnySizeDoTheSameOnce) {
  const Communicator world = Communicator::world();
  SweepSettings settings;
  for (const std::size_t size : {1U, 2U, 3U, 4U})
    for (const std::size_t models : {1U, 4U}) {
      settings.ranks_per_group = size, settings.models_per_group = models;
      std::vector<Entry> kept;
      SweepState state = new_state();
      if (static_cast<std::size_t>(world.size()) % size != 0) {
        EXPECT_THROW(run_trials(world, settings, work_of(kept), state), core::RefusedError);
        continue;
      }
      EXPECT_TRUE(run_trials(world, settings, work_of(kept), state));
      if (!world.root()) continue;
      SweepSettings alone;
      EXPECT_EQ(outcome(kept), outcome_alone(alone));
    }
}

TEST(SweepRun, ATrialThatFailsIsWrittenDownAndItsGroupGoesOn) {
  const Communicator world = Communicator::world();
  for (const std::size_t models : {1U, 4U}) {
    SweepSettings settings;
    settings.models_per_group = models;
    std::vector<Entry> kept;
    Work work = work_of(kept);
    work.train = [train = work.train](const Communicator& group, const Task& task, const std::function<bool()>& interrupt) {
      for (const std::size_t t : task.trials)
        if (t == 5) core::fail("the loss became nan");
      auto reaches = train(group, task, interrupt);
      for (std::size_t i = 0; i < task.trials.size(); ++i)
        if (task.trials[i] == 7) reaches[i].value = NAN;
      return reaches;
    };
    SweepState state = new_state();
    EXPECT_TRUE(run_trials(world, settings, work, state));
    if (!world.root()) continue;
    for (std::size_t t = 0; t < trials; ++t) EXPECT_EQ(state.standing(t) == Standing::failed, t == 5 || t == 7) << t;
    EXPECT_EQ(state.reason(5), "the loss became nan");
    EXPECT_EQ(state.reason(7), "its validation is not a number");
    outcome(kept);
  }
}

/// What is no trial's fault (an output that cannot be written, an input) ends the sweep on all ranks, and blames no trial.
TEST(SweepRun, OtherFaultsEndTheSweepAndAreNoTrials) {
  const Communicator world = Communicator::world();
  std::vector<Entry> kept;
  Work work = work_of(kept);
  work.train = [](const Communicator&, const Task& task, const std::function<bool()>&) -> std::vector<Reach> {
    if (task.trials.front() == 2) throw core::RefusedError("an output is in the way");
    return reaches_of(task);
  };
  SweepState state = new_state();
  try {
    run_trials(world, {}, work, state);
    ADD_FAILURE() << "the fault was passed over";
  } catch (const core::Error& error) {
    EXPECT_STREQ(error.what(), "trial 2: an output is in the way");
    EXPECT_EQ(error.code(), core::ExitCode::refused);
  }
  for (const Entry& entry : kept) EXPECT_EQ(entry.kind, Entry::Kind::reached);
}

TEST(SweepRun, AStopReachesAllGroupsAndNothingIsLost) {
  const Communicator world = Communicator::world();
  const SweepSettings settings;
  std::vector<Entry> kept;
  for (int run = 0; run < 4; ++run) {
    Work work = work_of(kept);
    int tasks = 0;
    // In all runs but the last, the last rank is stopped in its second task; the third tasks of the others last until they are
    // told.
    work.train = [&](const Communicator&, const Task& task, const std::function<bool()>& interrupt) {
      auto reaches = reaches_of(task);
      const bool last = world.rank() == world.size() - 1;
      ++tasks;
      bool stopped = run < 3 && last && tasks == 2;
      for (int step = 0; run < 3 && !last && tasks == 3 && step < 5000 && !stopped; ++step) {
        stopped = interrupt();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      for (Reach& reach : reaches) reach.stopped = stopped;
      return reaches;
    };
    SweepState state = new_state(kept);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(run_trials(world, settings, work, state), run == 3);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4)) << "the others were not told";
  }
  if (world.root()) {
    EXPECT_EQ(outcome(kept), outcome_alone(settings));
  }
}

/// One trial is left, which group 0 trains; the other groups have nothing to do. A signal to a rank that waits ends all.
TEST(SweepRun, AStopReachesTheSweepThroughARankThatWaits) {
  const Communicator world = Communicator::world();
  for (const std::size_t size : {1U, 2U}) {
    if (static_cast<std::size_t>(world.size()) % size != 0) continue;
    const parallel::StopListener listener;
    SweepSettings settings;
    settings.ranks_per_group = size;
    std::vector<Entry> kept;
    Work work = work_of(kept);
    work.train = [&](const Communicator& group, const Task& task, const std::function<bool()>& interrupt) {
      auto reaches = reaches_of(task);
      bool stopped = false;
      for (int step = 0; step < 10000 && !stopped; ++step) {
        stopped = group.any(interrupt() || parallel::stop_asked());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      for (Reach& reach : reaches) reach.stopped = stopped;
      return reaches;
    };
    SweepState state({1, 3, true}, {"the only one"});
    const bool mine = world.rank() == world.size() - 1;
    std::thread sender([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      if (mine) std::raise(SIGUSR1);
    });
    const auto before = std::chrono::steady_clock::now();
    EXPECT_FALSE(run_trials(world, settings, work, state));
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(1500));
    sender.join();
    EXPECT_TRUE(kept.empty());
    EXPECT_EQ(parallel::stop_asked(), mine);
  }
}

TEST(SweepRun, WhatCannotBeWrittenDownEndsTheSweep) {
  const Communicator world = Communicator::world();
  std::vector<Entry> kept;
  Work work = work_of(kept);
  work.keep = [&](const std::vector<Entry>&) { core::fail("no space left"); };
  SweepState state = new_state();
  std::string said;
  try {
    run_trials(world, {}, work, state);
  } catch (const core::Error& error) {
    said = error.what();
  }
  EXPECT_EQ(said, "no space left");
}

}  // namespace
}  // namespace amacrine::sweep
