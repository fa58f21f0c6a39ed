// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/dealer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

/// All tasks that ranks have done, ascending.
std::vector<std::int64_t> all_of(const Communicator& world, const std::vector<std::int64_t>& mine) {
  std::vector<std::int64_t> all = world.gather_all<std::int64_t>(mine);
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::int64_t> first(std::size_t count) {
  std::vector<std::int64_t> ids(count);
  for (std::size_t i = 0; i < count; ++i) ids[i] = static_cast<std::int64_t>(i);
  return ids;
}

TEST(GuidedChunk, DealsAllInEverSmallerPieces) {
  for (std::size_t ranks : {1U, 3U, 1000U}) {
    std::size_t left = 12345, before = left;
    while (left > 0) {
      const std::size_t chunk = guided_chunk(left, ranks);
      ASSERT_GE(chunk, 1U);
      ASSERT_LE(chunk, std::min(before, left));
      ASSERT_LE(chunk, std::max<std::size_t>(1, left / ranks / 16));
      before = chunk, left -= chunk;
    }
  }
  EXPECT_EQ(guided_chunk(0, 4), 0U);
}

/// With rank 0 among those who work, and where it only deals, unless it is alone.
TEST(Dealer, DealsEveryTaskOnce) {
  const Communicator world = Communicator::world();
  for (const std::size_t with_a_dealer : {128U, 0U})
    for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 100U, 5000U}) {
      Dealer dealer(
          world, count, [] {}, with_a_dealer);
      std::vector<std::int64_t> mine;
      while (const auto task = dealer.next()) mine.push_back(static_cast<std::int64_t>(*task));
      EXPECT_FALSE(dealer.next());
      dealer.close();
      EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
      EXPECT_EQ(all_of(world, mine), first(count));
      if (world.root() && with_a_dealer == 0 && world.size() > 1) {
        EXPECT_TRUE(mine.empty());
      }
    }
}

/// The last rank takes 10 ms for a task, the others 1 ms: it gets the fewest, where equal shares would make all wait for it.
TEST(Dealer, GivesLessToASlowRank) {
  const Communicator world = Communicator::world();
  constexpr std::size_t count = 160;
  const bool slow = world.size() > 1 && world.rank() == world.size() - 1;
  Dealer dealer(world, count);
  std::vector<std::int64_t> mine;
  while (const auto task = dealer.next()) {
    mine.push_back(static_cast<std::int64_t>(*task));
    std::this_thread::sleep_for(std::chrono::milliseconds(slow ? 10 : 1));
  }
  dealer.close();
  EXPECT_EQ(all_of(world, mine), first(count));
  if (slow) {
    EXPECT_LT(mine.size(), count / static_cast<std::size_t>(world.size()) / 2);
  }
}

/// A rank that ends early keeps none of the others waiting, and what it was given is nobody's.
TEST(Dealer, RanksMayEndEarly) {
  const Communicator world = Communicator::world();
  for (const bool root_ends : {false, true}) {
    int calls = 0;
    Dealer dealer(world, 1000, [&] { ++calls; });
    std::vector<std::int64_t> mine;
    while (const auto task = dealer.next()) {
      mine.push_back(static_cast<std::int64_t>(*task));
      if (world.root() == root_ends && mine.size() == 3) break;
    }
    dealer.close();
    const std::vector<std::int64_t> all = all_of(world, mine);
    EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
    if (world.size() > 1 || root_ends) {
      EXPECT_LT(all.size(), 1000U);
    }
    EXPECT_THROW(static_cast<void>(dealer.next()), core::Error);
    if (world.rank() != 0) {
      EXPECT_EQ(calls, 0);
    }
  }
}

}  // namespace
}  // namespace amacrine::parallel
