// SPDX-License-Identifier: Apache-2.0
// What the settings of a training do to its weights and statistics, seen from outside.
#include "amacrine/training/adam.hpp"
#include "amacrine/training/initialise.hpp"
#include "synthetic.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;

class SmallTraining : public testing::Test {
 protected:
  TrainingRun run() const {
    TrainingRun made = synthetic::make_run(recording_);
    made.settings.schedule.kind = Schedule::constant;
    return made;
  }
  TrainingResult train(const TrainingRun& run) const { return train_model(Communicator::self(), run); }

 private:
  const recording::Recording recording_ = synthetic::make_recording(2000, 1, 21);
};

/// A plateau schedule that nothing can satisfy: every `patience` epochs the rate falls.
TrainingRun falling(TrainingRun run, double factor, int patience, std::size_t epochs) {
  ScheduleSettings& schedule = run.settings.schedule;
  schedule.kind = Schedule::plateau;
  schedule.threshold = 1e9, schedule.factor = factor, schedule.patience = patience;
  run.settings.epoch_windows = 40, run.settings.total_windows = 40 * epochs;
  return run;
}

TEST_F(SmallTraining, ThePlateauScheduleLowersTheRate) {
  TrainingRun run = falling(this->run(), 0.5, 2, 6);
  run.settings.schedule.min_rate = 0.3 * run.settings.learning_rate;
  const TrainingResult result = train(run);
  ASSERT_EQ(result.curve.size(), 6U);
  // The first epoch sets the best value; the second and third do not improve it, nor do the fourth and fifth.
  const double scales[] = {1, 1, 1, 0.5, 0.5, 0.3};
  for (std::size_t epoch = 0; epoch < 6; ++epoch)
    EXPECT_NEAR(result.curve[epoch].learning_rate, scales[epoch] * run.settings.learning_rate, 1e-15) << "epoch " << epoch + 1;
}

/// Once the rate is a trillionth of what it was, the weights stand still, and so does their penalty.
TEST_F(SmallTraining, TheLoweredRateIsTheOneThatMovesTheWeights) {
  const TrainingResult two = train(falling(run(), 1e-12, 1, 2)), four = train(falling(run(), 1e-12, 1, 4));
  ASSERT_EQ(four.curve.size(), 4U);
  EXPECT_NEAR(four.curve[3].penalty, two.curve[1].penalty, 1e-6 * two.curve[1].penalty);
  EXPECT_GT(std::abs(two.curve[1].penalty - two.curve[0].penalty), 1e-5 * two.curve[0].penalty) << "a full rate moves them";
}

TEST_F(SmallTraining, ARecordSaysTheRateOfTheOneCycleSchedule) {
  TrainingRun run = this->run();
  run.settings.schedule.kind = Schedule::one_cycle;
  run.settings.epoch_windows = 40, run.settings.total_windows = 40 * 11;
  const TrainingResult result = train(run);
  ASSERT_EQ(result.curve.size(), 11U);
  // From 1/25 of the rate along half a cosine to the whole at 3/10 of the way, then along another one to 1/1000.
  const double top = run.settings.learning_rate, pi = std::acos(-1.0);
  for (int step = 0; step <= 10; ++step) {
    const bool rising = step < 3;
    const double from = rising ? top / 25 : top, to = rising ? top : top / 1000, way = rising ? step / 3.0 : (step - 3) / 7.0;
    EXPECT_NEAR(result.curve[static_cast<std::size_t>(step)].learning_rate, from + (to - from) * (1 - std::cos(pi * way)) / 2,
                1e-12)
        << "step " << step;
  }
}

/// After one step running statistics are momentum * initial + (1 - momentum) * batch; momentum 0 shows the batch's.
TEST_F(SmallTraining, TheMomentumOfRunningStatisticsWeighsThePast) {
  TrainingRun run = this->run();
  run.settings.running_statistics = true;
  run.settings.total_windows = run.settings.epoch_windows = 40;
  const auto statistics = [&](double momentum) {
    run.architecture.norm_momentum = momentum;
    return train(run).model.statistics;
  };
  const std::vector<double> initial = initial_statistics(model::make_layout(run.architecture));
  const std::vector<float> batch = statistics(0.0), mixed = statistics(0.9), past = statistics(1.0);
  ASSERT_EQ(mixed.size(), initial.size());
  double moved = 0;
  for (std::size_t i = 0; i < initial.size(); ++i) {
    const double now = static_cast<double>(batch[i]);
    EXPECT_NEAR(static_cast<double>(mixed[i]), 0.9 * initial[i] + 0.1 * now, 1e-6 * (1 + std::abs(now)));
    EXPECT_EQ(static_cast<double>(past[i]), initial[i]);
    moved = std::max(moved, std::abs(now - initial[i]));
  }
  EXPECT_GT(moved, 0.1) << "the batch's statistics are the initial ones; this test shows nothing";
}

/// Of a training that gets worse, what is exported are the weights of the epoch with the lowest validation loss; their penalty
/// tells them apart.
TEST_F(SmallTraining, TheBestEpochIsMarkedAndExported) {
  TrainingRun run = this->run();
  run.settings.learning_rate = 0.3;
  run.settings.epoch_windows = 40, run.settings.total_windows = 40 * 8;
  const TrainingResult result = train(run);
  ASSERT_EQ(result.curve.size(), 8U);
  std::size_t best = 0;
  for (std::size_t epoch = 0; epoch < 8; ++epoch) {
    const bool better = epoch == 0 || result.curve[epoch].validation_loss < result.curve[best].validation_loss;
    if (better) best = epoch;
    EXPECT_EQ(result.curve[epoch].best, better) << "epoch " << epoch + 1;
  }
  ASSERT_LT(best, 7U) << "the last epoch is the best; this test shows nothing";
  const double penalty = l2_penalty(model::make_layout(run.architecture), run.settings, result.model.parameters);
  EXPECT_NEAR(penalty, result.curve[best].penalty, 1e-9 * penalty);
  EXPECT_GT(std::abs(penalty - result.curve[7].penalty), 1e-6 * penalty);
}

TEST_F(SmallTraining, TheTimeLimitIsInMinutes) {
  TrainingRun run = this->run();
  run.settings.max_minutes = 0.3 / 60;
  run.settings.total_windows = 400'000;  // many seconds of work, and an end: a limit that never comes must fail, not hang
  run.settings.epoch_windows = 400'000;
  const double start = core::wall_seconds();
  const TrainingResult result = train(run);
  EXPECT_GE(core::wall_seconds() - start, 0.3);
  EXPECT_FALSE(result.finished);
  run.settings.max_minutes = 60;
  run.settings.total_windows = 80;
  EXPECT_TRUE(train(run).finished) << "an hour is not over yet";
}

}  // namespace
}  // namespace amacrine::training
