// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/evaluation.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/io/result_file.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

constexpr std::size_t frames = 640, cells = 4, repeats = 6;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Cells 0 and 3 with 6 repeats, cell 1 without a spike, cell 2 with a single repeat (the others NaN). The first 40 frames hold
/// values that would spoil every figure, trials included.
recording::Recording example(bool noiseless) {
  recording::Recording recording;
  recording.path = "example.h5";
  recording.target_kind = "binned";
  core::Random random(11, core::Stream::test);
  recording::Part& test = recording.test;
  test.target = core::Array<float, 2>({cells, frames}, 0.0f);
  if (noiseless) test.noiseless = core::Array<float, 2>({cells, frames}, 0.0f);
  test.repeats = core::Array<float, 3>({repeats, cells, frames}, 0.0f);
  for (std::size_t n = 0; n < cells; ++n) {
    recording.cells.push_back({.id = static_cast<int>(n), .name = fmt::format("cell{}", n), .centre = {}});
    const std::size_t trials = n == 2 ? 1 : repeats;
    for (std::size_t t = 0; t < frames && n != 1; ++t) {
      const double rate = 50 * (1 + std::sin(0.07 * static_cast<double>(t * (n + 1))));
      if (noiseless) test.noiseless(n, t) = static_cast<float>(t < 40 ? 1e6 : rate);
      for (std::size_t r = 0; r < repeats; ++r) {
        const float trial = 100.0f * static_cast<float>(random.poisson(rate / 100));
        test.repeats(r, n, t) = r < trials ? trial : nan;
        if (r < trials) test.target(n, t) += trial / static_cast<float>(trials);
        if (t < 40 && r < trials) test.repeats(r, n, t) = r % 2 == 0 ? 1e6f : -1e6f;
      }
      if (t < 40) test.target(n, t) = 1e7f;
    }
  }
  recording.cells[1].silent = true;
  return recording;
}

/// The noiseless rates with errors, the same for all cells of a model.
core::Array<float, 2> predicted(double error) {
  core::Array<float, 2> rates({cells, frames});
  core::Random random(12, core::Stream::test);
  for (std::size_t n = 0; n < cells; ++n)
    for (std::size_t t = 0; t < frames; ++t)
      rates(n, t) = static_cast<float>(50 * (1 + std::sin(0.07 * static_cast<double>(t * (n + 1)))) + error * random.normal());
  return rates;
}

TEST(Evaluation, TheTruthScoresOneAndTheStartIsLeftOut) {
  const Evaluation e = evaluate_predictions(example(true), {{"network", predicted(0)}, {"ln", predicted(40)}}, {});
  ASSERT_EQ(e.rate.extent(2), frames - 40);
  for (std::size_t n : {0u, 2u, 3u}) EXPECT_NEAR(e.model_figures.value(score, 0, n), 1, 1e-12);
  EXPECT_NEAR(e.model_figures.mean(score, 0), 1, 1e-12);
  // var of the rate 1250, of the error 1600: r = sqrt(1250 / 2850) = 0.662, standard error of 600 frames about 0.023.
  EXPECT_NEAR(e.model_figures.value(score, 1, 0), 0.662, 0.1);
  EXPECT_LT(e.model_figures.interval(score, 1, 0, 0), 0.662);
  EXPECT_GT(e.model_figures.interval(score, 1, 0, 1), 0.662);
  EXPECT_LT(e.model_figures.interval(score, 1, 0, 1) - e.model_figures.interval(score, 1, 0, 0), 0.2);
}

/// Every series of the result begins with the frame after those discarded.
TEST(Evaluation, AllSeriesAreShiftedAlike) {
  const recording::Recording recording = example(true);
  const core::Array<float, 2> rates = predicted(20);
  const Evaluation e = evaluate_predictions(recording, {{"network", rates}}, {});
  ASSERT_EQ(e.repeats.extent(2), frames - 40);
  for (std::size_t n : {0u, 3u})
    for (std::size_t t : {std::size_t{0}, std::size_t{1}, frames - 41}) {
      EXPECT_EQ(e.rate(0, n, t), rates(n, t + 40));
      EXPECT_EQ(e.target(n, t), recording.test.target(n, t + 40));
      EXPECT_EQ(e.noiseless(n, t), recording.test.noiseless(n, t + 40));
      for (std::size_t r = 0; r < repeats; ++r) EXPECT_EQ(e.repeats(r, n, t), recording.test.repeats(r, n, t + 40));
    }
}

TEST(Evaluation, SilentCellsAndCellsWithoutRepeatsAreFlaggedAndLeftOutOfMeans) {
  const Evaluation e = evaluate_predictions(example(true), {{"network", predicted(20)}}, {});
  EXPECT_EQ(e.silent, (std::vector<bool>{false, true, false, false}));
  EXPECT_TRUE(e.no_ceiling[2]);
  EXPECT_FALSE(e.no_ceiling[0]);
  EXPECT_EQ(e.counted, (std::vector<bool>{true, false, false, true}));
  EXPECT_TRUE(std::isnan(e.model_figures.value(score, 0, 1)));
  EXPECT_TRUE(std::isnan(e.model_figures.interval(score, 0, 1, 0)));
  EXPECT_TRUE(std::isnan(e.ceiling_figures.value(noise_ceiling, 0, 2)));
  EXPECT_TRUE(std::isfinite(e.model_figures.value(score, 0, 2)));
  EXPECT_TRUE(std::isnan(e.model_figures.value(feve, 0, 2)));
  for (std::size_t f = 0; f < 4; ++f)
    EXPECT_NEAR(e.model_figures.mean(f, 0), (e.model_figures.value(f, 0, 0) + e.model_figures.value(f, 0, 3)) / 2, 1e-14);
  EXPECT_LT(e.model_figures.mean_interval(score, 0, 0), e.model_figures.mean(score, 0));
  EXPECT_GT(e.model_figures.mean_interval(score, 0, 1), e.model_figures.mean(score, 0));
}

TEST(Evaluation, WithoutANoiselessRateTheTrialMeanIsTheReference) {
  const Evaluation e = evaluate_predictions(example(false), {{"network", predicted(0)}}, {});
  EXPECT_EQ(e.model_figures.value(score, 0, 0), e.model_figures.value(pearson_r, 0, 0));
  // V = 1250, N = 100 x 50, 6 repeats: the ceiling is sqrt(1250 / (1250 + 5000 / 6)) = 0.775.
  EXPECT_NEAR(e.model_figures.value(score, 0, 0), 0.775, 0.06);
  EXPECT_NEAR(e.ceiling_figures.value(noise_ceiling, 0, 0), 0.775, 0.06);
}

TEST(Evaluation, ARecordingWithoutRepeatsHasMeansButNoCeilings) {
  recording::Recording recording = example(true);
  recording.test.repeats = {};
  const Evaluation e = evaluate_predictions(recording, {{"network", predicted(0)}}, {});
  EXPECT_EQ(e.counted, (std::vector<bool>{true, false, true, true}));
  EXPECT_NEAR(e.model_figures.mean(score, 0), 1, 1e-12);
  EXPECT_TRUE(std::isnan(e.ceiling_figures.mean(noise_ceiling, 0)));
}

TEST(Evaluation, ADeadModelCountsAsZero) {
  core::Array<float, 2> rates = predicted(0);
  for (float& rate : rates.row(0)) rate = 3.3f;
  const Evaluation e = evaluate_predictions(example(true), {{"network", rates}}, {});
  EXPECT_TRUE(std::isnan(e.model_figures.value(score, 0, 0)));
  EXPECT_NEAR(e.model_figures.mean(score, 0), 0.5, 1e-12);
}

TEST(Evaluation, IntervalsDependOnTheSeedAndCanBeLeftAway) {
  EvaluationSettings settings;
  settings.bootstrap_samples = 50;
  const auto interval = [&] {
    return evaluate_predictions(example(true), {{"network", predicted(20)}}, settings).model_figures.interval(score, 0, 0, 0);
  };
  const double once = interval();
  EXPECT_EQ(once, interval());
  settings.seed = 2;
  EXPECT_NE(once, interval());
  settings.bootstrap_samples = 0;
  EXPECT_TRUE(std::isnan(interval()));
}

/// The example's first 40 + `kept` frames.
recording::Recording shortened(std::size_t kept) {
  recording::Recording recording = example(false);
  const std::size_t all = 40 + kept;
  core::Array<float, 2> target({cells, all});
  core::Array<float, 3> trials({repeats, cells, all});
  for (std::size_t n = 0; n < cells; ++n)
    for (std::size_t t = 0; t < all; ++t) {
      target(n, t) = recording.test.target(n, t);
      for (std::size_t r = 0; r < repeats; ++r) trials(r, n, t) = recording.test.repeats(r, n, t);
    }
  recording.test.target = std::move(target), recording.test.repeats = std::move(trials);
  return recording;
}

TEST(Evaluation, ShortTestPartsHaveIntervalsOrSayWhyNot) {
  const auto scored = [](std::size_t kept) {
    const core::Array<float, 2> all = predicted(20);
    core::Array<float, 2> rates({cells, 40 + kept});
    for (std::size_t n = 0; n < cells; ++n)
      for (std::size_t t = 0; t < 40 + kept; ++t) rates(n, t) = all(n, t);
    return evaluate_predictions(shortened(kept), {{"network", rates}}, {});
  };
  const Evaluation few = scored(90), none = scored(80);
  const auto& interval = few.model_figures.interval;
  EXPECT_LT(interval(score, 0, 0, 0), few.model_figures.value(score, 0, 0) - 0.01);
  EXPECT_GT(interval(score, 0, 0, 1), few.model_figures.value(score, 0, 0) + 0.01);
  EXPECT_NE(evaluation_table(few).find("blocks of 15 frames"), std::string::npos);
  EXPECT_TRUE(std::isnan(none.model_figures.interval(score, 0, 0, 0)));
  EXPECT_TRUE(std::isnan(none.model_figures.mean_interval(score, 0, 1)));
  EXPECT_TRUE(std::isfinite(none.model_figures.value(score, 0, 0)));
  EXPECT_NE(evaluation_table(none).find("no intervals: 80 test frames"), std::string::npos);
}

TEST(Evaluation, EmptyRepeatsAreCountedAndTheCeilingIsGivenWithoutThem) {
  recording::Recording recording = example(false);
  const Evaluation whole = evaluate_predictions(recording, {{"network", predicted(10)}}, {});
  EXPECT_EQ(whole.empty_repeats, (std::vector<std::size_t>{0, 0, 0, 0})) << "neither a silent cell nor one with few repeats";
  for (std::size_t r : {1, 4})
    for (std::size_t t = 0; t < frames; ++t) recording.test.repeats(r, 3, t) = 0;
  const Evaluation padded = evaluate_predictions(recording, {{"network", predicted(10)}}, {});
  EXPECT_EQ(padded.empty_repeats, (std::vector<std::size_t>{0, 0, 0, 2}));
  EXPECT_LT(padded.ceiling_figures.value(noise_ceiling, 0, 3), padded.ceiling_without_empty[3]);
  // The same recording with four repeats.
  recording::Recording cut = example(false);
  core::Array<float, 3> others({4, cells, frames});
  for (std::size_t n = 0; n < cells; ++n)
    for (std::size_t t = 0; t < frames; ++t)
      for (const auto& [from, to] : {std::pair{0, 0}, {2, 1}, {3, 2}, {5, 3}}) others(to, n, t) = cut.test.repeats(from, n, t);
  cut.test.repeats = std::move(others);
  const Evaluation four = evaluate_predictions(cut, {{"network", predicted(10)}}, {});
  EXPECT_DOUBLE_EQ(padded.ceiling_without_empty[3], four.ceiling_figures.value(noise_ceiling, 0, 3));
  EXPECT_NE(evaluation_table(padded).find("cell3: 2 of 6 repeats are empty"), std::string::npos);
}

TEST(Evaluation, RefusesShortRecordingsAndWrongShapes) {
  EvaluationSettings settings;
  settings.discard_frames = frames - 1;
  EXPECT_THROW(evaluate_predictions(example(true), {{"network", predicted(0)}}, settings), core::InputError);
  EXPECT_THROW(evaluate_predictions(example(true), {{"network", core::Array<float, 2>({cells, frames - 1})}}, {}), core::Error);
}

TEST(Evaluation, TheFileHoldsWhatWasComputed) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/evaluation.h5";
  const auto world = parallel::Communicator::world();
  const Evaluation e = evaluate_predictions(example(true), {{"network", predicted(10)}, {"ln", predicted(40)}}, {});
  write_evaluation(world, path, e,
                   {.verb = "evaluate", .study = "", .step_study = "", .study_hash = "0", .inputs = {}, .facts = {}});
  const io::Reader file(path);
  EXPECT_EQ(file.kind(), "evaluation");
  EXPECT_EQ(file.shape("rate"), (std::vector<std::size_t>{2, cells, frames - 40}));
  EXPECT_EQ(file.shape("trial_rate"), (std::vector<std::size_t>{repeats, cells, frames - 40}));
  EXPECT_EQ(file.read<float>("noiseless_rate"), e.noiseless.values());
  EXPECT_EQ(file.read_strings("model"), (std::vector<std::string>{"network", "ln"}));
  EXPECT_EQ(file.read<std::int32_t>("silent"), (std::vector<std::int32_t>{0, 1, 0, 0}));
  EXPECT_EQ(file.read<double>("frame")[0], 400.0);
  EXPECT_EQ(file.read<double>("score")[cells], e.model_figures.value(score, 1, 0));
  EXPECT_EQ(file.read<double>("feve_interval")[1], e.model_figures.interval(feve, 0, 0, 1));
  EXPECT_EQ(file.read<double>("oracle_jackknife")[3], e.ceiling_figures.value(oracle_jackknife, 0, 3));
  EXPECT_EQ(file.text_attribute("score_reference"), "noiseless");
}

TEST(Evaluation, TheTableNamesEveryCellAndModel) {
  const Evaluation e = evaluate_predictions(example(true), {{"network", predicted(10)}, {"ln", predicted(40)}}, {});
  const std::string table = evaluation_table(e);
  for (const char* word :
       {"cell0", "cell1", "cell2", "cell3", "network", "ln", "silent", "under 2 repeats", "mean of cells that count"})
    EXPECT_NE(table.find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace amacrine::training
