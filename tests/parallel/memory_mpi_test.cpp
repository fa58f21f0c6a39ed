// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/memory.hpp"
#include "amacrine/parallel/memory.hpp"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string refusal(double bytes) {
  try {
    require_memory(Communicator::world(), bytes, "a test", "do something else");
  } catch (const core::RefusedError& error) {
    return error.what();
  }
  return "(not refused)";
}

TEST(RequireMemory, AddsUpTheRanksOfAHost) {
  const Communicator world = Communicator::world();
  const double ranks = world.size(), left = core::available_memory();
  EXPECT_EQ(refusal(left / ranks / 4), "(not refused)");
  EXPECT_THAT(refusal(2 * left / ranks), AllOf(HasSubstr("a test needs"), HasSubstr("do something else"),
                                               HasSubstr("for " + std::to_string(world.size()) + " rank")));
}

TEST(RequireMemory, OfOneRankIsRefusedOnAll) {
  const Communicator world = Communicator::world();
  EXPECT_THAT(refusal(world.rank() == world.size() - 1 ? 1e18 : 0), HasSubstr("a test needs 1e+03 PB"));
  EXPECT_THAT(refusal(std::numeric_limits<double>::quiet_NaN()), HasSubstr("a test needs"));
}

}  // namespace
}  // namespace amacrine::parallel
