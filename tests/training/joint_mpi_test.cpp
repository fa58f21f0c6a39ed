// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/together.hpp"
#include "training/sessions.hpp"
#include "training/together.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;

/// More sessions than ranks, as many, and fewer, whose batches are then shared by groups: the bits of one rank.
TEST(JointRanks, AllRankCountsGiveTheSameBits) {
  const Communicator world = Communicator::world();
  for (const std::size_t count : {1U, 2U, 3U, 5U}) {
    const std::vector<recording::Recording> recordings = sessions::make_recordings(count);
    const SessionShare share(world, count), alone(Communicator::self(), count);
    const std::vector<TrainingResult> mine = train_sessions(share, sessions::make_runs(share, recordings)),
                                      all = train_sessions(alone, sessions::make_runs(alone, recordings));
    ASSERT_EQ(mine.size(), share.mine.size());
    ASSERT_EQ(all.size(), count);
    for (std::size_t i = 0; i < mine.size(); ++i) together::expect_same(mine[i], all[share.mine.begin + i]);
  }
}

/// Every session is somebody's, and those who share one are neighbours.
TEST(JointRanks, SessionsAreDealtToNeighbours) {
  const Communicator world = Communicator::world();
  for (const std::size_t count : {1U, 2U, 3U, 4U, 7U}) {
    const SessionShare share(world, count);
    const auto said = parallel::gather_texts(
        world, share.ranks.root() ? fmt::format("{}-{}", share.mine.begin, share.mine.end) : std::string());
    std::size_t next = 0;
    for (const std::string& text : said) {
      if (text.empty()) continue;
      EXPECT_TRUE(text.starts_with(fmt::format("{}-", next))) << text;
      next = std::stoul(text.substr(text.find('-') + 1));
    }
    EXPECT_EQ(next, count);
    if (share.ranks.size() > 1) {
      EXPECT_GT(static_cast<std::size_t>(world.size()), count);
    }
    EXPECT_GE(share.mine.size(), 1u);
  }
}

/// Stopped by the last rank alone, all ranks stop and go on together.
TEST(JointRanks, InterruptionsLeaveTheBits) {
  const Communicator world = Communicator::world();
  const std::vector<recording::Recording> recordings = sessions::make_recordings(3);
  const test::TemporaryFolder folder;
  const std::string prefix = folder / "state_";
  const SessionShare share(world, 3), alone(Communicator::self(), 3);
  const std::vector<TrainingRun> runs = sessions::make_runs(share, recordings, prefix);
  std::vector<TrainingResult> results;
  std::size_t parts = 0;
  do {
    int steps = 0;
    results = train_sessions(share, runs, [&] { return world.rank() == world.size() - 1 && ++steps == 4; });
    ++parts;
  } while (!results[0].finished && parts < 20);
  EXPECT_GT(parts, 1u);
  const std::vector<TrainingResult> all = train_sessions(alone, sessions::make_runs(alone, recordings));
  for (std::size_t i = 0; i < results.size(); ++i) together::expect_same(results[i], all[share.mine.begin + i]);
  world.barrier();
}

/// A number that is not finite in one session takes all back to the same epoch with the same lower rate, or ends all.
TEST(JointRanks, ADivergingSessionTakesAllBack) {
  const Communicator world = Communicator::world();
  std::vector<recording::Recording> recordings = sessions::make_recordings(2);
  for (float& rate : recordings[1].train.target.row(0)) rate = std::numeric_limits<float>::quiet_NaN();
  const SessionShare share(world, 2);
  std::vector<TrainingRun> runs = sessions::make_runs(share, recordings);
  for (TrainingRun& run : runs) run.settings.initial_gain = 0;
  EXPECT_THROW(train_sessions(share, runs), core::Error);
  for (TrainingRun& run : runs) run.settings.divergence.lower_rate = true;
  EXPECT_THROW(train_sessions(share, runs), core::Error);
}

}  // namespace
}  // namespace amacrine::training
