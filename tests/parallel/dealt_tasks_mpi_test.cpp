// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/dealt_tasks.hpp"
#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

/// Task n makes n % 5 values that hold its number; tasks last differently long, on ranks that are differently fast.
TaskValues<double> numbers(const Communicator& world, const std::vector<double>& costs, std::vector<std::int64_t>& mine) {
  return run_dealt<double>(world, {"test", "tasks", costs}, [&](std::size_t task, std::vector<double>& values) {
    mine.push_back(static_cast<std::int64_t>(task));
    std::this_thread::sleep_for(std::chrono::microseconds(100 * (task % 7) * static_cast<std::size_t>(1 + world.rank())));
    for (std::size_t i = 0; i < task % 5; ++i) values.push_back(static_cast<double>(10 * task + i));
    return std::string("one");
  });
}

TEST(RunDealt, BringsEveryTasksValuesBackUnderItsNumber) {
  const Communicator world = Communicator::world();
  for (const std::size_t count : {0U, 1U, 3U, 60U}) {
    std::vector<double> costs(count);
    for (std::size_t n = 0; n < count; ++n) costs[n] = static_cast<double>((7 * n) % 11);
    std::vector<std::int64_t> mine;
    const TaskValues<double> values = numbers(world, costs, mine);
    ASSERT_EQ(values.tasks(), count);
    for (std::size_t n = 0; n < count; ++n) {
      ASSERT_EQ(values.of(n).size(), n % 5) << n;
      for (std::size_t i = 0; i < n % 5; ++i) EXPECT_EQ(values.of(n)[i], static_cast<double>(10 * n + i));
    }
    std::vector<std::int64_t> all = world.gather_all<std::int64_t>(mine), once(count);
    std::sort(all.begin(), all.end());
    std::iota(once.begin(), once.end(), 0);
    EXPECT_EQ(all, once);
  }
}

TEST(RunDealt, BeginsWithTheLongest) {
  const Communicator world = Communicator::world();
  std::vector<std::int64_t> mine;
  numbers(world, {1, 5, 2, 5, 9, 0}, mine);
  const std::vector<std::int64_t> order{4, 1, 3, 2, 0, 5};
  const auto place = [&](std::int64_t task) { return std::find(order.begin(), order.end(), task) - order.begin(); };
  for (std::size_t i = 1; i < mine.size(); ++i) EXPECT_LT(place(mine[i - 1]), place(mine[i]));
  if (world.size() == 1) {
    EXPECT_EQ(mine, order);
  }
}

TEST(RunDealt, TextsComeBackInTheOrderOfTasks) {
  const Communicator world = Communicator::world();
  const auto texts = run_dealt<char>(world, {"test", "texts", {1, 2, 3}}, [](std::size_t task, std::vector<char>& text) {
    for (const char c : std::to_string(100 * task)) text.push_back(c);
    return std::string();
  });
  std::string all;
  for (std::size_t n = 0; n < texts.tasks(); ++n) all.append(texts.of(n).begin(), texts.of(n).end());
  EXPECT_EQ(all, "0100200");
}

/// A signal to one rank in the middle of its work stops all, and nothing incomplete comes back.
TEST(RunDealt, AStopOfOneRankStopsAll) {
  const Communicator world = Communicator::world();
  const StopListener listener;
  StopPatience patience;
  patience.set(60);
  std::size_t done = 0;
  EXPECT_THROW(run_dealt<double>(world, {"test", "tasks", std::vector<double>(3000, 1.0)},
                                 [&](std::size_t, std::vector<double>&) {
                                   if (++done == 3 && world.rank() == world.size() - 1) std::raise(SIGUSR1);
                                   std::this_thread::sleep_for(std::chrono::milliseconds(20));
                                   return std::string();
                                 }),
               Stopped);
  EXPECT_LT(done, 100U);
}

/// Of two or more ranks that work for 1.5 s rank 0 waits half of it.
TEST(LogWork, SaysHowMuchOfTheTimeRanksWorked) {
  const Communicator world = Communicator::world();
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  log_work(world, "probe", 1.6, world.root() ? 0.8 : 0.0);
  log_work(world, "short", 0.5, 0.0);
  const std::string text = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
  if (world.root() && world.size() == 2) {
    EXPECT_THAT(text, testing::HasSubstr("probe: 2 ranks worked 75 % of 1.6 s, the least busy one 50 %"));
  }
  if (world.size() == 1) {
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("worked")));
  }
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("short")));
}

}  // namespace
}  // namespace amacrine::parallel
