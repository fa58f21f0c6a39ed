// SPDX-License-Identifier: Apache-2.0
// What a job ends with when its ranks end differently.
#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/parallel/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

/// The job's code where each rank does what `body` says.
int code_of(const std::function<int(int rank, int last)>& body) {
  const Communicator world = Communicator::world();
  return run_guarded([&] { return body(world.rank(), world.size() - 1); });
}

TEST(RunGuarded, TheLowestRankThatThrowsDecides) {
  testing::internal::CaptureStderr();
  const int code = code_of([](int rank, int) -> int {
    if (rank == 0) core::fail<core::StudyError>("the study");
    core::fail<core::RefusedError>("the disk");
  });
  EXPECT_EQ(code, 2);
  const std::string said = testing::internal::GetCapturedStderr();
  const Communicator world = Communicator::world();
  if (world.root() && world.size() == 1) {
    EXPECT_EQ(said, "error: the study\n");
  } else if (world.root()) {
    EXPECT_THAT(said, testing::HasSubstr("error on rank 0: the study\nerror on rank 1: the disk\n"));
  } else {
    EXPECT_EQ(said, "") << "rank 0 speaks for all";
  }
}

TEST(RunGuarded, AnErrorOfOneRankBeatsWhatTheOthersReturn) {
  testing::internal::CaptureStderr();
  const int code = code_of([](int rank, int last) -> int {
    if (rank == last) core::fail<core::InputError>("the recording");
    return 75;
  });
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 3);
}

TEST(RunGuarded, OfCodesReturnedTheLargestCounts) {
  EXPECT_EQ(code_of([](int rank, int last) { return rank == last ? 75 : 0; }), 75);
  EXPECT_EQ(code_of([](int rank, int) { return rank == 0 ? 75 : 0; }), 75);
  EXPECT_EQ(code_of([](int, int) { return 0; }), 0);
}

}  // namespace
}  // namespace amacrine::parallel
