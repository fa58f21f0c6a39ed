// SPDX-License-Identifier: Apache-2.0
// A sweep of real trainings: every trial is what `train` makes of its overrides, on any number of ranks.
#include "amacrine/core/log.hpp"
#include "amacrine/sweep/record.hpp"
#include "drivers/small_study.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using parallel::Communicator;
using testing::HasSubstr;

const char* const base =
    "[simulation]\ntrain_minutes = 0.2\ntest_seconds = 2\n[simulation.cells.osr]\n[model]\nhistory = 10\nchannels = [2]\nkernels "
    "= [15]\n"
    "[training]\nsegments = 8\nwindows = 4\ntotal_windows = 64\nepoch_windows = 32\nstatistics_windows = 32\nln = false\n"
    "[sweep]\nreduction = 2\nrungs = 1\n";
const char* const space =
    "[sweep.space]\ntraining.learning_rate = { low = 1e-3, high = 0.1, scale = \"log\" }\nmodel.channels = { values = "
    "[\"[2]\", \"[3]\"] }\n";

class Sweep : public testing::Test {
 protected:
  Sweep() {
    core::set_log_level("quiet");
    Context made = context(base, "all", "simulate");
    EXPECT_EQ(simulate(made), 0);
  }
  Context context(const std::string& tables, const std::string& folder, const std::string& verb,
                  const Communicator& ranks = Communicator::world()) {
    const std::string recording = fmt::format("[recording]\nfile = \"{}\"\n", path("all/recording.h5"));
    Context made = test_study::make_context(ranks, path(folder), tables + (verb == "simulate" ? "" : recording));
    made.options.verb = verb, made.options.study_file = "small.toml";
    return made;
  }
  int swept(const std::string& tables, const std::string& action = "", bool overwrite = false, const char* trials_of = space) {
    Context made = context(std::string(base) + tables + trials_of, "all", "sweep");
    made.options.action = action, made.options.overwrite = overwrite;
    if (action == "extend") made.options.more_trials = 2;
    return sweep(made);
  }
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string text(const std::string& name) const {
    std::ifstream file(path(name));
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
  }
  /// The rows of sweep.csv, the first being the titles.
  std::vector<std::string> rows() const {
    std::istringstream all(text("all/sweep.csv"));
    std::vector<std::string> lines;
    for (std::string line; std::getline(all, line);) lines.push_back(line);
    return lines;
  }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(Sweep, ATrialIsWhatItsOverridesTrainAlone) {
  ASSERT_EQ(swept("trials = 4\nmodels_per_group = 2\n"), 0);
  const io::Reader file(path("all/sweep.h5"));
  const auto values = file.read<double>("value");
  const auto epochs = file.read<std::int32_t>("epochs");
  EXPECT_EQ(values.size(), 8U);
  std::size_t finished = 0;
  for (std::size_t t = 0; t < 4; ++t) {
    EXPECT_TRUE(epochs[t] == 1 || epochs[t] == 2);
    const std::string model = fmt::format("trials/{:04}/model.h5", t);
    EXPECT_EQ(std::filesystem::exists(path("all/" + model)), epochs[t] == 2);
    if (epochs[t] != 2) continue;
    ++finished;
    const auto rate = file.read<double>("parameter/training.learning_rate")[t];
    const io::Provenance made = io::Reader(path("all/" + model)).provenance();
    EXPECT_THAT(made.step_study, HasSubstr(fmt::format("learning_rate = {}", rate)));
    // The study that the model file records, trained alone.
    core::Study study = core::Study::from_text(made.study, "trial", {"study.output=" + path(fmt::format("alone{}", t))});
    Settings settings = read_settings(study);
    Context alone{Communicator::world(), std::move(study), std::move(settings), {}};
    alone.options.verb = "train";
    ASSERT_EQ(train(alone), 0);
    const model::Model mine = model::read_model(path(fmt::format("alone{}/model.h5", t))),
                       theirs = model::read_model(path("all/" + model));
    EXPECT_EQ(mine.parameters, theirs.parameters);
    EXPECT_EQ(mine.statistics, theirs.statistics);
  }
  EXPECT_GE(finished, 1U);
}

TEST_F(Sweep, GrowsAndTriesFailedTrialsAgain) {
  ASSERT_EQ(swept("trials = 8\n"), 0);
  const auto before = rows();
  EXPECT_EQ(before.size(), 9U);
  ASSERT_EQ(swept("trials = 8\n", "extend"), 0);
  const auto after = rows();
  ASSERT_EQ(after.size(), 11U);
  for (std::size_t row = 0; row < before.size(); ++row) EXPECT_EQ(after[row], before[row]);
  EXPECT_EQ(swept("trials = 8\n"), 0) << "all ten are kept";
  EXPECT_EQ(rows(), after);
  EXPECT_EQ(swept("", "status"), 0);
  Communicator::world().barrier();
  if (Communicator::world().root()) std::filesystem::remove(path("all/sweep.csv"));
  EXPECT_EQ(swept("trials = 8\n", "export"), 0);
  EXPECT_EQ(rows(), after);
  EXPECT_EQ(swept("trials = 8\n", "retry"), 0) << "nothing has failed";
  EXPECT_EQ(rows(), after);
  EXPECT_THROW(swept("trials = 8\nseed = 2\n"), core::RefusedError);
  EXPECT_EQ(rows(), after);
}

/// A journal as it lies there when `sweep extend` was stopped or killed after its first line.
TEST_F(Sweep, AnExtensionThatWasInterruptedGoesOnWhenRepeated) {
  ASSERT_EQ(swept("trials = 3\n"), 0);
  const bool root = Communicator::world().root();
  const auto interrupt = [&](std::size_t trials) {
    Communicator::world().barrier();
    if (root) {
      const std::string file = path("all/sweep.journal");
      io::Journal journal(file, io::Journal::identity_of(file));
      sweep::Record record = sweep::read_record(Communicator::self(), journal);
      EXPECT_EQ(record.extension, 0U);
      record.trials = trials, record.extension = 2;
      journal.start(sweep::encode(record));
    }
    Communicator::world().barrier();
  };
  interrupt(5);
  EXPECT_EQ(swept("trials = 3\n", "extend"), 0);
  EXPECT_EQ(rows().size(), 1 + 5U) << "it goes on with the two that were added";
  EXPECT_EQ(swept("trials = 3\n", "extend"), 0);
  EXPECT_EQ(rows().size(), 1 + 7U) << "what is finished is extended anew";
  interrupt(9);
  Context other = context(std::string(base) + "trials = 3\n" + space, "all", "sweep");
  other.options.action = "extend", other.options.more_trials = 1;
  try {
    sweep(other);
    ADD_FAILURE() << "another number of trials was added to an extension that is not finished";
  } catch (const core::RefusedError& error) {
    EXPECT_THAT(error.what(), HasSubstr("extend --trials 2 was begun and is not finished; run `amacrine sweep small.toml`"));
  }
  EXPECT_EQ(swept("trials = 3\n"), 0);
  EXPECT_EQ(rows().size(), 1 + 9U);
  EXPECT_EQ(sweep(other), 0) << "the advice was taken";
  EXPECT_EQ(rows().size(), 1 + 10U);
}

/// All trials that go on fail late: the best of those that were stopped for them is trained to the end, and has a model.
TEST_F(Sweep, TheBestStoppedTrialGoesOnWhereTheOthersFail) {
  ASSERT_EQ(swept("trials = 4\n"), 0);
  std::size_t best = 4;
  {
    const io::Reader first(path("all/sweep.h5"));
    const std::vector<double> values = first.read<double>("value");
    const auto standing = first.read<std::int32_t>("standing");
    for (std::size_t t = 0; t < 4; ++t)
      if (standing[t] == static_cast<std::int32_t>(sweep::Standing::stopped) && (best == 4 || values[2 * t] > values[2 * best]))
        best = t;
  }
  ASSERT_LT(best, 4U);
  const std::string model = path(fmt::format("all/trials/{:04}/model.h5", best));
  EXPECT_FALSE(std::filesystem::exists(model));
  Communicator::world().barrier();
  if (Communicator::world().root()) {  // the journal of a run in which they failed in their last epochs
    const std::string file = path("all/sweep.journal");
    io::Journal journal(file, io::Journal::identity_of(file));
    sweep::Record record = sweep::read_record(Communicator::self(), journal);
    for (sweep::Entry& entry : record.entries)
      if (entry.finished) entry.kind = sweep::Entry::Kind::failed, entry.finished = false, entry.reason = "the loss became nan";
    journal.start(sweep::encode(record));
  }
  Communicator::world().barrier();
  ASSERT_EQ(swept("trials = 4\n"), 0);
  EXPECT_TRUE(std::filesystem::exists(model));
  for (std::size_t t = 0; t < 4; ++t)
    EXPECT_EQ(rows()[1 + t].starts_with(fmt::format("{},finished,", t)), t == best) << rows()[1 + t];
}

/// What each message tells to do helps.
TEST_F(Sweep, AdviceHelps) {
  const auto refused = [&](const std::string& words, const auto& run) {
    try {
      run();
      ADD_FAILURE() << "nothing was refused with: " << words;
    } catch (const core::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  };
  refused("there is no sweep yet; run `amacrine sweep small.toml` first", [&] { swept("trials = 2\n", "status"); });
  const auto validated = [&](const char* fraction) {
    Context made = test_study::make_context(Communicator::world(), path("all"),
                                            base + fmt::format("{}[recording]\nfile = \"{}\"\nvalidation_fraction = {}\n", space,
                                                               path("all/recording.h5"), fraction));
    made.options.verb = "sweep", made.options.dry_run = true;
    return sweep(made);
  };
  refused("leaves no window to compare trials on; raise it", [&] { validated("0.0"); });
  EXPECT_EQ(validated("0.1"), 0);
  EXPECT_EQ(swept("trials = 2\n"), 0);
  EXPECT_EQ(swept("trials = 2\n", "status"), 0);
  refused("give the study and overrides it was run with", [&] { swept("trials = 2\nseed = 2\n", "status"); });
  refused("use --overwrite to start anew", [&] { swept("trials = 2\nseed = 2\n"); });
  EXPECT_EQ(swept("trials = 2\nseed = 2\n", "", true), 0);
  EXPECT_EQ(swept("trials = 2\nseed = 2\n", "status"), 0);

  const std::string list = fmt::format("method = \"list\"\nlist_file = \"{}\"\n", path("trials.txt"));
  const auto write = [&](const char* lines) {
    if (Communicator::world().root()) std::ofstream(path("trials.txt")) << lines;
    Communicator::world().barrier();
  };
  write("training.l2=0\n");
  EXPECT_EQ(swept(list, "", true, ""), 0);
  write("training.l2=1e-3\n");
  refused("add trials at the end of the list only", [&] { swept(list, "", false, ""); });
  EXPECT_EQ(swept(list, "", true, ""), 0) << "the other advice";
  EXPECT_THAT(rows()[1], HasSubstr(",1e-3,"));
  write("training.l2=1e-3\ntraining.l2=0\n");
  EXPECT_EQ(swept(list, "", false, ""), 0);
  EXPECT_EQ(rows().size(), 3U);
}

TEST_F(Sweep, ATrialThatFailsIsRecordedAndTriedAgain) {
  const bool root = Communicator::world().root();
  if (root) {
    std::filesystem::create_directories(path("all/trials"));
    std::ofstream(path("all/trials/0001")) << "in the way of the trial's folder";
  }
  Communicator::world().barrier();
  const std::string tables = "trials = 3\nstopping = \"none\"\n";
  EXPECT_EQ(swept(tables), 0);
  auto all = rows();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_THAT(all[1], HasSubstr("0,finished,"));
  EXPECT_THAT(all[2], testing::AllOf(HasSubstr("1,failed,"), HasSubstr("trials/0001")));
  EXPECT_THAT(all[3], HasSubstr("2,finished,"));
  EXPECT_EQ(swept(tables), 0);
  EXPECT_EQ(rows(), all) << "what has failed is tried again when asked to";
  if (root) std::filesystem::remove(path("all/trials/0001"));
  Communicator::world().barrier();
  EXPECT_EQ(swept(tables, "retry"), 0);
  EXPECT_THAT(rows()[2], HasSubstr("1,finished,"));
}

/// A checkpoint of another training is no fault of the trial's: the sweep is refused, until it is told to replace it.
TEST_F(Sweep, AnotherTrainingsCheckpointIsNotTakenForATrials) {
  const std::string tables = "trials = 2\n";
  ASSERT_EQ(swept(tables), 0);
  const auto before = rows();
  if (Communicator::world().root()) {
    std::filesystem::copy_file(path("all/trials/0001/train.checkpoint"), path("all/trials/0000/train.checkpoint"),
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::remove(path("all/sweep.journal"));
    std::ofstream(path("all/trials/0000/train.checkpoint.dead.partial")) << "left by a run that was killed";
  }
  Communicator::world().barrier();
  EXPECT_THROW(swept(tables), core::Error);
  EXPECT_EQ(swept(tables, "", true), 0);
  EXPECT_EQ(rows(), before);
  EXPECT_FALSE(std::filesystem::exists(path("all/trials/0000/train.checkpoint.dead.partial")));
}

TEST_F(Sweep, RefusesBeforeAnythingIsTrained) {
  EXPECT_THROW(swept("trials = 2\n", "status"), core::InputError);
  Context none = context(base, "all", "sweep");
  EXPECT_THROW(sweep(none), core::StudyError);
  const auto refusal = [&](const std::string& tables) {
    Context made = context(base + tables, "all", "sweep");
    try {
      sweep(made);
    } catch (const core::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal("[sweep.space]\ntraining.learning_rat = { values = [1] }\n"),
              HasSubstr("did you mean 'training.learning_rate'"));
  EXPECT_THAT(refusal("[sweep.space]\ntraining.learning_rate = { values = [100.0] }\n"),
              HasSubstr("trial 0 (training.learning_rate=100"));
  EXPECT_THAT(refusal("[sweep.space]\nmodel.history = { values = [10, 2000] }\n"), HasSubstr("trial 1 (model.history=2000)"));
  EXPECT_FALSE(std::filesystem::exists(path("all/trials")));
}

}  // namespace
}  // namespace amacrine::drivers
