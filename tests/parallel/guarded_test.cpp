// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/environment.hpp"

#include <cstdlib>
#include <string>
#include <sys/utsname.h>

#include <Kokkos_Core.hpp>
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
  struct utsname system {};
  ASSERT_EQ(uname(&system), 0);
  EXPECT_EQ(host_name(), system.nodename);
  EXPECT_EQ(device_name(), Kokkos::DefaultExecutionSpace::name());
  // ctest starts this on as many threads as OMP_NUM_THREADS says; a build without threads has one.
  const char* wanted = std::getenv("OMP_NUM_THREADS");
  const bool threads = std::string(Kokkos::DefaultHostExecutionSpace::name()) != "Serial";
  if (!threads) {
    EXPECT_EQ(thread_count(), 1);
  } else if (wanted != nullptr) {
    EXPECT_EQ(thread_count(), std::atoi(wanted));
  }
  EXPECT_THAT(mpi_version(), testing::MatchesRegex(".*MPI.*[0-9]+\\.[0-9]+.*"));
  EXPECT_THAT(mpi_version(), testing::Not(testing::HasSubstr(",")));
}

}  // namespace
}  // namespace amacrine::parallel
