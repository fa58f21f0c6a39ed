// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/parallel/ordered_sum.hpp"

#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

using core::Random;
using core::Stream;

TEST(Split, CoversEveryIdOnce) {
  for (std::size_t count : {0u, 1u, 5u, 16u, 17u})
    for (std::size_t parts : {1u, 2u, 3u, 4u, 7u}) {
      std::size_t next = 0;
      for (std::size_t part = 0; part < parts; ++part) {
        const Range range = split(count, parts, part);
        EXPECT_EQ(range.begin, next);
        EXPECT_EQ(range.begin, part * count / parts);
        next = range.end;
      }
      EXPECT_EQ(next, count);
    }
  EXPECT_THROW(split(3, 2, 2), core::Error);
  const std::size_t huge = std::size_t{1} << 62;
  EXPECT_EQ(split(huge, 8, 7).end, huge);
}

template <class T>
std::vector<T> shard_values(std::size_t shard, std::size_t length) {
  Random random(3, Stream::test, shard);
  std::vector<T> values(length);
  // Values of very different size, so that the order of summation shows in the bits.
  for (T& value : values) value = static_cast<T>(random.normal() * std::pow(10.0, random.uniform(-6, 6)));
  return values;
}

template <class T>
void check_ordered_sum(std::size_t shards, std::size_t length, std::size_t together = 1) {
  const Communicator world = Communicator::world();
  const parallel::Shards all(shards, together);
  std::vector<T> local;
  EXPECT_EQ(world.owned(all).size() % together, 0u);
  for (std::size_t s = world.owned(all).begin; s < world.owned(all).end; ++s) {
    const auto values = shard_values<T>(s, length);
    local.insert(local.end(), values.begin(), values.end());
  }
  std::vector<T> total(length);
  world.ordered_sum<T>(local, all, total);
  // The same sum on this rank alone, in double and in the order of the shards.
  std::vector<double> sums(length, 0.0);
  for (std::size_t s = 0; s < shards; ++s) {
    const auto values = shard_values<T>(s, length);
    for (std::size_t i = 0; i < length; ++i) sums[i] += static_cast<double>(values[i]);
  }
  const std::vector<T> expected(sums.begin(), sums.end());
  EXPECT_EQ(std::memcmp(total.data(), expected.data(), length * sizeof(T)), 0) << shards << " shards x " << length;
  // Begun twice, with another sum in between, as a step does it; the local values are gone by then.
  std::vector<T> first(length), second(length);
  OrderedSum<T> one(world, local, all, first), two(world, local, all, second);
  world.ordered_sum<T>(local, all, total);
  std::fill(local.begin(), local.end(), T(0));
  one.finish();
  two.finish();
  for (const std::vector<T>& later : {first, second, total})
    EXPECT_EQ(std::memcmp(later.data(), expected.data(), length * sizeof(T)), 0) << shards << " shards x " << length;
}

TEST(Communicator, OrderedSumHasTheSameBitsOnAnyNumberOfRanks) {
  for (std::size_t shards : {4u, 5u, 16u})
    for (std::size_t length : {1u, 3u, 1000u, 5003u}) {
      check_ordered_sum<float>(shards, length);
      check_ordered_sum<double>(shards, length);
    }
  check_ordered_sum<float>(12, 1000, 3);
  check_ordered_sum<double>(18, 1000, 3);
}

TEST(Communicator, AnOrderedSumThatIsNotFinishedLeavesOthersAlone) {
  {
    const Communicator world = Communicator::world();
    std::vector<float> local(world.owned(8).size() * 5000, 1.0f), total(5000);
    OrderedSum<float> left(world, local, 8, total);
  }
  check_ordered_sum<float>(8, 5000);
}

TEST(Communicator, OrderedSumRefusesMoreRanksThanShardsAndWrongSizes) {
  const Communicator world = Communicator::world();
  std::vector<double> total(3);
  if (world.size() > 1) {
    const std::vector<double> local(world.owned(1).size() * 3);
    EXPECT_THROW(world.ordered_sum<double>(local, 1, total), core::Error);
    const parallel::Shards pair(2, 2);
    EXPECT_THROW(world.ordered_sum<double>(std::vector<double>(world.owned(pair).size() * 3), pair, total), core::Error);
  }
  EXPECT_THROW(world.ordered_sum<double>(std::vector<double>(100), 4, total), core::Error);
}

TEST(Communicator, GathersBlocksInRankOrder) {
  const Communicator world = Communicator::world();
  const auto rank = static_cast<std::size_t>(world.rank()), ranks = static_cast<std::size_t>(world.size());
  const std::vector<std::int32_t> local(rank + 1, world.rank());
  const auto all = world.gather_all<std::int32_t>(local);
  std::vector<std::int32_t> expected;
  for (std::size_t r = 0; r < ranks; ++r) expected.insert(expected.end(), r + 1, static_cast<std::int32_t>(r));
  EXPECT_EQ(all, expected);
  EXPECT_EQ(world.gather_all<float>(std::vector<float>(2, 0.5f)).size(), 2 * ranks);
}

TEST(Communicator, SharesFlagsNumbersAndText) {
  const Communicator world = Communicator::world();
  const int last = world.size() - 1;
  EXPECT_TRUE(world.any(world.rank() == last));
  EXPECT_FALSE(world.any(false));
  EXPECT_EQ(world.maximum(world.rank()), last);
  EXPECT_EQ(world.sum((std::int64_t{1} << 40) + world.rank()), world.size() * (std::int64_t{1} << 40) + world.size() * last / 2);
  EXPECT_EQ(world.broadcast("rank " + std::to_string(world.rank()), last), "rank " + std::to_string(last));
  EXPECT_EQ(world.broadcast(world.root() ? std::string("longer text of the root") : std::string()), "longer text of the root");
}

TEST(Communicator, SplitsIntoGroupsByColour) {
  const Communicator world = Communicator::world();
  const Communicator group = world.split_by(world.rank() % 2);
  EXPECT_EQ(group.size(), (world.size() + 1 - world.rank() % 2) / 2);
  EXPECT_EQ(group.rank(), world.rank() / 2);
  EXPECT_EQ(Communicator::self().size(), 1);
}

}  // namespace
}  // namespace amacrine::parallel
