// SPDX-License-Identifier: Apache-2.0
// A study of several recordings: what `train` makes of it on any number of ranks, and what the verbs after it see.
#include "amacrine/core/log.hpp"
#include "drivers/farm.hpp"
#include "drivers/sessions.hpp"
#include "drivers/small_study.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using parallel::Communicator;
using testing::HasSubstr;

const char* const network =
    "[model]\nhistory = 10\nchannels = [2]\nkernels = [15]\n"
    "[training]\nsegments = 8\nwindows = 4\ntotal_windows = 64\nepoch_windows = 32\nstatistics_windows = 32\n"
    "ln = false\n[evaluation]\nbootstrap_samples = 5\n";

/// Three recordings of two cells and one, of different seeds.
class SessionStudy : public testing::Test {
 protected:
  SessionStudy() {
    core::set_log_level("quiet");
    for (int s = 0; s < 3; ++s) simulate_recording(s, 10 + s);
  }
  void simulate_recording(int session, int seed) {
    const std::string cells = session == 1 ? "[simulation.cells.osr]\n" : "[simulation.cells.osr]\n[simulation.cells.latency]\n";
    Context made = test_study::make_context(
        Communicator::world(), path(fmt::format("recording{}", session)),
        fmt::format("[simulation]\nseed = {}\ntrain_minutes = 0.2\ntest_seconds = 2\n{}[model]\nhistory = 10\n", seed, cells));
    made.options.verb = "simulate", made.options.overwrite = true;
    EXPECT_EQ(simulate(made), 0);
  }
  Context context(const std::string& folder, const std::string& verb, const Communicator& ranks = Communicator::world(),
                  const std::string& more = "") {
    std::string tables = network + more;
    for (const auto& [session, name] : {std::pair(0, "a"), std::pair(1, "b"), std::pair(2, "c")})
      tables += fmt::format("[sessions.{}]\nfile = \"{}\"\n", name, path(fmt::format("recording{}/recording.h5", session)));
    Context made = test_study::make_context(ranks, path(folder), tables);
    made.options.verb = verb, made.options.study_file = "small.toml";
    return made;
  }
  int trained(const std::string& folder, const Communicator& ranks = Communicator::world(), bool overwrite = false) {
    Context made = context(folder, "train", ranks);
    made.options.overwrite = overwrite;
    const int code = train(made);
    ranks.barrier();
    return code;
  }
  std::string path(const std::string& name) const { return folder_ / name; }
  auto made_at(const std::string& session) const {
    return std::filesystem::last_write_time(path("joint/sessions/" + session + "/model.h5"));
  }

 private:
  test::TemporaryFolder folder_;
};

void expect_same_model(const std::string& a, const std::string& b) {
  const model::Model x = model::read_model(a), y = model::read_model(b);
  EXPECT_FALSE(x.parameters.empty());
  EXPECT_EQ(x.parameters, y.parameters);
  EXPECT_EQ(x.statistics, y.statistics);
  EXPECT_EQ(x.cells.size(), y.cells.size());
}

TEST_F(SessionStudy, AllRankCountsMakeTheSameModels) {
  ASSERT_EQ(trained("joint"), 0);
  const std::string alone = fmt::format("alone{}", Communicator::world().rank());
  ASSERT_EQ(trained(alone, Communicator::self()), 0);
  for (const char* session : {"a", "b", "c"})
    expect_same_model(path(fmt::format("joint/sessions/{}/model.h5", session)),
                      path(fmt::format("{}/sessions/{}/model.h5", alone, session)));
  const model::Model a = model::read_model(path("joint/sessions/a/model.h5")),
                     b = model::read_model(path("joint/sessions/b/model.h5"));
  EXPECT_EQ(a.cells.size(), 2u);
  EXPECT_EQ(b.cells.size(), 1u);
  const auto kernel = model::make_layout(a.architecture).parameter("hidden0.kernel").size;
  EXPECT_TRUE(std::equal(a.parameters.begin(), a.parameters.begin() + static_cast<std::ptrdiff_t>(kernel), b.parameters.begin()));
  Communicator::world().barrier();
}

/// Whole models are used again; one that is missing is written again from the others' training; another recording of one session
/// makes all models those of another study.
TEST_F(SessionStudy, ModelsBelongTogether) {
  const Communicator world = Communicator::world();
  ASSERT_EQ(trained("joint"), 0);
  const auto first = made_at("a");
  ASSERT_EQ(trained("joint"), 0);
  EXPECT_EQ(made_at("a"), first);
  const model::Model before = model::read_model(path("joint/sessions/b/model.h5"));
  world.barrier();
  if (world.root()) std::filesystem::remove(path("joint/sessions/b/model.h5"));
  world.barrier();
  ASSERT_EQ(trained("joint"), 0);
  EXPECT_EQ(made_at("a"), first);
  EXPECT_EQ(model::read_model(path("joint/sessions/b/model.h5")).parameters, before.parameters);
  world.barrier();

  simulate_recording(2, 99);
  try {
    trained("joint");
    ADD_FAILURE() << "a model was used again though another session's recording changed";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), core::ExitCode::refused);
    EXPECT_THAT(error.what(), HasSubstr("session c"));
  }
  ASSERT_EQ(trained("joint", world, true), 0);
  EXPECT_NE(model::read_model(path("joint/sessions/b/model.h5")).parameters, before.parameters);
  world.barrier();
}

TEST_F(SessionStudy, VerbsGoThroughAllSessions) {
  ASSERT_EQ(trained("joint"), 0);
  Context made = context("joint", "evaluate");
  made.options.models.clear();
  ASSERT_EQ(run_for_models(made, evaluate), 0);
  Communicator::world().barrier();
  EXPECT_EQ(io::Reader(path("joint/sessions/a/evaluation.h5")).read_strings("cell").size(), 2u);
  EXPECT_EQ(io::Reader(path("joint/sessions/b/evaluation.h5")).read_strings("cell").size(), 1u);
  Communicator::world().barrier();
}

/// A session whose file is missing ends the run on all ranks, whoever has it, with what is wrong.
TEST_F(SessionStudy, AMissingRecordingIsNamedOnAllRanks) {
  const Communicator world = Communicator::world();
  world.barrier();
  if (world.root()) std::filesystem::remove(path("recording2/recording.h5"));
  world.barrier();
  try {
    trained("joint");
    ADD_FAILURE() << "trained without one of the recordings";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), core::ExitCode::bad_input);
    EXPECT_THAT(error.what(), HasSubstr("recording2/recording.h5"));
  }
}

TEST_F(SessionStudy, WhatDoesNotGoWithSessionsIsRefused) {
  const auto refused = [&](const std::function<void()>& asked, const std::string& words) {
    try {
      asked();
      ADD_FAILURE() << "accepted: " << words;
    } catch (const core::StudyError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  };
  const Context plain = context("joint", "train");
  refused([&] { check_sessions(plain, "sweep", false); }, "works on one recording");
  const Context one = test_study::make_context(Communicator::world(), path("one"), network);
  EXPECT_NO_THROW(check_sessions(one, "sweep", false));  // the advice
  EXPECT_NO_THROW(check_sessions(plain, "train", false));
  EXPECT_NO_THROW(check_sessions(plain, "evaluate", true));
  const Context beside = context("joint", "train", Communicator::world(), "[recording]\ncells = [0]\n");
  refused([&] { check_sessions(beside, "train", false); }, "take recording.file, recording.cells");
  refused([&] { context("x", "train", Communicator::world(), "[sessions.d]\ncells = [0]\n"); }, "needs a key 'file'");
  refused([&] { context("x", "train", Communicator::world(), "[sessions.\"d e\"]\nfile = \"x.h5\"\n"); }, "a session's name");
  const std::string again = path("recording0/recording.h5");
  refused([&] { context("x", "train", Communicator::world(), "[sessions.d]\nfile = \"" + again + "\"\n"); },
          "same cells of the same file");
  Context seeds = context("joint", "train");
  seeds.settings.training.model_seeds = {1, 2};
  refused([&] { train(seeds); }, "sessions train one model");
  seeds.settings.training.model_seeds = {2};  // the advice
  EXPECT_EQ(train(seeds), 0);
  Communicator::world().barrier();
}

}  // namespace
}  // namespace amacrine::drivers
