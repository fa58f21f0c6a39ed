// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

TrainingSettings read(const std::string& text) {
  core::Study study = core::Study::from_text(text);
  const TrainingSettings settings = read_training(study);
  study.require_all_read();
  return settings;
}

std::string failure(const std::string& text) {
  try {
    read(text);
  } catch (const core::StudyError& error) {
    return error.what();
  }
  return "no error";
}

/// Recipe rows of the Keras code (v1.0.0): Poisson loss, L2 0.01 on convolutions, Adam 1e-2, plateau 0.2 after 10, early stopping
/// after 20 on the validation loss, 250 epochs, batches of 5000.
TEST(TrainingPreset, DeepRetina) {
  const TrainingSettings s = read("[training]\npreset = \"deep-retina\"");
  EXPECT_EQ(s.loss, Loss::poisson);
  EXPECT_EQ(s.l2, 0.01);
  EXPECT_EQ(s.l2_readout, 0.0);
  EXPECT_EQ(s.l1_output, 0.0);
  EXPECT_EQ(s.adam.weight_decay, 0.0);
  EXPECT_EQ(s.learning_rate, 1e-2);
  EXPECT_EQ(s.schedule.kind, Schedule::plateau);
  EXPECT_EQ(s.schedule.factor, 0.2);
  EXPECT_EQ(s.schedule.patience, 10);
  EXPECT_EQ(s.early_stopping.patience, 20);
  EXPECT_EQ(s.early_stopping.metric, Metric::loss);
  EXPECT_EQ(s.epochs, 250u);
  EXPECT_EQ(s.epoch_windows, 0u);
  EXPECT_EQ(s.batch(), 5000u);
  EXPECT_TRUE(s.running_statistics);
}

/// The torch code: batches of 512, weight decay on everything, plateau 0.1 after 10 at threshold 1e-2, correlation gain of 0.01.
TEST(TrainingPreset, TorchDeepRetina) {
  const TrainingSettings s = read("[training]\npreset = \"torch-deep-retina\"");
  EXPECT_EQ(s.batch(), 512u);
  EXPECT_EQ(s.l2, 0.0);
  EXPECT_TRUE(s.adam.weight_decay >= 1e-4 && s.adam.weight_decay <= 1e-2);
  EXPECT_TRUE(s.learning_rate >= 1e-3 && s.learning_rate <= 1e-2);
  EXPECT_EQ(s.schedule.factor, 0.1);
  EXPECT_EQ(s.schedule.threshold, 1e-2);
  EXPECT_EQ(s.early_stopping.min_delta, 0.01);
  EXPECT_EQ(s.early_stopping.patience, 10);
  EXPECT_EQ(s.early_stopping.metric, Metric::correlation);
  EXPECT_TRUE(s.epochs >= 40 && s.epochs <= 100);
  EXPECT_EQ(s.loss_epsilon, 1e-8);
}

TEST(TrainingSettings, KeysBesideAPresetChangeIt) {
  const TrainingSettings s = read("[training]\npreset = \"deep-retina\"\nlearning_rate = 3e-3\nschedule = \"constant\"");
  EXPECT_EQ(s.learning_rate, 3e-3);
  EXPECT_EQ(s.schedule.kind, Schedule::constant);
  EXPECT_EQ(s.l2, 0.01);
}

TEST(TrainingSettings, StepsCoverTheBudget) {
  const TrainingSettings s = read("[training]\nsegments = 4\nwindows = 10\ntotal_windows = 401\nepoch_windows = 81");
  EXPECT_EQ(s.total_steps(), 11u);
  EXPECT_EQ(s.steps_per_epoch(), 3u);
}

TEST(TrainingSettings, WrongValuesNameTheirKey) {
  EXPECT_THAT(failure("[training]\npreset = \"deep-retinas\""), testing::HasSubstr("deep-retina"));
  EXPECT_THAT(failure("[training]\nlearning_rate = -1.0"), testing::HasSubstr("training.learning_rate"));
  EXPECT_THAT(failure("[training]\nsegments = 1\nwindows = 1"), testing::HasSubstr("training.windows"));
  EXPECT_THAT(failure("[training]\naveraging = 1.0"), testing::HasSubstr("training.averaging"));
  EXPECT_THAT(failure("[training]\naveraging = 0.99\nrunning_statistics = true"), testing::HasSubstr("running_statistics"));
  EXPECT_THAT(failure("[training]\nlearning_rat = 0.1"), testing::HasSubstr("learning_rate"));
  EXPECT_THAT(failure("[training]\nsegments = 2.5"), testing::HasSubstr("training.segments"));
}

TEST(EvaluationSettings, Defaults) {
  core::Study study = core::Study::from_text("");
  const EvaluationSettings s = read_evaluation(study);
  EXPECT_EQ(s.discard_frames, 40u);
  EXPECT_EQ(s.confidence, 0.95);
}

}  // namespace
}  // namespace amacrine::training
