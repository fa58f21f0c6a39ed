// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

TEST(RunGuarded, TurnsErrorsIntoCodesAndOneMessage) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_guarded([]() -> int { core::fail<core::InputError>("file.h5: {}", "cut short"); }), 3);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "error: file.h5: cut short\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_guarded([]() -> int { core::fail<core::StudyError>("x"); }), 2);
  EXPECT_EQ(run_guarded([]() -> int { core::fail<core::RefusedError>("x"); }), 4);
  EXPECT_EQ(run_guarded([]() -> int { throw std::runtime_error("x"); }), 1);
  EXPECT_EQ(run_guarded([]() -> int { throw std::bad_alloc(); }), 1);
  EXPECT_EQ(run_guarded([]() -> int { throw 5; }), 1);
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(run_guarded([] { return 75; }), 75);
  EXPECT_EQ(run_guarded([] { return 0; }), 0);
}

TEST(Environment, NamesTheMachine) {
  EXPECT_GE(thread_count(), 1);
  EXPECT_FALSE(device_name().empty());
  EXPECT_FALSE(host_name().empty());
}

}  // namespace
}  // namespace amacrine::parallel
