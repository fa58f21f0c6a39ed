// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/stop.hpp"

#include <array>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <unistd.h>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

const std::array<std::pair<int, const char*>, 5> signals{
    {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}, {SIGUSR1, "SIGUSR1"}, {SIGXCPU, "its limit of time"}}};

TEST(StopListener, HearsSignalsAndPutsTheOldHandlersBack) {
  for (const auto& [signal, name] : signals) {
    struct sigaction before {
    }, after{};
    sigaction(signal, nullptr, &before);
    {
      const StopListener listener;
      EXPECT_FALSE(stop_asked());
      EXPECT_EQ(stop_signal(), "");
      EXPECT_NO_THROW(throw_if_stopped());
      std::raise(signal);
      EXPECT_TRUE(stop_asked());
      EXPECT_EQ(stop_signal(), name);
      try {
        throw_if_stopped();
        FAIL() << name << " stops nothing";
      } catch (const Stopped& stopped) {
        EXPECT_EQ(stopped.signal, name);
        EXPECT_EQ(static_cast<int>(stopped.code()), 75);
      }
    }
    EXPECT_FALSE(stop_asked());
    sigaction(signal, nullptr, &after);
    EXPECT_EQ(before.sa_handler, after.sa_handler);
  }
}

TEST(StopListener, CanLeaveTheSignalsIgnored) {
  for (const auto& [signal, name] : signals) {
    struct sigaction before {
    }, after{};
    sigaction(signal, nullptr, &before);
    {
      StopListener listener;
      listener.ignore_afterwards();
    }
    sigaction(signal, nullptr, &after);
    std::raise(signal);  // and the process lives
    EXPECT_EQ(after.sa_handler, SIG_IGN) << name;
    sigaction(signal, &before, nullptr);
  }
}

/// nohup's wish is kept; an ignored SIGINT, which shells give to what they start in the background, is heard.
TEST(StopListener, KeepsAnIgnoredHangup) {
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  {
    const StopListener listener;
    std::raise(SIGHUP);
    EXPECT_FALSE(stop_asked());
    std::raise(SIGINT);
    EXPECT_TRUE(stop_asked());
  }
  std::signal(SIGHUP, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
}

TEST(StopAfter, AsksAtItsTimeAndNotBefore) {
  const StopListener listener;
  stop_after(0.2);
  EXPECT_FALSE(stop_asked());
  for (int i = 0; i < 400 && !stop_asked(); ++i) usleep(5000);
  EXPECT_EQ(stop_signal(), "its limit of time");
}

TEST(StopAfter, TheLastTimeCountsAndNoTimeIsNone) {
  const StopListener listener;
  stop_after(0.05);
  stop_after(1000);
  stop_after(std::numeric_limits<double>::infinity());
  usleep(200'000);
  EXPECT_FALSE(stop_asked());
}

TEST(SecondsLeftInJob, AreThoseOfTheBatchSystemLessTheMargin) {
  unsetenv("SLURM_JOB_END_TIME");
  EXPECT_TRUE(std::isinf(seconds_left_in_job()));
  const auto in = [](long seconds) {
    setenv("SLURM_JOB_END_TIME", std::to_string(std::time(nullptr) + seconds).c_str(), 1);
    return seconds_left_in_job(60);
  };
  const double left = in(600);
  EXPECT_TRUE(left <= 540 && left >= 535) << left;
  EXPECT_TRUE(std::isinf(in(30))) << "less than the margin";
  setenv("SLURM_JOB_END_TIME", "soon", 1);
  EXPECT_TRUE(std::isinf(seconds_left_in_job()));
  setenv("SLURM_JOB_END_TIME", "", 1);
  EXPECT_TRUE(std::isinf(seconds_left_in_job()));
  unsetenv("SLURM_JOB_END_TIME");
}

TEST(StopListener, LooksForAFile) {
  const std::string path = testing::TempDir() + "stop_test_" + std::to_string(getpid());
  for (const bool looks : {true, false}) {
    const StopListener listener;
    stop_when_there(path, looks);
    std::ofstream(path) << "";
    for (int i = 0; i < 40 && !stop_asked(); ++i) usleep(100'000);
    EXPECT_EQ(stop_asked(), looks);
    EXPECT_EQ(stop_signal(), looks ? "the file " + path + " (remove it)" : "");
    std::filesystem::remove(path);
  }
}

// The cases below run in a child process, which they end.

[[noreturn]] void sleep_for_ever() {
  while (true) sleep(1);
}

void told_at_the_end() {
  const char text[] = "last act\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
}

void never_looks() {
  const StopListener listener;
  set_last_act(told_at_the_end);
  std::raise(SIGTERM);
  sleep_for_ever();
}

/// Two signals, `apart_us` between them, in a process that may go on for an hour.
void signalled_twice(unsigned apart_us) {
  const StopListener listener;
  StopPatience patience;
  patience.set(3600);
  std::raise(SIGTERM);
  usleep(apart_us);
  std::raise(SIGINT);
}

void signalled_long_after() {
  signalled_twice(700'000);
  sleep_for_ever();
}

void signalled_at_once() {
  signalled_twice(0);
  _exit(3);
}

void goes_on_patiently() {
  const StopListener listener;
  StopPatience patience;
  patience.set(10);
  std::raise(SIGUSR1);
  usleep(static_cast<unsigned>(1.5e6 * shortest_patience_s));
  _exit(stop_asked() ? 4 : 5);
}

/// The work ended while the signal, which it did not look at, waited for it.
void signalled_at_the_end() {
  const StopListener listener;
  set_last_act(told_at_the_end);
  std::raise(SIGTERM);
  work_ended(0);
  sleep_for_ever();
}

TEST(StopDeathTest, ASignalAfterTheWorkSaysNothing) {
  EXPECT_EXIT(signalled_at_the_end(), testing::ExitedWithCode(0), testing::IsEmpty());
}

TEST(StopDeathTest, ATimerEndsWhoNeverLooks) {
  EXPECT_EXIT(never_looks(), testing::ExitedWithCode(75), "last act\nstopped by SIGTERM; the same command goes on");
}

TEST(StopDeathTest, ALaterSecondSignalEndsAtOnce) { EXPECT_EXIT(signalled_long_after(), testing::ExitedWithCode(75), ""); }
TEST(StopDeathTest, TwoSignalsAtOnceAreOne) { EXPECT_EXIT(signalled_at_once(), testing::ExitedWithCode(3), ""); }
TEST(StopDeathTest, PatienceIsKept) { EXPECT_EXIT(goes_on_patiently(), testing::ExitedWithCode(4), ""); }

}  // namespace
}  // namespace amacrine::parallel
