// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/node_memory.hpp"
#include "amacrine/parallel/together.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

/// This process's share of the memory it sees, in bytes: what several processes share counts to each in parts (Linux, proc(5)).
double proportional_bytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string word; rollup >> word;)
    if (double kib = 0; word == "Pss:" && rollup >> kib) return 1024 * kib;
  return 0;
}

double sum_over_ranks(const Communicator& ranks, double value) {
  double total = 0;
  for (const double each : ranks.gather_all<double>(std::span<const double>(&value, 1))) total += each;
  return total;
}

}  // namespace

TEST(NodeMemory, IsFilledByOneRankAndSeenByAll) {
  const Communicator world = Communicator::world();
  int fills = 0;
  const std::shared_ptr<const std::byte> memory = node_memory(world, 100'000, [&](std::byte* to) {
    ++fills;
    for (std::size_t i = 0; i < 100'000; ++i) to[i] = static_cast<std::byte>(i % 251);
  });
  EXPECT_EQ(world.sum(fills), 1);
  EXPECT_EQ(fills, first_of_node(world) ? 1 : 0);
  for (std::size_t i = 0; i < 100'000; ++i) ASSERT_EQ(memory.get()[i], static_cast<std::byte>(i % 251)) << i;
}

TEST(NodeMemory, LivesAsLongAsAnyRankKeepsIt) {
  const Communicator world = Communicator::world();
  std::shared_ptr<const std::byte> memory = node_memory(world, 4096, [](std::byte* to) { std::memset(to, 7, 4096); });
  if (first_of_node(world)) memory.reset();  // the one that made it lets go first
  world.barrier();
  if (memory) {
    EXPECT_TRUE(std::all_of(memory.get(), memory.get() + 4096, [](std::byte b) { return b == std::byte{7}; }));
  }
}

TEST(NodeMemory, IsThereOnceHoweverManyRanksSeeIt) {
  const Communicator world = Communicator::world();
  constexpr std::size_t bytes = 64 << 20;
  world.barrier();
  const double before = sum_over_ranks(world, proportional_bytes());
  ASSERT_GT(before, 0);
  const auto memory = node_memory(world, bytes, [](std::byte* to) { std::memset(to, 1, bytes); });
  std::size_t seen = 0;
  for (std::size_t i = 0; i < bytes; i += 4096) seen += static_cast<std::size_t>(memory.get()[i]);
  EXPECT_EQ(seen, bytes / 4096);  // and every rank has looked at all of it
  world.barrier();
  const double after = sum_over_ranks(world, proportional_bytes());
  EXPECT_GT(after - before, 0.9 * bytes);
  EXPECT_LT(after - before, 1.1 * bytes);
}

TEST(NodeMemory, WhatFillingThrowsEveryRankThrows) {
  const Communicator world = Communicator::world();
  EXPECT_THROW(node_memory(world, 10, [](std::byte*) { throw core::InputError("no such movie"); }), core::InputError);
  world.barrier();  // and all go on
}

TEST(NodeMemory, OfNoBytesIsFilledToo) {
  int fills = 0;
  node_memory(Communicator::world(), 0, [&](std::byte*) { ++fills; });
  EXPECT_EQ(Communicator::world().sum(fills), 1);
}

TEST(OnSome, RunsWhereAskedAndThrowsWhatTheFirstThrew) {
  const Communicator world = Communicator::world();
  int runs = 0;
  on_some(world, world.rank() != 1, [&] { ++runs; });
  EXPECT_EQ(runs, world.rank() != 1 ? 1 : 0);
  std::string text;
  try {
    on_some(world, true, [&] { throw core::RefusedError("rank " + std::to_string(world.rank())); });
  } catch (const core::RefusedError& error) {
    text = error.what();
  }
  EXPECT_EQ(text, "rank 0");
}

}  // namespace amacrine::parallel
