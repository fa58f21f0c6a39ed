// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/mailbox.hpp"
#include "amacrine/parallel/stop.hpp"

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

/// Rank r sends r + 1 texts, short and (beyond what MPI sends at once) long ones: all arrive whole, each sender's in order.
TEST(Mailbox, BringsEveryText) {
  const Communicator world = Communicator::world();
  std::map<int, std::vector<std::string>> arrived;
  const auto take = [&](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) arrived[std::stoi(text)].push_back(text);
  };
  Mailbox mailbox(world);
  const auto text_of = [](int rank, int i) {
    return std::to_string(rank) + " " + std::to_string(i) + std::string(i % 2 == 0 ? 10 : 200'000, 'x');
  };
  for (int i = 0; i <= world.rank(); ++i) {
    mailbox.post(text_of(world.rank(), i));
    if (world.root()) take(mailbox.collect());
  }
  mailbox.close(take);
  if (!world.root()) {
    EXPECT_TRUE(arrived.empty());
    return;
  }
  ASSERT_EQ(arrived.size(), static_cast<std::size_t>(world.size()));
  for (int rank = 0; rank < world.size(); ++rank) {
    ASSERT_EQ(arrived[rank].size(), static_cast<std::size_t>(rank + 1));
    for (int i = 0; i <= rank; ++i) EXPECT_EQ(arrived[rank][static_cast<std::size_t>(i)], text_of(rank, i));
  }
}

TEST(Mailbox, ClosesWithoutATextAndRefusesEmptyOnes) {
  Mailbox mailbox(Communicator::world());
  EXPECT_THROW(mailbox.post(""), core::Error);
  mailbox.close([](const std::vector<std::string>&) { ADD_FAILURE() << "a text nobody sent"; });
  EXPECT_THROW(mailbox.post("late"), core::Error);
}

/// A signal that reaches the last rank alone stops all of them, by its name.
TEST(StopRanks, OneRanksSignalStopsAll) {
  const Communicator world = Communicator::world();
  const StopListener listener;
  EXPECT_NO_THROW(throw_if_stopped(world));
  if (world.rank() == world.size() - 1) std::raise(SIGUSR1);
  EXPECT_EQ(stop_signal(world), "SIGUSR1");
  EXPECT_THROW(throw_if_stopped(world), Stopped);
}

}  // namespace
}  // namespace amacrine::parallel
