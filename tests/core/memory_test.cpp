// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/memory.hpp"

#include "support/compare.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

namespace amacrine::core {
namespace {

/// A folder that looks like /proc and /sys/fs/cgroup of a machine with 100 kB available.
class Memory : public testing::Test {
 protected:
  Memory() : folder_(parallel::Communicator::self()) {
    put("proc/meminfo", "MemTotal:  500 kB\nMemFree:  50 kB\nMemAvailable:   100 kB\n");
  }
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  double left() const { return available_memory(folder_ / "proc", folder_ / "cgroup"); }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(Memory, IsWhatTheSystemHasWithoutLimits) {
  EXPECT_EQ(left(), 102400);
  put("proc/self/cgroup", "0::/job/step\n");
  put("cgroup/job/step/memory.max", "max\n");
  put("cgroup/job/step/memory.current", "5\n");
  EXPECT_EQ(left(), 102400);
}

TEST_F(Memory, IsWhatTheTightestGroupLeaves) {
  put("proc/self/cgroup", "0::/job/step\n");
  put("cgroup/job/step/memory.max", "70000\n");
  put("cgroup/job/step/memory.current", "10000\n");
  EXPECT_EQ(left(), 60000);
  put("cgroup/job/memory.max", "50000\n");  // above it, and shared with other steps
  put("cgroup/job/memory.current", "45000\n");
  EXPECT_EQ(left(), 5000);
  put("cgroup/job/memory.stat", "anon 5000\ninactive_file 20000\n");  // pages that give way
  EXPECT_EQ(left(), 25000);
}

TEST_F(Memory, KnowsTheFirstVersionOfGroupsToo) {
  put("proc/self/cgroup", "9:name=systemd:/\n4:memory:/slurm/job_7\n1:cpu:/\n");
  put("cgroup/memory/slurm/job_7/memory.limit_in_bytes", "30000\n");
  put("cgroup/memory/slurm/job_7/memory.usage_in_bytes", "10000\n");
  put("cgroup/memory/slurm/job_7/memory.stat", "total_inactive_file 4000\n");
  EXPECT_EQ(left(), 24000);
}

TEST_F(Memory, IsNoMoreThanTheAddressSpaceLeaves) {
  const long page = sysconf(_SC_PAGESIZE);
  put("proc/self/statm", "3 1 1 1 0 1 0\n");
  put("proc/self/limits",
      "Limit                     Soft Limit           Hard Limit           Units\n"
      "Max address space         unlimited            unlimited            bytes\n");
  EXPECT_EQ(left(), 102400);
  put("proc/self/limits",
      "Max cpu time              5                    5                    seconds\n"
      "Max address space         40000                90000                bytes\n");
  EXPECT_EQ(left(), 40000 - 3 * page);
  put("proc/self/statm", "3000 1 1 1 0 1 0\n");  // the limit came after the memory
  EXPECT_EQ(left(), 0);
}

}  // namespace
}  // namespace amacrine::core
