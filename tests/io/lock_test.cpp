// SPDX-License-Identifier: Apache-2.0
#include "../../src/io/lock_file.hpp"
#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace amacrine::io {
namespace {

using detail::Holder;
using parallel::Communicator;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Holder with_id(const std::string& id) {
  Holder holder = detail::this_process();
  holder["id"] = id, holder["run"] = "run of " + id, holder["verb"] = "train", holder["study"] = "a.toml",
  holder["since"] = "noon";
  return holder;
}

void put(const std::string& file, const Holder& holder) { std::ofstream(file) << nlohmann::json(holder).dump() << "\n"; }

/// A holder like this process, but on another host, in SLURM's job 77 of the cluster "there", with the facts given changed.
Holder elsewhere(const Holder& changed = {}) {
  Holder holder = with_id("far");
  holder["host"] = "other-host", holder["boot"] = "another boot", holder["cluster"] = "there", holder["job"] = "77";
  for (const auto& [name, value] : changed) holder[name] = value;
  return holder;
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::RefusedError& error) {
    return error.what();
  }
  return "(not refused)";
}

/// Runs `body` in a child process, which is killed when it is done; returns its pid. It has ended, but was not waited for.
pid_t dead_child(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    kill(getpid(), SIGKILL);
  }
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  return child;
}

std::vector<std::string> files_in(const test::TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "")) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Lock, OneHolderAtATimeWhomTheRefusalNames) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string path = folder / "new/model.h5";
  {
    const OutputLock first(Communicator::self(), path, {"train", "mine.toml"});
    const std::string message = refusal([&] { OutputLock(Communicator::self(), path, {"train", "other.toml"}); });
    EXPECT_THAT(message,
                AllOf(HasSubstr("model.h5 is being made by another run: amacrine train (mine.toml) on host " +
                                detail::this_process()["host"]),
                      HasSubstr("pid " + std::to_string(getpid())), HasSubstr("since 20"), HasSubstr("run " + run_id())));
    EXPECT_THAT(refusal([&] {
                  OutputLock(Communicator::self(), path, {"train", "x", true});
                }),
                HasSubstr("Its process is alive, so --takeover does not help"));
    EXPECT_THAT(refusal([&] { OutputLock(Communicator::self(), path, {"train", "x", false, true}); }), HasSubstr("mine.toml"));
    EXPECT_NO_THROW(OutputLock(Communicator::self(), folder / "new/ln.h5", {"train", "other.toml"}));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder / "new"));
  EXPECT_NO_THROW(OutputLock(Communicator::self(), path, {"train", "other.toml"}));
}

TEST(Lock, ADryRunMakesNothing) {
  const test::TemporaryFolder folder(Communicator::self());
  const OutputLock lock(Communicator::self(), folder / "new/model.h5", {"train", "a.toml", false, true});
  EXPECT_TRUE(files_in(folder).empty());
}

TEST(Lock, ADeadProcessIsSucceeded) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string file = folder / "a.lock";
  const pid_t zombie = dead_child([&] { detail::take_lock(file, with_id("first"), false); });
  ASSERT_EQ(detail::fact(*detail::holder_of(file), "id"), "first");
  EXPECT_THAT(detail::take_lock(file, with_id("second"), false), HasSubstr(fmt::format("process {} has ended", zombie)));
  EXPECT_EQ(detail::fact(*detail::holder_of(file), "id"), "second");
  waitpid(zombie, nullptr, 0);
  Holder gone = with_id("third");
  gone["pid"] = std::to_string(zombie);
  put(file, gone);
  EXPECT_THAT(detail::take_lock(file, with_id("fourth"), false), HasSubstr("is gone"));
  EXPECT_EQ(files_in(folder), std::vector<std::string>{"a.lock"});
}

TEST(Lock, APidThatIsAnotherProcessNowDoesNotKeepALock) {
  const test::TemporaryFolder folder(Communicator::self());
  Holder earlier = with_id("earlier");  // this process' pid, which started at another time
  earlier["started"] = "1";
  put(folder / "a.lock", earlier);
  EXPECT_THAT(detail::take_lock(folder / "a.lock", with_id("now"), false), HasSubstr("is another one now"));
}

TEST(Lock, TakersThatDiedHalfWayAreSucceeded) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string file = folder / "a.lock";
  const auto dead = [](const std::string& id) {
    Holder holder = with_id(id);
    holder["started"] = "1";
    return holder;
  };
  put(file, dead("1"));
  put(file + ".after-1", dead("2"));
  put(file + ".after-2", with_id("3"));  // alive, and hence the holder
  put(file + ".new-0", dead("0"));
  EXPECT_THAT(refusal([&] { detail::take_lock(file, with_id("4"), false); }), HasSubstr("run of 3"));
  put(file + ".after-2", dead("3"));
  EXPECT_FALSE(detail::take_lock(file, with_id("4"), false).empty());
  EXPECT_EQ(detail::fact(*detail::holder_of(file), "id"), "4");
  EXPECT_EQ(files_in(folder), std::vector<std::string>{"a.lock"});
}

TEST(Lock, AClaimOnAHolderWhoIsNoLongerThereIsGivenBack) {
  // A slow process saw the dead holder "old"; meanwhile somebody else has succeeded it, or succeeded it and finished.
  const test::TemporaryFolder folder(Communicator::self());
  const std::string file = folder / "a.lock", claim = file + ".after-old";
  for (const bool taken : {true, false}) {
    if (taken) put(file, with_id("new"));
    put(claim, with_id("slow"));
    EXPECT_FALSE(detail::succeed(file, claim, with_id("slow")));
    EXPECT_FALSE(std::filesystem::exists(claim));
    EXPECT_EQ(std::filesystem::exists(file), taken);
    EXPECT_EQ(detail::fact(detail::holder_of(file).value_or(Holder{}), "id"), taken ? "new" : "");
    std::filesystem::remove(file);
  }
  put(file, with_id("old"));
  put(claim, with_id("slow"));
  EXPECT_TRUE(detail::succeed(file, claim, with_id("slow")));
  EXPECT_EQ(detail::fact(*detail::holder_of(file), "id"), "slow");
  EXPECT_EQ(files_in(folder), std::vector<std::string>{"a.lock"});
}

/// `takers` processes that try for the lock at once; how many got it. All are dead in the end, and the lock with them.
int winners_of_a_race(const std::string& file, int takers, int round) {
  int gate[2], results[2];
  if (pipe(gate) != 0 || pipe(results) != 0) return -1;
  std::vector<pid_t> children;
  for (int i = 0; i < takers; ++i) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    close(gate[1]);
    char wait = 0;
    (void)!read(gate[0], &wait, 1);  // until the parent closes it
    char got = 'n';
    try {
      detail::take_lock(file, with_id(fmt::format("{}-{}", round, i)), false);
      got = 'y';
    } catch (const core::RefusedError&) {
    } catch (...) {
      got = '?';
    }
    (void)!write(results[1], &got, 1);
    pause();
  }
  close(gate[0]), close(gate[1]);
  int winners = 0;
  for (int i = 0; i < takers; ++i) {
    char got = 0;
    if (read(results[0], &got, 1) != 1 || got == '?') winners += 1000;
    winners += got == 'y' ? 1 : 0;
  }
  for (const pid_t child : children) kill(child, SIGKILL), waitpid(child, nullptr, 0);
  close(results[0]), close(results[1]);
  return winners;
}

TEST(Lock, OfManyTakersAtOnceOneSucceeds) {
  const test::TemporaryFolder folder(Communicator::self());
  for (int round = 0; round < 40; ++round)  // the first is for a free lock, the others for that of a dead holder
    ASSERT_EQ(winners_of_a_race(folder / "a.lock", 8, round), 1) << "round " << round;
}

TEST(Lock, OtherHostsAreBelievedAliveUntilProvenDead) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string file = folder / "model.h5.lock";
  put(file, elsewhere());
  const Holder mine = with_id("mine");
  for (const bool takeover : {false, true})
    EXPECT_THAT(refusal([&] { detail::take_lock(file, mine, takeover); }),
                AllOf(HasSubstr("on host other-host"), HasSubstr("SLURM job 77"), HasSubstr("--takeover"),
                      HasSubstr("removing " + file)));
}

TEST(Lock, WhatProvesThatAnotherHostsRunIsDead) {
  Holder mine = with_id("mine");
  EXPECT_EQ(detail::proof_of_end(elsewhere({{"host", mine["host"]}}), mine, false), "");
  EXPECT_THAT(detail::proof_of_end(elsewhere({{"host", mine["host"]}}), mine, true), HasSubstr("was started anew"));
  EXPECT_EQ(detail::proof_of_end(elsewhere({{"host", mine["host"]}, {"machine", "x"}}), mine, true), "");
  mine["cluster"] = "there", mine["job"] = "77", mine["restart"] = "1";
  EXPECT_THAT(detail::proof_of_end(elsewhere(), mine, false), HasSubstr("has requeued its job 77"));
  EXPECT_EQ(detail::proof_of_end(elsewhere({{"restart", "1"}}), mine, false), "");
  EXPECT_EQ(detail::proof_of_end(elsewhere({{"cluster", "yonder"}}), mine, false), "");
}

TEST(Lock, SlurmIsAskedOnlyWithTakeover) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string path = std::getenv("PATH");
  setenv("PATH", ((folder / "") + ":" + path).c_str(), 1);
  const auto answer = [&](const std::string& state) {
    std::ofstream(folder / "sacct") << "#!/bin/sh\necho \"$@\" >" << (folder / "asked") << "\necho '" << state << "'\n";
    chmod((folder / "sacct").c_str(), 0755);
  };
  Holder mine = with_id("mine");
  mine["cluster"] = "there", mine["job"] = "78";
  answer("CANCELLED by 1000");
  EXPECT_EQ(detail::proof_of_end(elsewhere(), mine, false), "");
  EXPECT_FALSE(std::filesystem::exists(folder / "asked"));
  EXPECT_THAT(detail::proof_of_end(elsewhere(), mine, true), HasSubstr("job 77 is CANCELLED"));
  for (const char* state : {"RUNNING", "", "PENDING", "COMPLETING"}) {
    answer(state);
    EXPECT_EQ(detail::proof_of_end(elsewhere(), mine, true), "") << state;
  }
  EXPECT_EQ(detail::proof_of_end(elsewhere({{"job", "7; touch " + (folder / "harm")}}), mine, true), "");
  EXPECT_FALSE(std::filesystem::exists(folder / "harm"));
  setenv("PATH", path.c_str(), 1);
}

TEST(Lock, AFileThatNamesNobodyIsLeftToPeople) {
  const test::TemporaryFolder folder(Communicator::self());
  const std::string file = folder / "a.h5.lock";
  std::ofstream(file) << R"({"id": "cut sho)";
  EXPECT_THAT(refusal([&] { detail::take_lock(file, with_id("mine"), true); }), HasSubstr("remove that file and start again"));
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST(Lock, WorksWithoutHardLinks) {
  const test::TemporaryFolder folder(Communicator::self());
  std::ofstream(folder / "prepared") << "mine\n";
  EXPECT_TRUE(detail::place(folder / "prepared", folder / "a.lock", false));
  EXPECT_FALSE(detail::place(folder / "prepared", folder / "a.lock", false));
  std::string text;
  std::getline(std::ifstream(folder / "a.lock"), text);
  EXPECT_EQ(text, "mine");
}

TEST(Lock, AFolderThatCannotBeWrittenIsRefused) {
  const test::TemporaryFolder folder(Communicator::self());
  std::ofstream(folder / "file") << "no folder";
  EXPECT_THAT(refusal([&] {
                OutputLock(Communicator::self(), folder / "file/out/model.h5", {"train", "a.toml"});
              }),
              HasSubstr("file/out: the folder cannot be made"));
  EXPECT_THAT(refusal([&] {
                OutputLock(Communicator::self(), "/proc/model.h5", {"train", "a.toml"});
              }),
              HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace amacrine::io
