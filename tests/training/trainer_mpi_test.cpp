// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/spectral.hpp"
#include "amacrine/training/ln_fit.hpp"
#include "training/synthetic.hpp"

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && !a.empty() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// All ranks together make the model that each makes alone, bit for bit: per channel and per unit, two epochs with validation.
TEST(TrainerRanks, AllRankCountsGiveTheSameBits) {
  const recording::Recording r = synthetic::make_recording(2000, 3, 5);
  for (const model::Norm norm : {model::Norm::per_channel, model::Norm::per_unit}) {
    TrainingRun run = synthetic::make_run(r);
    run.settings.total_windows = 400, run.settings.epoch_windows = 200;
    run.settings.averaging = norm == model::Norm::per_unit ? 0.9 : 0.0;
    run.architecture.norm = norm;
    run.architecture.scale = norm == model::Norm::per_unit ? model::Scale::absolute : model::Scale::plain;
    const TrainingResult together = train_model(Communicator::world(), run), alone = train_model(Communicator::self(), run);
    EXPECT_TRUE(same_bits(together.model.parameters, alone.model.parameters));
    EXPECT_TRUE(same_bits(together.model.statistics, alone.model.statistics));
    ASSERT_EQ(together.curve.size(), 2u);
    for (std::size_t e = 0; e < 2; ++e) {
      EXPECT_EQ(together.curve[e].train_loss, alone.curve[e].train_loss);
      EXPECT_EQ(together.curve[e].validation_loss, alone.curve[e].validation_loss);
      EXPECT_EQ(together.curve[e].cell_r, alone.curve[e].cell_r);
    }
  }
}

/// The same where neighbouring segments share a gradient among their spectra over time.
TEST(TrainerRanks, SegmentsThatShareAGradientGiveTheSameBits) {
  const recording::Recording r = synthetic::make_recording(3000, 2, 7);
  TrainingRun run = synthetic::make_run(r);
  run.settings.segments = 16, run.settings.windows = 32, run.settings.engine = "spectral";
  run.settings.total_windows = 1536, run.settings.epoch_windows = 1536, run.settings.most_ranks = 8;
  ASSERT_EQ(model::gradient_segments(16, 6, {32, 1, run.settings.spacing}, 8), 2u);
  const TrainingResult together = train_model(Communicator::world(), run), alone = train_model(Communicator::self(), run);
  EXPECT_TRUE(same_bits(together.model.parameters, alone.model.parameters));
  EXPECT_EQ(together.curve.back().train_loss, alone.curve.back().train_loss);
}

/// The same where short runs are computed side by side; and each is its own run, wherever it is computed.
TEST(TrainerRanks, RunsSideBySideGiveTheSameBits) {
  const recording::Recording r = synthetic::make_recording(3000, 2, 8);
  TrainingRun run = synthetic::make_run(r);
  run.architecture.history = 16;
  run.settings.segments = 64, run.settings.windows = 8, run.settings.engine = "spectral";
  run.settings.total_windows = 1024, run.settings.epoch_windows = 512;
  ASSERT_EQ(model::runs_side_by_side(run.settings.batch_of(64), 16), 2u);
  const TrainingResult together = train_model(Communicator::world(), run), alone = train_model(Communicator::self(), run);
  EXPECT_TRUE(same_bits(together.model.parameters, alone.model.parameters));
  EXPECT_EQ(together.curve.back().train_loss, alone.curve.back().train_loss);
  run.settings.engine = "direct";
  const TrainingResult direct = train_model(Communicator::self(), run);
  EXPECT_TRUE(std::abs(alone.curve.front().train_loss - direct.curve.front().train_loss) <=
              1e-4 * std::abs(direct.curve.front().train_loss))
      << alone.curve.front().train_loss << " " << direct.curve.front().train_loss;
}

/// As many ranks as segments, where the study lets as many share a batch; where it does not, the refusal says how they may.
TEST(TrainerRanks, AsManyAsSegmentsGiveTheSameBits) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 9);
  TrainingRun run = synthetic::make_run(r);
  const Communicator world = Communicator::world();
  const auto ranks = static_cast<std::size_t>(world.size());
  run.settings.segments = ranks, run.settings.windows = 16, run.settings.engine = "spectral", run.settings.most_ranks = ranks;
  run.settings.total_windows = 32 * ranks, run.settings.epoch_windows = 32 * ranks;
  const TrainingResult together = train_model(world, run), alone = train_model(Communicator::self(), run);
  EXPECT_TRUE(same_bits(together.model.parameters, alone.model.parameters));
  if (ranks == 1) return;
  run.settings.segments = 4 * ranks, run.settings.windows = 4, run.settings.most_ranks = 1;
  try {
    train_model(world, run);
    ADD_FAILURE() << "more ranks than training.most_ranks share a batch";
  } catch (const core::RefusedError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(fmt::format("or set training.most_ranks = {}", ranks)));
  }
  run.settings.most_ranks = ranks;
  EXPECT_NO_THROW(train_model(world, run));
}

TEST(TrainerRanks, LinearBaselineGivesTheSameBits) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 6);
  TrainingRun run = synthetic::make_run(r);
  const model::Model together = fit_ln(Communicator::world(), ln_baseline(run)),
                     alone = fit_ln(Communicator::self(), ln_baseline(run));
  EXPECT_TRUE(same_bits(together.parameters, alone.parameters));
}

TEST(TrainerRanks, MoreRanksThanSegmentsAreRefused) {
  const recording::Recording r = synthetic::make_recording(2000, 1, 5);
  TrainingRun run = synthetic::make_run(r);
  run.settings.segments = 1;
  run.settings.total_windows = 20;
  if (Communicator::world().size() == 1) {
    EXPECT_NO_THROW(train_model(Communicator::world(), run));
  } else {
    EXPECT_THROW(train_model(Communicator::world(), run), core::RefusedError);
  }
}

}  // namespace
}  // namespace amacrine::training
