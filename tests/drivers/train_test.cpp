// SPDX-License-Identifier: Apache-2.0
// What makes a training another one, and what does not.
#include "amacrine/core/log.hpp"
#include "amacrine/training/checkpoint.hpp"
#include "drivers/small_study.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using parallel::Communicator;
using testing::HasSubstr;

constexpr int stopped = static_cast<int>(core::ExitCode::run_again);

std::string tables(const std::string& simulation, const std::string& recording, const std::string& training) {
  return fmt::format(
      "[simulation]\ntrain_minutes = 0.5\ntest_seconds = 2\n{}\n[simulation.cells.osr]\n[recording]\n{}\n[model]\nchannels = "
      "[2]\n"
      "kernels = [15]\n[training]\nsegments = 8\nwindows = 4\ntotal_windows = 128\nepoch_windows = 64\nstatistics_windows = "
      "64\nln = "
      "false\n{}\n",
      simulation, recording, training);
}

/// A small study in a folder of its own, with its simulated recording and its trained model.
class Train : public testing::Test {
 protected:
  Train() : folder_(Communicator::self()) {
    core::set_log_level("quiet");
    EXPECT_EQ(simulated("", false), 0);
    EXPECT_EQ(trained("", "", false), 0);
  }
  Context context(const std::string& text, bool overwrite, const std::string& folder = "a") {
    Context made = test_study::make_context(Communicator::self(), folder_ / folder, text);
    made.options.overwrite = overwrite;
    return made;
  }
  int simulated(const std::string& simulation, bool overwrite) {
    Context made = context(tables(simulation, "", ""), overwrite);
    made.options.verb = "simulate";
    return simulate(made);
  }
  int trained(const std::string& recording, const std::string& training, bool overwrite, const std::string& folder = "a") {
    Context made = context(tables("", recording, training), overwrite, folder);
    made.options.verb = "train";
    return train(made);
  }
  /// When the model was made.
  auto made_at(const std::string& folder = "a") const {
    return std::filesystem::last_write_time(folder_ / (folder + "/model.h5"));
  }
  std::string path(const std::string& name) const { return folder_ / name; }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(Train, LimitsOfTimeAndPathsAreNotPartOfAStudy) {
  const auto before = made_at();
  EXPECT_EQ(trained("", "max_minutes = 5", false), 0);
  std::filesystem::rename(path("a"), path("b"));
  std::filesystem::rename(path("b/recording.h5"), path("elsewhere.h5"));
  EXPECT_EQ(trained(fmt::format("file = \"{}\"", path("elsewhere.h5")), "", false, "b"), 0);
  EXPECT_EQ(made_at("b"), before);
  EXPECT_THROW(trained(fmt::format("file = \"{}\"", path("elsewhere.h5")), "l2 = 0.02", false, "b"), core::RefusedError);
}

TEST_F(Train, OutlivesAMendedTestPartAndNoOther) {
  const auto before = made_at();
  ASSERT_EQ(simulated("repeats = 11", true), 0);
  EXPECT_EQ(trained("", "", false), 0);
  EXPECT_EQ(made_at(), before);
  ASSERT_EQ(simulated("seed = 9", true), 0);
  try {
    trained("", "", false);
    FAIL() << "the training part is another";
  } catch (const core::RefusedError& error) {
    EXPECT_THAT(error.what(), HasSubstr("checksum of the training part of the recording"));
  }
}

TEST_F(Train, WithOverwriteGoesOnWhereItWasStopped) {
  // Another study in the output of the first, stopped after every step: the same command ends it.
  std::vector<std::uint64_t> steps;
  int code = stopped;
  for (int run = 0; run < 8 && code == stopped; ++run) {
    code = trained("", "l2 = 0.02\nmax_minutes = 1e-9", true);
    steps.push_back(training::describe_checkpoint(path("a/train.checkpoint")).value().steps);
  }
  EXPECT_THAT(steps, testing::ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(code, 0);
  EXPECT_THAT(io::Reader(path("a/model.h5")).provenance().step_study, HasSubstr("l2 = 0.02"));
}

TEST_F(Train, ReplacesACheckpointOfAnotherTrainingOnlyWithOverwrite) {
  std::filesystem::remove(path("a/model.h5"));
  const auto checkpoint = std::filesystem::last_write_time(path("a/train.checkpoint"));
  EXPECT_THROW(trained("", "l2 = 0.02", false), core::RefusedError);
  EXPECT_EQ(std::filesystem::last_write_time(path("a/train.checkpoint")), checkpoint);
  EXPECT_EQ(trained("", "l2 = 0.02", true), 0);
}

TEST_F(Train, IsRefusedBeforeItStartsWhereTheOutputIsHeld) {
  const io::OutputLock other(Communicator::self(), path("c/model.h5"), {"train", "other.toml"});
  try {
    trained(fmt::format("file = \"{}\"", path("a/recording.h5")), "", false, "c");
    FAIL() << "another run holds the output";
  } catch (const core::RefusedError& error) {
    EXPECT_THAT(error.what(), HasSubstr("other.toml"));
  }
  EXPECT_FALSE(std::filesystem::exists(path("c/train.checkpoint")));
  std::ofstream(path("file")) << "no folder";
  EXPECT_THROW(trained(fmt::format("file = \"{}\"", path("a/recording.h5")), "", false, "file/out"), core::RefusedError);
}

TEST_F(Train, EvaluationsRecordTheNormalisationThatIsUsed) {
  const auto evaluated = [&](const std::string& recording) {
    Context made = context(tables("", recording, "") + "[evaluation]\nbootstrap_samples = 2\n", false);
    made.options.verb = "evaluate";
    return evaluate(made);
  };
  for (const char* other : {"normalisation = \"per_pixel\"", "minimum_lag = 1"}) EXPECT_THROW(evaluated(other), core::StudyError);
  EXPECT_FALSE(std::filesystem::exists(path("a/evaluation.h5")));
  EXPECT_EQ(evaluated(""), 0);
  EXPECT_THAT(io::Reader(path("a/evaluation.h5")).provenance().step_study, HasSubstr("normalisation = \"scalar\""));
}

}  // namespace
}  // namespace amacrine::drivers
