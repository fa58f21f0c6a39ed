// SPDX-License-Identifier: Apache-2.0
#include "training/together.hpp"

#include "amacrine/training/members.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;

/// Interrupted after every step of the group, and with one model taken five steps ahead by itself before.
TEST(Together, ResumesBitForBit) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  const test::TemporaryFolder folder(Communicator::self());
  const std::vector<TrainingRun> whole = together::three_runs(r, folder / "whole");
  std::vector<TrainingRun> parts = together::three_runs(r, folder / "parts");
  for (TrainingRun& run : parts) run.settings.max_minutes = 1e-12;
  for (int step = 0; step < 5; ++step) EXPECT_FALSE(train_model(Communicator::self(), parts[1]).finished);
  std::vector<TrainingResult> results;
  int calls = 0;
  do {
    results = train_together(Communicator::self(), parts);
    ASSERT_LT(++calls, 40);
  } while (!(results[0].finished && results[1].finished && results[2].finished));
  EXPECT_EQ(calls, 15);  // 15 steps of 40 windows, the one ahead waiting for the others
  const std::vector<TrainingResult> expected = train_together(Communicator::self(), whole);
  for (std::size_t i = 0; i < 3; ++i) {
    together::expect_same(results[i], expected[i]);
    together::expect_same_state(parts[i], whole[i]);
  }
}

TEST(Together, AModelThatStopsEarlyLeavesTheOthers) {
  const recording::Recording r = synthetic::make_recording(2000, 1, 7);
  const test::TemporaryFolder folder(Communicator::self());
  std::vector<TrainingRun> runs = together::three_runs(r, folder / "early");
  for (TrainingRun& run : runs) run.settings.total_windows = 200 * 6;
  runs[1].settings.early_stopping = {2, 1e6, Metric::loss};  // nothing improves that much: two epochs after the first
  const std::vector<TrainingResult> results = train_together(Communicator::self(), runs);
  EXPECT_TRUE(results[1].stopped_early && results[1].finished);
  EXPECT_EQ(results[1].curve.size(), 3u);
  for (const std::size_t other : {0u, 2u}) {
    EXPECT_EQ(results[other].curve.size(), 6u);
    TrainingRun alone = runs[other];
    alone.checkpoint.clear();
    together::expect_same(results[other], train_model(Communicator::self(), alone));
  }
}

TEST(Together, OtherBatchesAreRefused) {
  const recording::Recording r = synthetic::make_recording(2000, 1, 7);
  std::vector<TrainingRun> runs(2, synthetic::make_run(r));
  runs[1].settings.data_seed = 2;
  try {
    train_together(Communicator::self(), runs);
    FAIL() << "models with different batches were trained together";
  } catch (const core::RefusedError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("training.data_seed"));
  }
}

TEST(Members, EveryRateMeetsEverySeed) {
  TrainingSettings settings;
  ASSERT_EQ(members(settings).size(), 1u);
  EXPECT_EQ(members(settings)[0].suffix, "");
  settings.model_seeds = {5, 2}, settings.learning_rates = {0.01, 0.003};
  std::vector<std::string> suffixes;
  for (const Member& member : members(settings)) suffixes.push_back(member.suffix);
  EXPECT_THAT(suffixes, testing::ElementsAre("", "_seed2_rate0.01", "_seed5_rate0.003", "_seed2_rate0.003"));
  EXPECT_THAT(members(settings)[3].overrides,
              testing::IsSupersetOf({"training.model_seed=2", "training.learning_rate=0.003", "training.model_seeds=[]"}));
}

}  // namespace
}  // namespace amacrine::training
