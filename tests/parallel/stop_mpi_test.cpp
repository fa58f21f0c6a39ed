// SPDX-License-Identifier: Apache-2.0
// A signal that reaches one rank only, which waits, ends the work of all within a second, and not by the timer: that would end
// the test program.
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/dealer.hpp"
#include "amacrine/parallel/request_server.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/parallel/together.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

constexpr double signal_after_s = 0.2, longest_s = 1.2;

void pause(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

/// Sends the signal to this process where it is the rank, while it waits.
class Signal {
 public:
  Signal(const Communicator& world, int rank)
      : sender_([this, mine = world.rank() == rank] {
          for (int i = 0; i < static_cast<int>(1000 * signal_after_s) && !over_; ++i) pause(1);
          if (mine && !over_) std::raise(SIGUSR1);
        }) {}
  ~Signal() {
    over_ = true;
    sender_.join();
  }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  std::atomic<bool> over_{false};
  std::thread sender_;
};

/// Ranks have a minute to end by themselves.
class OneRankIsStopped : public testing::Test {
 protected:
  OneRankIsStopped() { patience_.set(60); }
  /// Whether the ranks ended in time, all by the signal.
  void judge(double begin) {
    EXPECT_LT(core::wall_seconds() - begin, longest_s);
    EXPECT_THROW(throw_if_stopped(world), Stopped);
  }
  const Communicator world = Communicator::world();

 private:
  StopPatience patience_;
};

/// The last rank has done its task and waits for rank 0, or for all in close(); the others have tasks for a minute.
TEST_F(OneRankIsStopped, WhereTasksAreDealt) {
  for (const bool waits_in_close : {false, true})
    for (const std::size_t with_a_dealer : {128U, 0U}) {
      const StopListener listener;
      const int last = world.size() - 1;
      std::size_t done = 0;
      const Signal signal(world, last);
      const double begin = core::wall_seconds();
      Dealer dealer(
          world, 3000, [] {}, with_a_dealer);
      while (const auto task = dealer.next()) {
        ++done;
        if (waits_in_close && world.size() > 1 && world.rank() == last) break;
        pause(20);
      }
      dealer.close();
      judge(begin);
      EXPECT_LT(done, 100U);
    }
}

/// Rank 0 gives no answer before it hears of a stop. Every rank once.
TEST_F(OneRankIsStopped, WhereAnswersAreWaitedFor) {
  for (int who = 0; who < world.size(); ++who) {
    const StopListener listener;
    RequestServer* serving = nullptr;
    RequestServer server(world, [&](int, const std::string&) -> std::optional<std::string> {
      if (serving->stop_heard()) return "stop";
      return std::nullopt;
    });
    serving = &server;
    const Signal signal(world, who);
    const double begin = core::wall_seconds();
    EXPECT_EQ(server.ask("a task"), "stop");
    server.close();
    judge(begin);
  }
}

/// The others have said that they ask no more, and wait for rank 0, which works and looks.
TEST_F(OneRankIsStopped, WhereTheEndIsWaitedFor) {
  const StopListener listener;
  RequestServer server(world, [](int, const std::string&) -> std::optional<std::string> { return ""; });
  const Signal signal(world, world.size() - 1);
  const double begin = core::wall_seconds();
  while (world.root() && !server.stop_heard() && core::wall_seconds() - begin < 10) pause(1);
  server.close();
  judge(begin);
}

/// A group waits for its rank 0, which is told of a stop of any rank. Every rank once.
TEST_F(OneRankIsStopped, WhereAGroupWaitsForItsRoot) {
  for (int who = 0; who < world.size(); ++who) {
    const StopListener listener;
    const Signal signal(world, who);
    const double begin = core::wall_seconds();
    bool told = false;
    wait_for_root(
        world, [&] { return told; }, [&] { told = true; });
    judge(begin);
    EXPECT_EQ(told, world.root());
  }
}

TEST(WaitForRoot, EndsOnceTheRootIsReady) {
  const Communicator world = Communicator::world();
  int asked = 0;
  const double begin = core::wall_seconds();
  wait_for_root(
      world, [&] { return ++asked == 400; }, [] { ADD_FAILURE() << "nobody was asked to stop"; });
  EXPECT_EQ(asked, world.root() ? 400 : 0);
  EXPECT_LT(core::wall_seconds() - begin, 5);
}

}  // namespace
}  // namespace amacrine::parallel
