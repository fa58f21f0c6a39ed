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

}  // namespace
}  // namespace amacrine::training
