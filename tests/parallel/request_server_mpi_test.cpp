// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/attempt.hpp"
#include "amacrine/parallel/request_server.hpp"
#include "amacrine/parallel/stop.hpp"

#include <chrono>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

TEST(RequestServer, AnswersEveryRequestOnceToTheRankThatAsked) {
  const Communicator world = Communicator::world();
  std::map<std::string, int> asked;
  RequestServer server(world, [&](int rank, const std::string& request) -> std::optional<std::string> {
    ++asked[request];
    return std::to_string(rank) + " asked " + request;
  });
  for (int i = 0; i < 200; ++i) {
    const std::string request = std::to_string(world.rank()) + "/" + std::to_string(i);
    EXPECT_EQ(server.ask(request), std::to_string(world.rank()) + " asked " + request);
    server.serve();
  }
  server.close();
  if (!world.root()) return;
  EXPECT_EQ(asked.size(), 200U * static_cast<std::size_t>(world.size()));
  for (const auto& [request, count] : asked) EXPECT_EQ(count, 1) << request;
}

/// Nobody is answered before all have asked; the empty text is an answer too.
TEST(RequestServer, LetsRanksWaitUntilTheyCanBeAnswered) {
  const Communicator world = Communicator::world();
  std::set<int> asked;
  RequestServer server(world, [&](int rank, const std::string&) -> std::optional<std::string> {
    asked.insert(rank);
    if (static_cast<int>(asked.size()) < world.size()) return std::nullopt;
    return std::string();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20 * world.rank()));
  EXPECT_EQ(server.ask("now"), "");
  server.close();
  if (world.root()) {
    EXPECT_EQ(static_cast<int>(asked.size()), world.size());
  }
}

TEST(RequestServer, AnAnswerCanMakeAnotherPossible) {
  const Communicator world = Communicator::world();
  int next = world.size() - 1;  // the last rank first
  RequestServer server(world, [&](int rank, const std::string&) -> std::optional<std::string> {
    if (rank != next) return std::nullopt;
    --next;
    return "yes";
  });
  EXPECT_EQ(server.ask("?"), "yes");
  server.close();
}

TEST(RequestServer, NoticesReachRanksAtWork) {
  const Communicator world = Communicator::world();
  RequestServer server(world, [](int, const std::string&) -> std::optional<std::string> { return "ok"; });
  EXPECT_FALSE(server.notified());
  world.barrier();
  if (world.root()) server.notify();
  while (!server.notified()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(server.ask("still"), "ok");
  server.close();
}

TEST(RequestServer, ANoticeThatNobodyLooksAtIsNoFault) {
  const Communicator world = Communicator::world();
  RequestServer server(world, [](int, const std::string&) -> std::optional<std::string> { return "ok"; });
  if (world.root()) server.notify();
  server.close();
  EXPECT_THROW(server.ask("late"), core::Error);
}

TEST(Attempt, SaysWhatTheLowestRankThatFailedSaid) {
  const Communicator world = Communicator::world();
  EXPECT_EQ(attempt(world, [] {}).text, "");
  EXPECT_EQ(attempt(world, [] { core::fail("all fail"); }).text, "all fail");
  const int last = world.size() - 1;
  EXPECT_EQ(attempt(world,
                    [&] {
                      if (world.rank() == last) core::fail("the last rank fails");
                    })
                .text,
            "the last rank fails");
  EXPECT_EQ(attempt(world, [&] { core::fail("rank {} fails", world.rank()); }).text, "rank 0 fails");
  EXPECT_EQ(attempt(world, [] { throw std::bad_alloc(); }).text, "out of memory");
  EXPECT_EQ(attempt(world, [] { throw core::RefusedError("no room"); }).code, core::ExitCode::refused);
}

TEST(Attempt, AStopIsNoFailure) {
  const Communicator world = Communicator::world();
  EXPECT_THROW(attempt(world, [] { throw Stopped("SIGTERM"); }), Stopped);
}

}  // namespace
}  // namespace amacrine::parallel
