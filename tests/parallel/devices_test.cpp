// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/devices.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

using testing::HasSubstr;

TEST(Devices, RanksWithAGpuEachAreToldAndNotWarned) {
  const std::vector<Placement> ranks{{"a", "g0"}, {"a", "g1"}, {"b", "g0"}};
  EXPECT_EQ(gpu_line(ranks), "2 ranks on 2 GPUs of a, 1 rank on 1 GPU of b");
  EXPECT_EQ(gpu_warning(ranks), "") << "GPUs of two hosts may have one name";
}

TEST(Devices, RanksThatShareAGpuAreWarned) {
  const std::vector<Placement> ranks{{"a", "g0"}, {"b", "g0"}, {"b", "g1"}, {"b", "g0"}, {"b", "g1"}};
  EXPECT_EQ(gpu_line(ranks), "1 rank on 1 GPU of a, 4 ranks on 2 GPUs of b");
  EXPECT_THAT(gpu_warning(ranks), testing::AllOf(HasSubstr("4 ranks on b share 2 GPUs"), HasSubstr("--ntasks-per-node=2"),
                                                 HasSubstr("--gpus-per-node=4")));
  // The advice: two ranks a node, or four GPUs.
  EXPECT_EQ(gpu_warning({{"a", "g0"}, {"b", "g0"}, {"b", "g1"}}), "");
  EXPECT_EQ(gpu_warning({{"b", "g0"}, {"b", "g1"}, {"b", "g2"}, {"b", "g3"}}), "");
}

TEST(Devices, HostsWithoutGpusAreNothingToTell) {
  EXPECT_EQ(gpu_line({{"a", ""}, {"a", ""}}), "");
  EXPECT_EQ(gpu_warning({{"a", ""}, {"a", ""}}), "");
}

}  // namespace
}  // namespace amacrine::parallel
