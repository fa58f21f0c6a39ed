// SPDX-License-Identifier: Apache-2.0
#include "training/together.hpp"

#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;

/// Three models on all ranks, against each of them alone on one.
TEST(TogetherRanks, EachModelHasTheBitsItHasAlone) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  const test::TemporaryFolder folder;
  const std::vector<TrainingRun> runs = together::three_runs(r, folder / "group_");
  const std::vector<TrainingResult> group = train_together(Communicator::world(), runs);
  ASSERT_EQ(group.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    TrainingRun run = runs[i];
    run.checkpoint = folder / fmt::format("alone_{}_{}", i, Communicator::world().rank());
    together::expect_same(group[i], train_model(Communicator::self(), run));
    together::expect_same_state(runs[i], run);
  }
}

/// Paused at the ends of epochs, each model for itself, and interrupted between steps by the last rank: the bits of a training
/// that nobody paused.
TEST(TogetherRanks, PausesAndInterruptionsLeaveTheBits) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  const test::TemporaryFolder folder;
  const Communicator world = Communicator::world();
  std::vector<TrainingRun> runs = together::three_runs(r, folder / "paused_");
  EXPECT_EQ(epochs_of(runs[0]), 3u);
  EXPECT_EQ(epochs_of(runs[2]), 2u);
  for (const std::size_t epoch : {1U, 2U}) {
    for (TrainingRun& run : runs) run.until_epoch = epoch;
    const auto part = train_together(world, runs);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(part[i].finished, i == 2 && epoch == 2);
      EXPECT_EQ(part[i].curve.size(), epoch);
      EXPECT_EQ(part[i].stopped_by, "");
    }
  }
  for (TrainingRun& run : runs) run.until_epoch = 0;
  std::vector<TrainingResult> group;
  int interrupted = -1;
  do {
    int steps = 0;
    group = train_together(world, runs, [&] { return world.rank() == world.size() - 1 && ++steps == 2; });
    ++interrupted;
    if (!group[0].finished) {
      EXPECT_NE(group[0].stopped_by, "");
    }
  } while (!group[0].finished && interrupted < 10);
  EXPECT_GE(interrupted, 1);
  for (std::size_t i = 0; i < 3; ++i) {
    TrainingRun alone = runs[i];
    alone.checkpoint = folder / fmt::format("whole_{}_{}", i, world.rank());
    together::expect_same(group[i], train_model(Communicator::self(), alone));
    together::expect_same_state(runs[i], alone);
  }
}

/// What sets the order of a batch's sums must be shared by models trained together.
TEST(TogetherRanks, ModelsOfOtherSharesOfABatchAreRefused) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  std::vector<TrainingRun> runs(2, synthetic::make_run(r));
  runs[1].settings.most_ranks = 1;
  EXPECT_THROW(train_together(Communicator::self(), runs), core::RefusedError);
}

}  // namespace
}  // namespace amacrine::training
