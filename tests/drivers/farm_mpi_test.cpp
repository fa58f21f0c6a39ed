// SPDX-License-Identifier: Apache-2.0
// A verb for many models at once: the files are those of the verb for each alone, and a model that fails stops nobody.
#include "amacrine/core/log.hpp"
#include "drivers/farm.hpp"
#include "drivers/small_study.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using parallel::Communicator;
using testing::HasSubstr;

const char* const tables =
    "[simulation]\ntrain_minutes = 0.1\ntest_seconds = 2\n[simulation.cells.osr]\n[model]\nchannels = [2]\nkernels = [15]\n"
    "[attribution]\nsubjects = [\"network\"]\nstimuli = [\"osr/period_ms=100\"]\npanels = 4\nafter_ms = 50\n";

/// Three models of random weights in folders beside each other, the second drawn by other weights than the first and third.
class Farm : public testing::Test {
 protected:
  Farm() {
    core::set_log_level("quiet");
    for (const char* name : {"a", "b", "c", "alone"}) {
      const Context context = test_study::make_context(Communicator::world(), path(std::string("trials/") + name), tables);
      test_study::write_random_model(context, false, name[0] == 'b' ? 3 : 0);
    }
    Communicator::world().barrier();
    if (Communicator::world().root()) {
      std::filesystem::create_directories(path("trials/empty"));
      std::filesystem::rename(path("trials/alone"), path("alone"));
    }
    Communicator::world().barrier();
  }
  Context context(const std::string& models, std::size_t ranks_per_model = 1) {
    Context made = test_study::make_context(Communicator::world(), folder_.path(), tables);
    made.options.verb = "attribute", made.options.models = models, made.options.ranks_per_model = ranks_per_model;
    return made;
  }
  std::string path(const std::string& name) const { return folder_ / name; }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(Farm, EveryModelGetsWhatItGetsAlone) {
  Context alone = test_study::make_context(Communicator::world(), path("alone"), tables);
  alone.options.verb = "attribute";
  ASSERT_EQ(attribute(alone), 0);
  Context all = context("trials/*");
  ASSERT_EQ(run_for_models(all, attribute), 0);
  const auto row = [&](const std::string& folder) {
    return io::Reader(path(folder + "/attributions_network.h5")).read<float>("rate");
  };
  EXPECT_EQ(row("trials/a"), row("alone"));
  EXPECT_EQ(row("trials/c"), row("alone"));
  EXPECT_NE(row("trials/b"), row("alone"));
  // Whole results are used again.
  const auto made = std::filesystem::last_write_time(path("trials/a/attributions_network.h5"));
  Communicator::world().barrier();
  EXPECT_EQ(run_for_models(all, attribute), 0);
  EXPECT_EQ(std::filesystem::last_write_time(path("trials/a/attributions_network.h5")), made);
}

TEST_F(Farm, GroupsOfSeveralRanksShareAModel) {
  const auto ranks = static_cast<std::size_t>(Communicator::world().size());
  Context all = context("trials/*", ranks);
  EXPECT_EQ(run_for_models(all, attribute), 0);
  Context odd = context("trials/*", ranks + 1);
  EXPECT_THROW(run_for_models(odd, attribute), core::RefusedError);
}

TEST_F(Farm, AModelThatFailsIsNamedAndStopsNobody) {
  if (Communicator::world().root()) std::ofstream(path("trials/b/model.h5")) << "no model";
  Communicator::world().barrier();
  Context all = context("trials/*");
  try {
    run_for_models(all, attribute);
    FAIL() << "one model is damaged";
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("attribute failed for 1 of 3 models:\n  " + path("trials/b")));
  }
  for (const char* name : {"a", "c"})
    EXPECT_TRUE(std::filesystem::exists(path(std::string("trials/") + name + "/attributions_network.h5")));
}

TEST_F(Farm, AModelInOtherHandsIsLeftToThem) {
  const io::OutputLock other(Communicator::world(), path("trials/b/attribute.farm"), {"attribute", "other.toml"});
  Context all = context("trials/*");
  try {
    run_for_models(all, attribute);
    FAIL() << "another run holds a model";
  } catch (const core::RefusedError& error) {
    EXPECT_THAT(error.what(), HasSubstr("1 of 3 models could not be worked on"));
    EXPECT_THAT(error.what(), HasSubstr("other.toml"));
  }
  EXPECT_TRUE(std::filesystem::exists(path("trials/c/attributions_network.h5")));
  EXPECT_FALSE(std::filesystem::exists(path("trials/b/attributions_network.h5")));
}

TEST_F(Farm, FoldersWithoutAModelAreNone) {
  Context none = context("nothing/*");
  EXPECT_THROW(run_for_models(none, attribute), core::InputError);
  EXPECT_EQ(model_folders(path(""), "trials/*").size(), 3U);
}

}  // namespace
}  // namespace amacrine::drivers
