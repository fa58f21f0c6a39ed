// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/averaging.hpp"

#include "amacrine/recording/reader.hpp"
#include "amacrine/training/graph_pool.hpp"
#include "amacrine/training/validation.hpp"
#include "support/compare.hpp"
#include "training/synthetic.hpp"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;

/// The sum that the recursion stands for, in double: step k of n weighs decay^(n - k) over the sum of these.
std::vector<double> faded_mean(const std::vector<std::vector<double>>& steps, double decay) {
  std::vector<double> mean(steps.front().size());
  double weights = 0;
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const double weight = std::pow(decay, static_cast<double>(steps.size() - 1 - k));
    weights += weight;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += weight * steps[k][i];
  }
  for (double& value : mean) value /= weights;
  return mean;
}

TEST(Averaging, WeighsStepsAsItSays) {
  const core::View1<double> average = core::to_device("test::average", std::vector<double>(7, std::nan("")));
  std::vector<std::vector<double>> steps;
  for (std::uint64_t step = 1; step <= 30; ++step) {
    std::vector<double>& p = steps.emplace_back();
    for (int i = 0; i < 7; ++i) p.push_back(std::sin(1.0 + i * static_cast<double>(step)));
    average_step(core::Exec(), 0.9, step, core::to_device("test::parameters", p), average);
    Kokkos::fence();
    const std::vector<double> now = core::to_host(average), expected = faded_mean(steps, 0.9);
    for (std::size_t i = 0; i < now.size(); ++i) EXPECT_TRUE(std::abs(now[i] - expected[i]) <= 1e-14) << step << " " << i;
  }
}

TrainingRun five_steps(const recording::Recording& recording) {
  TrainingRun run = synthetic::make_run(recording);
  run.settings.schedule.kind = Schedule::constant;
  run.settings.total_windows = 5 * run.settings.batch();
  return run;
}

/// What is exported is the average of the weights that trainings without averaging, ended after 1 to 5 steps, arrive at.
TEST(Averaging, ExportsTheAverageOfTheStepsAlone) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  TrainingRun run = five_steps(r);
  std::vector<std::vector<double>> steps;
  for (std::size_t n = 1; n <= 5; ++n) {
    run.settings.total_windows = n * run.settings.batch();
    const std::vector<float> parameters = train_model(Communicator::self(), run).model.parameters;
    steps.emplace_back(parameters.begin(), parameters.end());
  }
  run.settings.averaging = 0.8;
  const std::vector<float> averaged = train_model(Communicator::self(), run).model.parameters;
  const std::vector<double> expected = faded_mean(steps, 0.8);
  ASSERT_EQ(averaged.size(), expected.size());
  double moved = 0;
  for (std::size_t i = 0; i < averaged.size(); ++i) {
    EXPECT_TRUE(std::abs(static_cast<double>(averaged[i]) - expected[i]) <= 1e-6 * (1 + std::abs(expected[i]))) << i;
    moved = std::max(moved, std::abs(expected[i] - steps.back()[i]));
  }
  EXPECT_GT(moved, 1e-3);
}

/// The averaged network is normalised by its own statistics, not by those of the weights in training.
TEST(Averaging, StatisticsAreThoseOfTheAverage) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  TrainingRun run = five_steps(r);
  run.settings.averaging = 0.8;
  const model::Model model = train_model(Communicator::self(), run).model;
  const auto history = static_cast<std::size_t>(run.architecture.history);
  const recording::SegmentSampler sampler(
      r, run.recording_settings,
      {history, 0, run.settings.segments, run.settings.windows, run.settings.data_seed, run.settings.spacing});
  const recording::Normalisation normalisation =
      recording::fit_normalisation(r.train.movie, r.coding, run.recording_settings.normalisation);
  const BatchSource source(r, normalisation, history, 0);
  GraphPool pool;
  const std::vector<float> expected =
      Validator(Communicator::self(), run, sampler, source, pool)
          .population_statistics(core::Exec(), core::to_device("test::parameters", model.parameters));
  EXPECT_EQ(model.statistics, expected);
}

/// Interrupted after every step, an averaged training ends with the bits of one left alone.
TEST(Averaging, ResumesBitForBit) {
  const recording::Recording r = synthetic::make_recording(2000, 1, 5);
  const test::TemporaryFolder folder(Communicator::self());
  TrainingRun run = five_steps(r);
  run.settings.averaging = 0.8;
  const TrainingResult whole = train_model(Communicator::self(), run);
  run.checkpoint = folder / "train.checkpoint", run.settings.max_minutes = 1e-12;
  TrainingResult part;
  int runs = 0;
  do {
    part = train_model(Communicator::self(), run);
  } while (!part.finished && ++runs < 10);
  EXPECT_TRUE(part.finished);
  EXPECT_EQ(part.model.parameters, whole.model.parameters);
  EXPECT_EQ(part.model.statistics, whole.model.statistics);
}

}  // namespace
}  // namespace amacrine::training
