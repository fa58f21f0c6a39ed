// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/io/status_file.hpp"
#include "amacrine/parallel/environment.hpp"
#include "support/compare.hpp"

#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace amacrine::io {
namespace {

using test::TemporaryFolder;

using parallel::Communicator;

class StatusFileTest : public testing::Test {
 protected:
  Communicator world_ = Communicator::world();
  TemporaryFolder folder_{world_};
  std::string path_ = folder_ / "train.status.json";

  /// As it lies there, once all ranks have done their part.
  nlohmann::json found() const {
    world_.barrier();
    const auto json = nlohmann::json::parse(std::ifstream(path_), nullptr, false);
    world_.barrier();
    return json;
  }
  void put(const nlohmann::ordered_json& json) const {
    if (world_.root()) std::ofstream(path_) << json.dump(2);
    world_.barrier();
  }
  StatusFile::Facts facts() const { return {"train", "a.toml", "0123456789abcdef"}; }
};

TEST_F(StatusFileTest, TellsStateAndWho) {
  StatusFile status(world_, folder_ / "", facts());
  std::int64_t pid = getpid();
  world_.broadcast(&pid, sizeof pid);
  const auto running = found();
  EXPECT_EQ(running["state"], "running");
  EXPECT_EQ(running["verb"], "train");
  EXPECT_EQ(running["study"], "a.toml");
  EXPECT_EQ(running["study_hash"], "0123456789abcdef");
  EXPECT_EQ(running["pid"], pid);
  EXPECT_EQ(running["host"], parallel::host_name());
  EXPECT_EQ(running["ranks"], world_.size());
  EXPECT_TRUE(running["exit_code"].is_null());
  EXPECT_EQ(std::string(running["since"]).size(), std::string("2026-01-01T00:00:00Z").size());
}

TEST_F(StatusFileTest, TellsTheEnd) {
  const std::pair<int, const char*> ends[] = {{0, "finished"}, {75, "stopped"}, {1, "failed"}, {4, "failed"}};
  for (const auto& [code, state] : ends) {
    StatusFile status(world_, folder_ / "", facts());
    world_.barrier();
    // A rank that ends the job alone tells, too.
    if (world_.rank() == world_.size() - 1) status.end(code, code == 0 ? "" : "because");
    const auto ended = found();
    EXPECT_EQ(ended["state"], state);
    EXPECT_EQ(ended["exit_code"], code);
    EXPECT_EQ(ended["reason"], code == 0 ? "" : "because");
  }
}

TEST_F(StatusFileTest, FollowsTheProgress) {
  const StatusFile status(world_, folder_ / "", facts());
  if (world_.root()) {
    core::set_log_level("quiet");
    core::Progress progress("train", 10, "windows");
    sleep(3);
    progress.update(4);
  }
  const auto running = found();
  EXPECT_EQ(running["progress"]["done"], 4);
  EXPECT_EQ(running["progress"]["of"], 10);
  EXPECT_EQ(running["progress"]["unit"], "windows");
}

/// A run at work is not talked over: on this host while its process lives, on another until the output's lock is held.
TEST_F(StatusFileTest, LeavesARunAtWorkAlone) {
  nlohmann::ordered_json other{{"state", "running"}, {"host", parallel::host_name()}, {"pid", getppid()}, {"mark", 1}};
  put(other);
  {
    StatusFile status(world_, folder_ / "", facts());
    if (world_.root()) status.end(1, "refused");
    EXPECT_TRUE(found().contains("mark"));
  }
  other["host"] = "elsewhere", other["pid"] = 1;
  put(other);
  {
    StatusFile status(world_, folder_ / "", facts());
    EXPECT_TRUE(found().contains("mark"));
    status.take();
    EXPECT_FALSE(found().contains("mark"));
    EXPECT_EQ(found()["state"], "running");
  }
}

TEST_F(StatusFileTest, SupersedesADeadRun) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  put({{"state", "running"}, {"host", parallel::host_name()}, {"pid", child}, {"mark", 1}});
  const StatusFile status(world_, folder_ / "", facts());
  EXPECT_FALSE(found().contains("mark"));
}

/// A folder that cannot be made is no fault of the run.
TEST_F(StatusFileTest, MayBeImpossible) {
  if (world_.root()) std::ofstream(folder_ / "file") << "no folder";
  world_.barrier();
  StatusFile status(world_, folder_ / "file/below", facts());
  if (world_.root()) {
    EXPECT_NO_THROW(status.end(0, ""));
  }
}

}  // namespace
}  // namespace amacrine::io
