// SPDX-License-Identifier: Apache-2.0
// One trunk of several recordings, against trainings of one and against steps taken by hand.
#include "amacrine/model/train_graph.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/sampler.hpp"
#include "amacrine/training/adam.hpp"
#include "amacrine/training/batches.hpp"
#include "amacrine/training/initialise.hpp"
#include "amacrine/training/validation.hpp"
#include "training/sessions.hpp"
#include "training/together.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;

std::vector<TrainingResult> train_alone(const std::vector<recording::Recording>& recordings) {
  const SessionShare share(Communicator::self(), recordings.size());
  return train_sessions(share, sessions::make_runs(share, recordings));
}

std::vector<float> trunk_of(const model::Model& model) {
  const std::size_t size = trunk_size(model::make_layout(model.architecture));
  return {model.parameters.begin(), model.parameters.begin() + static_cast<std::ptrdiff_t>(size)};
}

TEST(Joint, TheTrunkIsWhatLiesBeforeTheReadout) {
  model::Architecture a;
  a.history = 6, a.height = a.width = 12, a.hidden = {{2, 5, 5}, {3, 3, 3}}, a.cells = 4;
  // Kernels and, per channel, gamma and beta of both layers.
  EXPECT_EQ(trunk_size(model::make_layout(a)), 2u * 6 * 25 + 2 + 2 + 3u * 2 * 9 + 3 + 3);
}

/// A session by itself is an ordinary training.
TEST(Joint, OneSessionHasTheBitsOfATrainingAlone) {
  const std::vector<recording::Recording> recordings = sessions::make_recordings(1);
  TrainingRun run = synthetic::make_run(recordings[0]);
  run.settings.total_windows = 600, run.settings.epoch_windows = 200, run.settings.engine = "spectral";
  together::expect_same(train_alone(recordings).front(), train_model(Communicator::self(), run));
}

TEST(Joint, SessionsShareTheTrunkAndHaveReadoutsOfTheirOwn) {
  const std::vector<recording::Recording> recordings = sessions::make_recordings(3);
  const std::vector<TrainingResult> results = train_alone(recordings);
  ASSERT_EQ(results.size(), 3u);
  for (std::size_t s = 0; s < 3; ++s) {
    ASSERT_TRUE(results[s].finished);
    EXPECT_EQ(results[s].model.cells.size(), s + 1);
    EXPECT_EQ(trunk_of(results[s].model), trunk_of(results[0].model));
    EXPECT_EQ(results[s].curve.size(), 3u);
  }
  EXPECT_NE(results[1].model.statistics, results[0].model.statistics);
  const auto best = [](const TrainingResult& result) {
    std::vector<bool> flags;
    for (const EpochRecord& record : result.curve) flags.push_back(record.best);
    return flags;
  };
  EXPECT_EQ(best(results[1]), best(results[0]));
  EXPECT_EQ(best(results[2]), best(results[0]));
}

/// Gradients of sessions on their first batch, from graphs of their own: the trunk's first step must be Adam's on their mean
/// weighted by cells. Adam's first step is rate * g / (|g| + epsilon'), so the signs of the mean decide it.
TEST(Joint, TheTrunkMovesByTheMeanWeightedByCells) {
  const std::vector<recording::Recording> recordings = sessions::make_recordings(2);
  const SessionShare share(Communicator::self(), 2);
  std::vector<TrainingRun> runs = sessions::make_runs(share, recordings);
  std::vector<double> mean;
  std::vector<float> start;
  for (TrainingRun& run : runs) {
    run.architecture.noise = 0;
    run.settings.initial_gain = 0;
    run.settings.engine = "direct";
    run.settings.l2 = run.settings.l2_readout = 0;
    run.settings.total_windows = run.settings.epoch_windows = run.settings.batch();
    run.settings.adam.epsilon = 1.0;  // a step is then nearly proportional to the gradient
    run.settings.learning_rate = 0.5;
    run.settings.schedule.kind = Schedule::constant;
    const recording::SegmentSampler sampler(
        recordings[run.session], run.recording_settings,
        {6, 0, run.settings.segments, run.settings.windows, run.settings.data_seed, run.settings.spacing});
    const recording::Normalisation normalisation =
        recording::fit_normalisation(run.recording.train.movie, run.recording.coding, run.recording_settings.normalisation);
    const BatchSource source(run.recording, normalisation, 6, 0);
    const model::BatchLayout layout = model::batch_layout(run.architecture, run.settings.batch_of(run.settings.segments),
                                                          model::GraphUse::training, model::ConvEngine::direct);
    auto graph = model::make_train_graph<float>(run.architecture, layout, {0, layout.segments.count}, model::GraphUse::training,
                                                model::ConvEngine::direct);
    const core::Exec exec;
    source.fill(exec, sampler.batch(0, 0), graph);
    start = initial_parameters(run.architecture, graph.layout, run.settings.model_seed);
    const core::View1<float> parameters = core::to_device("test::parameters", start);
    model::train_forward(exec, Communicator::self(), graph, parameters, {false, 0, 0});
    std::vector<float> gradient;
    model::train_backward(exec, Communicator::self(), graph, parameters, loss_settings(run.settings), gradient);
    mean.resize(trunk_size(graph.layout), 0.0);
    const double weight = static_cast<double>(run.session + 1) / 3.0;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += weight * static_cast<double>(gradient[i]);
  }
  const std::vector<TrainingResult> results = train_sessions(share, runs);
  double largest = 0, error = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double moved = static_cast<double>(results[0].model.parameters[i]) - static_cast<double>(start[i]);
    const double expected = -0.5 * mean[i] / (std::abs(mean[i]) + 1.0);
    largest = std::max(largest, std::abs(expected));
    error = std::max(error, std::abs(moved - expected));
  }
  EXPECT_GT(largest, 1e-3);
  EXPECT_TRUE(error <= 1e-4 * largest + 1e-6) << error << " of " << largest;
}

/// A session of silent cells has no correlation; the best epoch is then the other's.
TEST(Joint, SilentSessionsDoNotDecide) {
  std::vector<recording::Recording> recordings = sessions::make_recordings(2);
  for (recording::Cell& cell : recordings[1].cells) cell.silent = true;
  const SessionShare share(Communicator::self(), 2);
  std::vector<TrainingRun> runs = sessions::make_runs(share, recordings);
  for (TrainingRun& run : runs) {
    run.settings.early_stopping.metric = Metric::correlation;
    run.settings.learning_rate = 0.1;
    run.settings.total_windows = 2000;
  }
  const std::vector<TrainingResult> results = train_sessions(share, runs);
  ASSERT_EQ(results[0].curve.size(), 10u);
  double highest = -2;
  for (std::size_t e = 0; e < 10; ++e) {
    EXPECT_TRUE(std::isnan(results[1].curve[e].validation_r));
    EXPECT_EQ(results[1].curve[e].best, results[0].curve[e].validation_r > highest) << e;
    highest = std::max(highest, results[0].curve[e].validation_r);
  }
}

/// Interrupted after every second step, and with one session's last save missing, as after a kill between two files.
TEST(Joint, ResumesBitForBitAlsoFromSavesOfDifferentSteps) {
  const std::vector<recording::Recording> recordings = sessions::make_recordings(2);
  const test::TemporaryFolder folder;
  const SessionShare share(Communicator::self(), 2);
  const std::vector<TrainingRun> runs = sessions::make_runs(share, recordings, folder / "state_");
  std::vector<TrainingResult> results;
  std::size_t parts = 0, taken_back = 0;
  do {
    int steps = 0;
    results = train_sessions(share, runs, [&] { return ++steps == 2; });
    ++parts;
    if (results[0].finished) break;
    ASSERT_FALSE(results[0].stopped_by.empty());
    if (parts % 3 != 0) continue;
    const std::string late = runs[parts / 3 % 2].checkpoint;
    ASSERT_TRUE(std::filesystem::exists(late) && std::filesystem::exists(late + ".previous"));
    std::filesystem::rename(late + ".previous", late);
    ++taken_back;
  } while (parts < 40);
  EXPECT_GE(taken_back, 2u);
  const std::vector<TrainingResult> whole = train_alone(recordings);
  for (std::size_t s = 0; s < 2; ++s) together::expect_same(results[s], whole[s]);
}

/// No step that both sessions have: named with what to do, and that helps.
TEST(Joint, CheckpointsWithoutACommonStepAreRefused) {
  const std::vector<recording::Recording> recordings = sessions::make_recordings(2);
  const test::TemporaryFolder folder;
  const SessionShare share(Communicator::self(), 2);
  const std::vector<TrainingRun> runs = sessions::make_runs(share, recordings, folder / "state_");
  const auto two_steps = [&] {
    int steps = 0;
    return train_sessions(share, runs, [&] { return ++steps == 2; });
  };
  two_steps();
  const std::string early = runs[1].checkpoint, kept = folder / "kept", late = folder / "late";
  std::filesystem::copy_file(early, kept);
  two_steps();
  std::filesystem::copy_file(early, late);
  std::filesystem::copy_file(kept, early, std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(runs[0].checkpoint + ".previous");
  try {
    two_steps();
    ADD_FAILURE() << "went on from checkpoints of different steps";
  } catch (const core::InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("copy all sessions' checkpoints back from one moment"));
  }
  std::filesystem::copy_file(late, early, std::filesystem::copy_options::overwrite_existing);
  const std::vector<TrainingResult> results = train_sessions(share, runs), whole = train_alone(recordings);
  for (std::size_t s = 0; s < 2; ++s) together::expect_same(results[s], whole[s]);
}

TEST(Joint, ACheckpointOfOtherSessionsIsRefused) {
  const std::vector<recording::Recording> recordings = sessions::make_recordings(2);
  const test::TemporaryFolder folder;
  const SessionShare share(Communicator::self(), 2);
  std::vector<TrainingRun> runs = sessions::make_runs(share, recordings, folder / "state_");
  train_sessions(share, runs, [] { return true; });
  join_sessions(share, runs, {"session 0", "another recording"});
  EXPECT_THROW(train_sessions(share, runs), core::RefusedError);
}

TEST(Joint, WhatCannotBeJoinedIsRefused) {
  const std::vector<recording::Recording> recordings = sessions::make_recordings(2);
  const SessionShare share(Communicator::self(), 2);
  const auto refused = [&](const std::function<void(std::vector<TrainingRun>&)>& change, const std::string& words) {
    std::vector<TrainingRun> runs{synthetic::make_run(recordings[0]), synthetic::make_run(recordings[1])};
    change(runs);
    try {
      join_sessions(share, runs, {"a", "b"});
      ADD_FAILURE() << "joined in spite of " << words;
    } catch (const core::RefusedError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(words));
    }
  };
  refused([](auto& runs) { runs[0].architecture.hidden.clear(), runs[1].architecture.hidden.clear(); }, "has none");
  refused([](auto& runs) { runs[1].architecture.history = 5; }, "synthetic session 1 does not fit the first");
  refused([](auto& runs) { runs[1].recording_settings.validation_fraction = 0; }, "has no window");
}

/// An epoch is a pass of the longest recording where the study leaves it open.
TEST(Joint, AnEpochIsAPassOfTheLongestRecording) {
  const std::vector<recording::Recording> recordings = sessions::make_recordings(2);
  const SessionShare share(Communicator::self(), 2);
  std::vector<TrainingRun> runs{synthetic::make_run(recordings[0]), synthetic::make_run(recordings[1])};
  for (TrainingRun& run : runs) run.settings.epoch_windows = 0;
  join_sessions(share, runs, {"a", "b"});
  EXPECT_EQ(runs[0].settings.epoch_windows, runs[1].settings.epoch_windows);
  EXPECT_GT(runs[0].settings.epoch_windows, 1700u);  // four fifths of 2,500 frames, less borders
  EXPECT_LE(runs[0].settings.epoch_windows, 2000u);
}

}  // namespace
}  // namespace amacrine::training
