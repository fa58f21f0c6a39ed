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

/// Ranks that work side by side, each a group of its own, are counted together.
TEST(RequireMemory, CountsTheGroupsBeside) {
  const Communicator world = Communicator::world();
  const double needed = 0.9 * core::available_memory();
  const auto alone = [&] { require_memory(Communicator::self(), needed, "a test", "do something else"); };
  EXPECT_NO_THROW(alone());
  {
    const MemoryShare share(world, Communicator::self());
    if (world.size() > 1) {
      EXPECT_THROW(alone(), core::RefusedError);
    } else {
      EXPECT_NO_THROW(alone());
    }
  }
  EXPECT_NO_THROW(alone());
}

TEST(RequireMemory, OfOneRankIsRefusedOnAll) {
  const Communicator world = Communicator::world();
  EXPECT_THAT(refusal(world.rank() == world.size() - 1 ? 1e18 : 0), HasSubstr("a test needs 1e+03 PB"));
  EXPECT_THAT(refusal(std::numeric_limits<double>::quiet_NaN()), HasSubstr("a test needs"));
}

}  // namespace
}  // namespace amacrine::parallel
