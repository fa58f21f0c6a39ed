// SPDX-License-Identifier: Apache-2.0
// What is too large for one message: the same results in many pieces.
#include "../../src/parallel/pieces.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/parallel/ordered_sum.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

class SmallPieces : public testing::Test {
 protected:
  SmallPieces() : before_(detail::pieces()) {}
  ~SmallPieces() override { detail::pieces() = before_; }
  const Communicator world_ = Communicator::world();

 private:
  detail::Pieces before_;
};

/// Whole numbers, so that the sum over shards has a closed form: sum_s (1000 s + i) = 1000 S (S - 1) / 2 + S i.
TEST_F(SmallPieces, OrderedSum) {
  constexpr std::size_t shards = 6, length = 53;
  std::vector<double> local;
  const Range mine = world_.owned(shards);
  for (std::size_t s = mine.begin; s < mine.end; ++s)
    for (std::size_t i = 0; i < length; ++i) local.push_back(1000.0 * static_cast<double>(s) + static_cast<double>(i));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, length - 1, length}) {
    detail::pieces().sum_values = piece * shards;
    std::vector<double> total(length, -1.0);
    world_.ordered_sum<double>(local, shards, total);
    std::vector<double> later(length, -1.0);
    OrderedSum<double>(world_, local, shards, later).finish();
    for (std::size_t i = 0; i < length; ++i)
      ASSERT_EQ(total[i], 15000.0 + 6.0 * static_cast<double>(i)) << "value " << i << " in pieces of " << piece;
    EXPECT_EQ(later, total);
  }
}

TEST_F(SmallPieces, Broadcast) {
  detail::pieces().broadcast_bytes = 16;
  const int last = world_.size() - 1;
  std::vector<std::int64_t> values(21, -1), expected(21);
  std::iota(expected.begin(), expected.end(), 5);
  if (world_.rank() == last) values = expected;
  world_.broadcast(values.data(), values.size() * sizeof(std::int64_t), last);
  EXPECT_EQ(values, expected);
}

TEST_F(SmallPieces, Gather) {
  detail::pieces().gather_values = 0;
  detail::pieces().broadcast_bytes = 12;
  std::vector<float> local, expected;
  for (int r = 0; r < world_.size(); ++r)
    for (int i = 0; i < 3 * r + 2; ++i) {
      expected.push_back(static_cast<float>(100 * r + i));
      if (r == world_.rank()) local.push_back(expected.back());
    }
  EXPECT_EQ(world_.gather_all<float>(local), expected);
}

}  // namespace
}  // namespace amacrine::parallel
