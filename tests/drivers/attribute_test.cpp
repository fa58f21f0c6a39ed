// SPDX-License-Identifier: Apache-2.0
#include "drivers/small_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using namespace test_study;

const char* const few_rows = R"(
[simulation.cells.osr]
y = 12.5
x = 12.5
[simulation.cells.anticipation]
y = 12.5
x = 12.5
[model]
height = 24
width = 24
channels = [2, 2]
kernels = [9, 7]
[attribution]
subjects = ["network"]
stimuli = ["osr"]
levels = "channel"
after_ms = 20
)";

/// What `amacrine attribute` warns of where every rate is about `hz`.
std::string warnings(double hz) {
  const test::TemporaryFolder folder;
  Context context = make_context(parallel::Communicator::world(), folder.path(), few_rows);
  write_random_model(context, false, hz);
  testing::internal::CaptureStderr();
  EXPECT_EQ(attribute(context), 0);
  return testing::internal::GetCapturedStderr();
}

TEST(Attribute, WarnsOfRatesThatNoCellReaches) {
  EXPECT_THAT(warnings(50), testing::Not(testing::HasSubstr("warning")));
  const std::string text = warnings(5000);
  EXPECT_THAT(text, testing::HasSubstr("cell 0 (osr) is predicted to fire at"));
  EXPECT_THAT(text, testing::HasSubstr("in window 0 and beyond 1000 Hz in"));
  EXPECT_THAT(text, testing::HasSubstr("cell 1 (anticipation)"));
}

}  // namespace
}  // namespace amacrine::drivers
