// SPDX-License-Identifier: Apache-2.0
// Test main: every rank runs every test; rank 0 prints, other ranks print their failures with their rank; the result is the
// worst of all ranks, and a run without any test fails.
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/parallel/environment.hpp"

#include <cstdio>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

/// Failures of ranks other than 0, one line each.
class RankPrinter : public testing::EmptyTestEventListener {
 public:
  explicit RankPrinter(int rank) : rank_(rank) {}
  // The test's name is kept here: asking for it inside OnTestPartResult would wait for the lock held by the caller.
  void OnTestStart(const testing::TestInfo& test) override { test_ = std::string(test.test_suite_name()) + "." + test.name(); }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "[rank %d] %s: %s:%d: %s\n", rank_, test_.c_str(), result.file_name() ? result.file_name() : "?",
                 result.line_number(), result.message());
    std::fflush(stderr);
  }

 private:
  int rank_;
  std::string test_ = "no test";
};

int run_tests() {
  const auto world = amacrine::parallel::Communicator::world();
  if (!world.root()) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new RankPrinter(world.rank()));
  }
  int result = RUN_ALL_TESTS();
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    if (world.root()) std::fprintf(stderr, "no test was run\n");
    result = 1;
  }
  return world.any(result != 0) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  if (testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
  const amacrine::parallel::Environment environment(argc, argv);
  return amacrine::parallel::run_guarded(run_tests);
}
