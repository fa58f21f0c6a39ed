// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/progress.hpp"
#include "amacrine/io/durable_file.hpp"
#include "amacrine/model/inference.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/training/checkpoint.hpp"
#include "amacrine/training/identity.hpp"
#include "support/compare.hpp"
#include "training/synthetic.hpp"

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using parallel::Communicator;
using test::TemporaryFolder;

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && !a.empty() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Trainer, LearnsCellsOfKnownMechanism) {
  const recording::Recording r = synthetic::make_recording(40'000, 2, 3);
  TrainingRun run = synthetic::make_run(r);
  run.architecture.hidden = {{4, 5, 5}, {4, 3, 3}};
  run.settings.windows = 20;
  run.settings.total_windows = 100'000, run.settings.epoch_windows = 25'000;
  run.recording_settings.validation_fraction = 0.05;
  const TrainingResult result = train_model(Communicator::self(), run);
  ASSERT_TRUE(result.finished);
  ASSERT_EQ(result.curve.size(), 4u);
  EXPECT_LT(result.curve.back().train_loss, result.curve.front().train_loss);
  // The model's rates on unseen frames against the cells' true rates: single spikes hide these from the curve itself.
  const auto rates =
      model::predict(Communicator::self(), model::make_inference<float>(result.model), r.train.movie, r.coding, 38'300, 1700);
  for (std::size_t n = 0; n < 2; ++n) {
    double xy = 0, xx = 0, yy = 0, x = 0, y = 0;
    for (std::size_t t = 0; t < 1700; ++t) {
      const double a = rates(n, t), b = r.train.noiseless(n, 38'300 + t);
      x += a, y += b, xx += a * a, yy += b * b, xy += a * b;
    }
    const double correlation = (xy - x * y / 1700) / std::sqrt((xx - x * x / 1700) * (yy - y * y / 1700));
    EXPECT_TRUE(correlation >= 0.9) << correlation;
  }
}

/// Interrupted after every single step and taken up again, training ends with the bits of a run that was left alone.
TEST(Trainer, ResumesBitForBit) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  const TrainingResult whole = train_model(Communicator::self(), synthetic::make_run(r));
  const TemporaryFolder folder(Communicator::self());
  TrainingRun run = synthetic::make_run(r);
  run.checkpoint = folder / "train.checkpoint";
  run.settings.max_minutes = 1e-12;
  TrainingResult part;
  int runs = 0;
  do {
    part = train_model(Communicator::self(), run);
    ASSERT_LT(++runs, 40);
    if (!part.finished) {
      EXPECT_THAT(part.stopped_by, testing::HasSubstr("max_minutes"));
    }
  } while (!part.finished);
  EXPECT_EQ(runs, 30);
  EXPECT_TRUE(same_bits(part.model.parameters, whole.model.parameters));
  EXPECT_TRUE(same_bits(part.model.statistics, whole.model.statistics));
  ASSERT_EQ(part.curve.size(), whole.curve.size());
  for (std::size_t e = 0; e < whole.curve.size(); ++e) {
    EXPECT_EQ(part.curve[e].train_loss, whole.curve[e].train_loss);
    EXPECT_EQ(part.curve[e].validation_loss, whole.curve[e].validation_loss);
    EXPECT_EQ(part.curve[e].cell_r, whole.curve[e].cell_r);
  }
}

/// Stopped by signals, inside validations too: where an epoch's last step is done and its validation is not, the next run begins
/// with the validation.
TEST(Trainer, ResumesBitForBitFromInsideAValidation) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  const TrainingResult whole = train_model(Communicator::self(), synthetic::make_run(r));
  const TemporaryFolder folder(Communicator::self());
  TrainingRun run = synthetic::make_run(r);
  run.checkpoint = folder / "train.checkpoint";
  run.settings.max_minutes = 1e-12;  // one step a run
  TrainingResult part;
  int runs = 0, inside = 0;
  do {
    const parallel::StopListener listener;
    parallel::StopPatience patience;
    patience.set(600);
    // Every third run is left alone: one that is asked to stop before a validation gets no further.
    if (++runs % 3 != 0) std::raise(SIGHUP);
    part = train_model(Communicator::self(), run);
    const auto state = read_checkpoint(Communicator::self(), run.checkpoint, training_identity(run));
    ASSERT_TRUE(state);
    inside += state->step / 10 > state->curve.size() ? 1 : 0;
    if (!part.finished && runs % 3 != 0) {
      EXPECT_EQ(part.stopped_by, "SIGHUP");
    }
    ASSERT_LT(runs, 60);
  } while (!part.finished);
  EXPECT_GE(inside, 2);
  EXPECT_TRUE(same_bits(part.model.parameters, whole.model.parameters));
  EXPECT_TRUE(same_bits(part.model.statistics, whole.model.statistics));
  ASSERT_EQ(part.curve.size(), whole.curve.size());
  for (std::size_t e = 0; e < whole.curve.size(); ++e) {
    EXPECT_EQ(part.curve[e].train_loss, whole.curve[e].train_loss);
    EXPECT_EQ(part.curve[e].validation_loss, whole.curve[e].validation_loss);
    EXPECT_EQ(part.curve[e].learning_rate, whole.curve[e].learning_rate);
  }
}

/// What is killed in the middle of an epoch goes on from the last checkpoint that its time wrote, to the same bits.
TEST(Trainer, SavesByTimeWithinAnEpoch) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  const TrainingResult whole = train_model(Communicator::self(), synthetic::make_run(r));
  for (const double minutes : {0.0, 1e-12}) {
    const TemporaryFolder folder(Communicator::self());
    TrainingRun run = synthetic::make_run(r);  // epochs of 10 steps
    run.checkpoint = folder / "train.checkpoint", run.settings.checkpoint_minutes = minutes;
    int updates = 0;
    core::set_progress_listener([&updates](const core::ProgressState& /*state*/) {
      if (++updates == 15) throw std::runtime_error("killed");
    });
    EXPECT_THROW(train_model(Communicator::self(), run), std::runtime_error);
    core::set_progress_listener({});
    const auto state = read_checkpoint(Communicator::self(), run.checkpoint, training_identity(run));
    ASSERT_TRUE(state);
    EXPECT_EQ(state->step, minutes > 0 ? 14U : 10U);
    EXPECT_TRUE(same_bits(train_model(Communicator::self(), run).model.parameters, whole.model.parameters));
  }
}

/// Responses so large that the likelihood's gradient is not finite once a rate is 0 where there is a response: large steps lead
/// there from a rate that is nearly constant, small ones do not.
recording::Recording huge_responses() {
  recording::Recording r = synthetic::make_recording(2000, 1, 5);
  for (float& value : r.train.target.values()) value *= 1e8F;
  return r;
}

TrainingRun diverging_run(const recording::Recording& r) {
  TrainingRun run = synthetic::make_run(r);
  run.settings.loss_epsilon = 1e-30, run.settings.learning_rate = 10, run.settings.initial_gain = 0.01;
  run.settings.schedule.kind = Schedule::constant;
  return run;
}

std::string error_of(const TrainingRun& run) {
  try {
    train_model(Communicator::self(), run);
  } catch (const core::Error& error) {
    return error.what();
  }
  return "nothing diverged";
}

TEST(Divergence, StopsTrainingUnlessALowerRateIsWanted) {
  const recording::Recording r = huge_responses();
  TrainingRun run = diverging_run(r);
  EXPECT_THAT(error_of(run), testing::AllOf(testing::HasSubstr("became"), testing::HasSubstr("training.on_divergence")));
  run.settings.learning_rate = 1e-3;  // the advice
  EXPECT_EQ(error_of(run), "nothing diverged");
  run.settings.learning_rate = 10;
  run.settings.divergence = {true, 1e-4, 3};  // the other
  testing::internal::CaptureStderr();
  const TrainingResult result = train_model(Communicator::self(), run);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, testing::HasSubstr("going back to the end of epoch"));
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.curve.size(), 3U);
  EXPECT_LE(std::abs(result.curve.back().learning_rate - 1e-3), 1e-12);
  for (const float value : result.model.parameters) ASSERT_TRUE(std::isfinite(value));
}

/// An outlier that no rate cures: the rate is lowered as often as allowed, and no more.
TEST(Divergence, GivesUpAfterSoManyTimes) {
  recording::Recording r = synthetic::make_recording(2000, 1, 5);
  for (std::size_t t = 300; t < 1500; ++t) r.train.target(0, t) = std::nanf("");
  TrainingRun run = synthetic::make_run(r);
  run.settings.divergence = {true, 0.5, 2};
  run.settings.initial_gain = 0;
  testing::internal::CaptureStderr();
  const std::string error = error_of(run);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(error, testing::AllOf(testing::HasSubstr("lowered 2 times"), testing::HasSubstr("outliers")));
  EXPECT_THAT(said, testing::HasSubstr("(2 of at most 2 times)"));
  EXPECT_THAT(said, testing::Not(testing::HasSubstr("(3 of")));
}

/// Killed in the middle of epochs, before and after it diverged, such a training ends with the bits it has uninterrupted.
TEST(Divergence, HasTheSameBitsHoweverOftenItIsKilled) {
  const recording::Recording r = huge_responses();
  TrainingRun run = diverging_run(r);
  run.settings.divergence = {true, 0.1, 8};
  testing::internal::CaptureStderr();
  const TrainingResult whole = train_model(Communicator::self(), run);
  EXPECT_LT(whole.curve.back().learning_rate, 1);
  const TemporaryFolder folder(Communicator::self());
  run.checkpoint = folder / "train.checkpoint", run.settings.checkpoint_minutes = 1e-12;
  int kills = 0;
  TrainingResult part;
  for (part.finished = false; !part.finished; ++kills) {
    ASSERT_LT(kills, 100);
    int updates = 0;
    core::set_progress_listener([&updates](const core::ProgressState& /*state*/) {
      if (++updates == 4) throw std::runtime_error("killed");
    });
    try {
      part = train_model(Communicator::self(), run);
    } catch (const std::runtime_error& error) {
      ASSERT_STREQ(error.what(), "killed");
    }
  }
  core::set_progress_listener({});
  testing::internal::GetCapturedStderr();
  EXPECT_GT(kills, 5);
  EXPECT_TRUE(same_bits(part.model.parameters, whole.model.parameters));
  ASSERT_EQ(part.curve.size(), whole.curve.size());
  for (std::size_t e = 0; e < whole.curve.size(); ++e) EXPECT_EQ(part.curve[e].learning_rate, whole.curve[e].learning_rate);
}

/// Two models of one run differ when only the model seed does, and when only the data seed does.
TEST(Trainer, SeedsMatter) {
  const recording::Recording r = synthetic::make_recording(2000, 1, 5);
  TrainingRun run = synthetic::make_run(r);
  run.settings.total_windows = 80;
  const TrainingResult first = train_model(Communicator::self(), run);
  run.settings.model_seed = 2;
  EXPECT_FALSE(same_bits(first.model.parameters, train_model(Communicator::self(), run).model.parameters));
  run.settings.model_seed = 1, run.settings.data_seed = 2;
  EXPECT_FALSE(same_bits(first.model.parameters, train_model(Communicator::self(), run).model.parameters));
}

TEST(Trainer, EarlyStoppingStops) {
  const recording::Recording r = synthetic::make_recording(2000, 1, 7);
  TrainingRun run = synthetic::make_run(r);
  run.settings.total_windows = 400 * 50;
  run.settings.early_stopping = {3, 1e6, Metric::loss};  // nothing improves that much: three epochs after the first
  const TrainingResult result = train_model(Communicator::self(), run);
  EXPECT_TRUE(result.finished);
  EXPECT_TRUE(result.stopped_early);
  EXPECT_EQ(result.curve.size(), 4u);
}

/// A fraction of 0, or a tail shorter than one window's history, leaves nothing to validate on.
TEST(Trainer, WithoutValidationTheLastEpochIsKept) {
  const recording::Recording r = synthetic::make_recording(2000, 1, 7);
  for (const double fraction : {0.0, 0.002}) {
    TrainingRun run = synthetic::make_run(r);
    run.recording_settings.validation_fraction = fraction;
    testing::internal::CaptureStderr();
    const TrainingResult result = train_model(Communicator::self(), run);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("recording.validation_fraction"));
    ASSERT_EQ(result.curve.size(), 3u);
    EXPECT_FALSE(result.curve[0].best);
    EXPECT_FALSE(result.curve[1].best);
    EXPECT_TRUE(result.curve[2].best);
    run.settings.total_windows = 400;  // one epoch is its own last one
    EXPECT_TRUE(train_model(Communicator::self(), run).curve.at(0).best);
  }
}

TEST(Trainer, WhatFollowsTheValidationIsRefusedWithoutOne) {
  const recording::Recording r = synthetic::make_recording(2000, 1, 7);
  const auto refusal = [&](auto change) -> std::string {
    TrainingRun run = synthetic::make_run(r);
    run.recording_settings.validation_fraction = 0.0;
    change(run.settings);
    try {
      train_model(Communicator::self(), run);
    } catch (const core::InputError& error) {
      return error.what();
    }
    return "nothing was refused";
  };
  EXPECT_THAT(refusal([](TrainingSettings& s) { s.early_stopping.patience = 3; }),
              testing::AllOf(testing::HasSubstr("recording.validation_fraction = 0 "), testing::HasSubstr("early stopping")));
  EXPECT_THAT(refusal([](TrainingSettings& s) { s.schedule.kind = Schedule::plateau; }),
              testing::AllOf(testing::HasSubstr("recording.validation_fraction = 0 "), testing::HasSubstr("plateau")));
  EXPECT_EQ(refusal([](TrainingSettings&) {}), "nothing was refused");
}

TEST(Trainer, WritesCurvesAndKeepsThePreviousCheckpoint) {
  const recording::Recording r = synthetic::make_recording(2000, 2, 5);
  const TemporaryFolder folder(Communicator::self());
  TrainingRun run = synthetic::make_run(r);
  run.checkpoint = folder / "train.checkpoint", run.curves = folder / "curves";
  const TrainingResult result = train_model(Communicator::self(), run);
  const std::string csv = contents(folder / "curves.csv"), jsonl = contents(folder / "curves.jsonl");
  EXPECT_EQ(csv.substr(0, csv.find('\n')),
            "epoch,windows,learning_rate,train_loss,penalty,validation_loss,validation_r,r_cell0,r_cell1,seconds,windows_per_"
            "second,best");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  EXPECT_EQ(std::count(jsonl.begin(), jsonl.end(), '\n'), 3);
  EXPECT_TRUE(std::filesystem::exists(folder / "train.checkpoint.previous"));
  for (const auto& entry : std::filesystem::directory_iterator(folder / ""))
    EXPECT_NE(entry.path().extension(), ".partial") << entry.path();
  std::ofstream(folder / "train.checkpoint.0123456789abcdef.partial") << "left by a run that died";
  std::ofstream(folder / "train.checkpoint2.partial") << "another file's";
  io::remove_leftovers(run.checkpoint);
  EXPECT_FALSE(std::filesystem::exists(folder / "train.checkpoint.0123456789abcdef.partial"));
  EXPECT_TRUE(std::filesystem::exists(folder / "train.checkpoint2.partial"));
  EXPECT_TRUE(std::filesystem::exists(run.checkpoint));
  const auto facts = describe_checkpoint(run.checkpoint);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->fault, "");
  EXPECT_EQ(facts->steps, 30u);  // 1200 windows in batches of 40
  EXPECT_FALSE(describe_checkpoint(folder / "curves.csv").has_value());
  EXPECT_FALSE(describe_checkpoint(folder / "nowhere").has_value());
  // Damage in the last checkpoint is noticed, and the one before leads to the same end.
  std::string bytes = contents(run.checkpoint);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(run.checkpoint, std::ios::binary) << bytes;
  EXPECT_NE(describe_checkpoint(run.checkpoint)->fault, "");
  const TrainingResult again = train_model(Communicator::self(), run);
  EXPECT_TRUE(same_bits(again.model.parameters, result.model.parameters));
}

/// A small state that tells itself apart by its step.
TrainState state_of(std::uint64_t step) {
  TrainState state;
  state.step = step;
  state.parameters.assign(100, 1.5f);
  return state;
}

void put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::string with_flip(std::string bytes, std::size_t at, int bit) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
  return bytes;
}

std::string fault_of(const std::string& path) {
  try {
    read_checkpoint(Communicator::self(), path, "a = 1\n");
  } catch (const core::InputError& error) {
    return error.what();
  }
  return "(no InputError)";
}

TEST(Checkpoint, EveryFlippedBitAndCutIsDamage) {
  const std::string whole = encode_checkpoint(state_of(17), "a = 1\n");
  ASSERT_EQ(decode_checkpoint(whole, "a = 1\n", "c").step, 17u);
  const std::size_t header = whole.find('\n');
  const TemporaryFolder folder(Communicator::self());
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; bit += at <= header ? 1 : 7)
      EXPECT_THROW(decode_checkpoint(with_flip(whole, at, bit), "a = 1\n", "c"), core::InputError)
          << "byte " << at << " bit " << bit;
  for (std::size_t kept = 0; kept < whole.size(); ++kept)
    EXPECT_THROW(decode_checkpoint(whole.substr(0, kept), "a = 1\n", "c"), core::InputError) << kept << " bytes";
  EXPECT_THROW(decode_checkpoint(whole + "x", "a = 1\n", "c"), core::InputError);
}

TEST(Checkpoint, DamageInOneLeadsToTheOther) {
  const TemporaryFolder folder(Communicator::self());
  const std::string path = folder / "train.checkpoint", last = encode_checkpoint(state_of(20), "a = 1\n"),
                    before = encode_checkpoint(state_of(10), "a = 1\n");
  put(path + ".previous", before);
  for (const std::size_t at : {std::size_t{3}, std::size_t{29}, std::size_t{40}, last.size() - 4}) {
    put(path, with_flip(last, at, 1));
    for (int time = 0; time < 2; ++time) {
      testing::internal::CaptureStderr();
      const auto state = read_checkpoint(Communicator::self(), path, "a = 1\n");
      const std::string said = testing::internal::GetCapturedStderr();
      ASSERT_TRUE(state.has_value()) << at;
      EXPECT_EQ(state->step, 10u);
      const bool names = said.find("train.checkpoint is damaged") != std::string::npos, first = at == 3 && time == 0;
      EXPECT_TRUE(names || !first) << said;
      EXPECT_TRUE(said.empty() || time == 0) << "said twice: " << said;
    }
  }
  // What is written next must not put the damaged file in the place of the whole one.
  write_checkpoint(Communicator::self(), path, state_of(11), "a = 1\n");
  EXPECT_EQ(contents(path + ".previous"), before);
  write_checkpoint(Communicator::self(), path, state_of(12), "a = 1\n");
  EXPECT_EQ(decode_checkpoint(contents(path + ".previous"), "a = 1\n", "c").step, 11u);
}

TEST(Checkpoint, DamageInAllThereIsEndsTheTraining) {
  const TemporaryFolder folder(Communicator::self());
  const std::string path = folder / "train.checkpoint", whole = encode_checkpoint(state_of(20), "a = 1\n");
  EXPECT_FALSE(read_checkpoint(Communicator::self(), path, "a = 1\n").has_value()) << "nothing is there";
  put(path, with_flip(whole, 100, 0));
  EXPECT_THAT(fault_of(path), testing::AllOf(testing::HasSubstr(path), testing::HasSubstr("--overwrite")));
  put(path + ".previous", whole.substr(0, 200));
  EXPECT_THAT(fault_of(path), testing::AllOf(testing::HasSubstr(path + " "), testing::HasSubstr(path + ".previous "),
                                             testing::HasSubstr("--overwrite")));
  std::filesystem::remove(path);
  EXPECT_THAT(fault_of(path), testing::HasSubstr(path + ".previous "));
}

TEST(Trainer, RefusesTheCheckpointOfAnotherTraining) {
  const recording::Recording r = synthetic::make_recording(2000, 1, 5);
  const TemporaryFolder folder(Communicator::self());
  TrainingRun run = synthetic::make_run(r);
  run.checkpoint = folder / "train.checkpoint";
  train_model(Communicator::self(), run);
  run.settings.learning_rate = 0.002;
  try {
    train_model(Communicator::self(), run);
    FAIL() << "another learning rate went on from the checkpoint";
  } catch (const core::RefusedError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("training.learning_rate"));
  }
}

TEST(Trainer, StopsWhereTheLossIsNotFinite) {
  recording::Recording r = synthetic::make_recording(2000, 1, 5);
  for (float& value : r.train.target.values()) value = std::numeric_limits<float>::infinity();
  try {
    train_model(Communicator::self(), synthetic::make_run(r));
    FAIL() << "an infinite loss went unnoticed";
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("loss"));
  }
}

/// Before the first step the rates over the recording average to each cell's mean.
TEST(Trainer, StartsAtTheMeanRates) {
  const recording::Recording r = synthetic::make_recording(6000, 2, 11);
  TrainingRun run = synthetic::make_run(r);
  run.settings.total_windows = 40, run.settings.learning_rate = 1e-9, run.settings.schedule.kind = Schedule::constant;
  run.settings.statistics_windows = 3000;
  const TrainingResult result = train_model(Communicator::self(), run);
  const auto rates =
      model::predict(Communicator::self(), model::make_inference<float>(result.model), r.train.movie, r.coding, 10, 4700);
  for (std::size_t n = 0; n < 2; ++n) {
    double mean = 0, target = 0;
    for (std::size_t t = 0; t < 4700; ++t)
      mean += static_cast<double>(rates(n, t)) / 4700, target += static_cast<double>(r.train.target(n, 10 + t)) / 4700;
    EXPECT_TRUE(std::abs(mean - target) <= 0.1 * target) << mean << " " << target;
  }
}

}  // namespace
}  // namespace amacrine::training
