// SPDX-License-Identifier: Apache-2.0
// A checkpoint keeps every number of a training's state, and is durable before it takes the place of the one before.
#include "amacrine/training/checkpoint.hpp"

#include "support/compare.hpp"
#include "support/durability.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;

/// No two numbers alike, none as a new state has it.
TrainState distinct_state() {
  TrainState s;
  s.step = 11;
  s.parameters = {1.5F, 2.5F}, s.first = {3.5F}, s.second = {4.5F, 5.5F, 6.5F}, s.average = {7.5F};
  s.statistics = {8.25, 9.25};
  s.loss_sum = 10.25, s.loss_steps = 12, s.seconds = 13.25, s.epoch_seconds = 14.25;
  s.plateau.scale = 0.125;
  s.plateau.watch = {15.25, true, 16};
  s.early = {17.25, true, 18}, s.best = {19.25, true, 20};
  s.best_parameters = {21.5F, 22.5F}, s.best_statistics = {23.5F};
  s.stopped_early = true;
  s.curve.push_back({1, 24, 25, 26, 27, 28, 29, {30, 31}, 32, 33, true});
  s.curve.push_back({2, 34, 35, 36, 37, 38, 39, {40, 41}, 42, 43, false});
  return s;
}

void expect_watch(const Watch& found, const Watch& wanted, const char* name) {
  EXPECT_EQ(found.best, wanted.best) << name;
  EXPECT_EQ(found.any, wanted.any) << name;
  EXPECT_EQ(found.waiting, wanted.waiting) << name;
}

void expect_record(const EpochRecord& found, const EpochRecord& wanted) {
  EXPECT_EQ(found.epoch, wanted.epoch);
  EXPECT_EQ(found.windows, wanted.windows);
  EXPECT_EQ(found.learning_rate, wanted.learning_rate);
  EXPECT_EQ(found.train_loss, wanted.train_loss);
  EXPECT_EQ(found.penalty, wanted.penalty);
  EXPECT_EQ(found.validation_loss, wanted.validation_loss);
  EXPECT_EQ(found.validation_r, wanted.validation_r);
  EXPECT_EQ(found.cell_r, wanted.cell_r);
  EXPECT_EQ(found.seconds, wanted.seconds);
  EXPECT_EQ(found.windows_per_second, wanted.windows_per_second);
  EXPECT_EQ(found.best, wanted.best);
}

TEST(Checkpoint, KeepsEveryNumberOfTheState) {
  const test::TemporaryFolder folder;
  const TrainState wanted = distinct_state();
  write_checkpoint(Communicator::world(), folder / "c", wanted, "a = 1\n");
  const auto read = read_checkpoint(Communicator::world(), folder / "c", "a = 1\n");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->step, wanted.step);
  EXPECT_EQ(read->parameters, wanted.parameters);
  EXPECT_EQ(read->first, wanted.first);
  EXPECT_EQ(read->second, wanted.second);
  EXPECT_EQ(read->average, wanted.average);
  EXPECT_EQ(read->statistics, wanted.statistics);
  EXPECT_EQ(read->loss_sum, wanted.loss_sum);
  EXPECT_EQ(read->loss_steps, wanted.loss_steps);
  EXPECT_EQ(read->seconds, wanted.seconds);
  EXPECT_EQ(read->epoch_seconds, wanted.epoch_seconds);
  EXPECT_EQ(read->plateau.scale, wanted.plateau.scale);
  expect_watch(read->plateau.watch, wanted.plateau.watch, "plateau");
  expect_watch(read->early, wanted.early, "early");
  expect_watch(read->best, wanted.best, "best");
  EXPECT_EQ(read->best_parameters, wanted.best_parameters);
  EXPECT_EQ(read->best_statistics, wanted.best_statistics);
  EXPECT_EQ(read->stopped_early, wanted.stopped_early);
  ASSERT_EQ(read->curve.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) expect_record(read->curve[i], wanted.curve[i]);
}

TEST(Checkpoint, IsSyncedBeforeItReplacesTheOneBefore) {
  const test::TemporaryFolder folder;
  write_checkpoint(Communicator::world(), folder / "c", distinct_state(), "a = 1\n");
  test::file_events().clear();
  write_checkpoint(Communicator::world(), folder / "c", distinct_state(), "a = 1\n");
  const auto [file, name] = test::made_durable(folder / "c");
  EXPECT_TRUE(file) << "the checkpoint was renamed before it was durable";
  EXPECT_TRUE(name) << "the new name is not durable";
}

/// What a diverging training goes back to: damage is told, and another training's is passed over in silence, as a missing one is.
TEST(Checkpoint, SaysWhyTheStateOfAnEpochCannotBeUsed) {
  const test::TemporaryFolder folder;
  const Communicator world = Communicator::world();
  const auto said = [&](const std::string& identity) {
    testing::internal::CaptureStderr();
    const bool found = read_epoch_state(world, folder / "c", identity).has_value();
    return std::pair{found, testing::internal::GetCapturedStderr()};
  };
  EXPECT_EQ(said("a = 1\n"), (std::pair{false, std::string()}));
  write_epoch_state(world, folder / "c", distinct_state(), "a = 1\n");
  EXPECT_EQ(said("a = 1\n"), (std::pair{true, std::string()}));
  EXPECT_EQ(said("a = 2\n"), (std::pair{false, std::string()}));
  std::fstream file(folder / "c.epoch", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(200);
  file.put('?');
  file.close();
  const auto [found, warning] = said("a = 1\n");
  EXPECT_FALSE(found);
  EXPECT_THAT(warning, testing::AllOf(testing::HasSubstr("c.epoch is damaged"), testing::HasSubstr("cannot go back")));
}

}  // namespace
}  // namespace amacrine::training
