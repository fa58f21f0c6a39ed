// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/checkpoint.hpp"
#include "amacrine/training/identity.hpp"
#include "support/compare.hpp"
#include "training/synthetic.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

/// Groups of small models, and what it means that two trainings are the same.
namespace amacrine::training::together {

/// Three models of one recording: another seed, another rate with another budget. Checkpoints PREFIX0, PREFIX1, PREFIX2.
inline std::vector<TrainingRun> three_runs(const recording::Recording& recording, const std::string& prefix) {
  TrainingRun run = synthetic::make_run(recording);
  run.settings.total_windows = 600, run.settings.epoch_windows = 200;
  run.settings.engine = "spectral";
  std::vector<TrainingRun> runs(3, run);
  runs[1].settings.model_seed = 2;
  runs[2].settings.learning_rate = 0.003, runs[2].settings.total_windows = 400;
  for (std::size_t i = 0; i < 3; ++i) runs[i].checkpoint = prefix + std::to_string(i);
  return runs;
}

inline void expect_same(const TrainingResult& a, const TrainingResult& b) {
  EXPECT_TRUE(a.finished && b.finished);
  EXPECT_FALSE(a.model.parameters.empty());
  EXPECT_EQ(a.model.parameters, b.model.parameters);
  EXPECT_EQ(a.model.statistics, b.model.statistics);
  ASSERT_EQ(a.curve.size(), b.curve.size());
  for (std::size_t e = 0; e < a.curve.size(); ++e) {
    EXPECT_EQ(a.curve[e].learning_rate, b.curve[e].learning_rate);
    EXPECT_EQ(a.curve[e].train_loss, b.curve[e].train_loss);
    EXPECT_EQ(a.curve[e].penalty, b.curve[e].penalty);
    EXPECT_EQ(a.curve[e].validation_loss, b.curve[e].validation_loss);
    EXPECT_EQ(a.curve[e].cell_r, b.curve[e].cell_r);
    EXPECT_EQ(a.curve[e].best, b.curve[e].best);
  }
}

inline TrainState state_of(const TrainingRun& run) {
  return read_checkpoint(parallel::Communicator::self(), run.checkpoint, training_identity(run)).value();
}

/// The checkpoints of two trainings hold the same, wall clocks left out.
inline void expect_same_state(const TrainingRun& a, const TrainingRun& b) {
  const TrainState x = state_of(a), y = state_of(b);
  EXPECT_EQ(x.step, y.step);
  EXPECT_EQ(x.parameters, y.parameters);
  EXPECT_EQ(x.first, y.first);
  EXPECT_EQ(x.second, y.second);
  EXPECT_EQ(x.statistics, y.statistics);
  EXPECT_EQ(x.best_parameters, y.best_parameters);
  EXPECT_EQ(x.best_statistics, y.best_statistics);
}

}  // namespace amacrine::training::together
