// SPDX-License-Identifier: Apache-2.0
// An attribution that was stopped, or killed, goes on where it was.
#include "amacrine/attribution/run.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/progress.hpp"
#include "amacrine/parallel/stop.hpp"
#include "attribution/same_bits.hpp"
#include "attribution/small_model.hpp"
#include "support/compare.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

using test::TemporaryFolder;

using parallel::Communicator;

/// A plan of many small tasks, run into a file any number of times.
struct ResumeJob {
  AttributionSettings settings;
  model::Model model = small_model();
  Plan plan;
  io::Provenance provenance;
  std::string path;
  std::function<void()> at_stop = [] {};  ///< called where the run is about to be asked to stop

  ResumeJob(const std::string& levels, std::string to) : path(std::move(to)) {
    core::set_log_level("quiet");
    settings.panels = 6;
    settings.block_windows = 5;
    settings.after_ms = 110;
    settings.bar_range_px = 0.5;
    settings.levels = levels;
    settings.stimuli = {"latency", "moving_bar"};
    plan = make_plan(settings, stimulus::catalogue(stimulus::ProbeSettings{}, model.screen), model);
    provenance.verb = "attribute";
    provenance.study_hash = "of this study";
  }

  struct Outcome {
    std::size_t held = 0;  ///< tasks that the file held before
    std::size_t done = 0;  ///< and that all ranks have done since
    bool finished = true;
  };
  /// Computes at most `most` tasks a rank, then is asked to stop.
  Outcome run(const Communicator& communicator, std::int64_t most = 1'000'000'000) const {
    const parallel::StopListener listener;
    parallel::StopPatience patience;
    patience.set(600);
    std::int64_t tasks = 0;
    double last = 0;
    core::set_progress_listener([&](const core::ProgressState& state) {
      if (state.done <= last) return;  // the closing line
      last = state.done;
      if (++tasks < most) return;
      at_stop();
      std::raise(SIGTERM);
    });
    Attributor<float> attributor(core::Exec(), model::make_inference<float>(model), settings);
    AttributionFile file(communicator, path, "network", plan, model, first_layer_facts(attributor.plain()), settings, provenance);
    file.create();
    Outcome outcome{.held = file.done().size()};
    if (communicator.root()) file.write_frame();
    outcome.finished = run_plan(communicator, plan, attributor, file);
    if (outcome.finished) file.finish();
    core::set_progress_listener({});
    outcome.done = static_cast<std::size_t>(communicator.sum(tasks));
    return outcome;
  }
};

void expect_same_values(const std::string& a, const std::string& b) {
  const io::Reader one(a), other(b);
  int compared = 0;
  for (const char* name : {"rate", "residual", "attribution", "drive", "response_change", "panels", "flag", "window_time_ms",
                           "position_attribution", "unit2_attribution", "unit2_response_change", "kernel", "baseline_input"})
    if (other.has(name)) {
      expect_same_bits(one, other, name);
      ++compared;
    }
  EXPECT_GE(compared, 10);
}

class ResumeTest : public testing::Test {
 protected:
  Communicator world_ = Communicator::world();
  TemporaryFolder folder_{world_};

  /// The file of a run that nobody stopped.
  std::string whole(const std::string& levels) const {
    if (world_.root()) {
      EXPECT_TRUE(ResumeJob(levels, folder_ / "whole.h5").run(Communicator::self()).finished);
    }
    world_.barrier();
    return folder_ / "whole.h5";
  }
};

TEST_F(ResumeTest, AStoppedRunGoesOnBitForBit) {
  for (const char* levels : {"symmetry", "unit2"}) {
    const ResumeJob job(levels, folder_ / (std::string(levels) + ".h5"));
    ASSERT_GE(job.plan.tasks, 12u);
    std::size_t held = 0;
    int runs = 0;
    ResumeJob::Outcome outcome;
    do {
      outcome = job.run(world_, 2);
      // Every task of the runs before is held, and none is done again.
      EXPECT_EQ(outcome.held, held);
      if (held < job.plan.tasks) {
        EXPECT_GE(outcome.done, 1U);
      }
      EXPECT_LE(outcome.done, 2 * static_cast<std::size_t>(world_.size()));
      held += outcome.done;
      EXPECT_EQ(std::filesystem::exists(job.path), outcome.finished);
      ASSERT_LT(++runs, 100);
    } while (!outcome.finished);
    EXPECT_GT(runs, 1);
    EXPECT_EQ(held, job.plan.tasks);
    EXPECT_FALSE(std::filesystem::exists(job.path + ".journal"));
    const std::string reference = whole(levels);
    if (world_.root()) expect_same_values(job.path, reference);
  }
}

/// Begun by all ranks, finished by one.
TEST_F(ResumeTest, GoesOnWithAnotherNumberOfRanks) {
  const ResumeJob job("position", folder_ / "ranks.h5");
  const ResumeJob::Outcome begun = job.run(world_, 2);
  EXPECT_FALSE(begun.finished);
  const std::string reference = whole("position");
  if (world_.root()) {
    const ResumeJob::Outcome outcome = job.run(Communicator::self());
    EXPECT_EQ(outcome.held, begun.done);
    EXPECT_EQ(outcome.held + outcome.done, job.plan.tasks);
    EXPECT_TRUE(outcome.finished);
    expect_same_values(job.path, reference);
  }
}

std::string contents(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}

void put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

/// What one rank left, damaged in some way: what cannot be trusted is computed again.
class DamageTest : public ResumeTest {
 protected:
  ResumeJob job_{"position", folder_ / "damaged.h5"};
  std::string partial_ = job_.path + ".partial", journal_ = job_.path + ".journal";

  void SetUp() override {
    if (!world_.root()) GTEST_SKIP() << "of one rank";
    EXPECT_FALSE(job_.run(Communicator::self(), 6).finished);
  }
  /// Goes on, with `held` tasks believed, to the right values.
  void expect_held(std::size_t held) {
    const ResumeJob::Outcome outcome = job_.run(Communicator::self());
    EXPECT_EQ(outcome.held, held);
    EXPECT_TRUE(outcome.finished);
    EXPECT_TRUE(ResumeJob("position", folder_ / "alone.h5").run(Communicator::self()).finished);
    expect_same_values(job_.path, folder_ / "alone.h5");
  }
};

TEST_F(DamageTest, NothingDamagedIsAllHeld) { expect_held(6); }

TEST_F(DamageTest, ALineThatWasCutShort) {
  const std::string text = contents(journal_);
  put(journal_, text.substr(0, text.size() - 10));
  expect_held(5);
}

TEST_F(DamageTest, NoJournal) {
  std::filesystem::remove(journal_);
  expect_held(0);
}

TEST_F(DamageTest, NoFile) {
  std::filesystem::remove(partial_);
  expect_held(0);
}

TEST_F(DamageTest, AFileThatDoesNotOpen) {
  put(partial_, std::string(contents(partial_).size(), '\0'));
  expect_held(0);
}

TEST_F(DamageTest, AFileThatWasCut) {
  const std::string bytes = contents(partial_);
  put(partial_, bytes.substr(0, bytes.size() / 3));
  const ResumeJob::Outcome outcome = job_.run(Communicator::self());
  EXPECT_LT(outcome.held, 6u);
  EXPECT_TRUE(outcome.finished);
  EXPECT_TRUE(ResumeJob("position", folder_ / "alone.h5").run(Communicator::self()).finished);
  expect_same_values(job_.path, folder_ / "alone.h5");
}

/// What kill -9 leaves: a file that nobody has closed.
TEST_F(DamageTest, AFileThatNobodyClosed) {
  std::filesystem::remove(partial_);
  std::filesystem::remove(journal_);
  std::string file, journal;
  job_.at_stop = [&] {
    if (file.empty()) file = contents(partial_), journal = contents(journal_);
  };
  EXPECT_FALSE(job_.run(Communicator::self(), 4).finished);
  EXPECT_NE(file[11], contents(partial_)[11]) << "HDF5 no longer marks a file that is open: this test has no case";
  put(partial_, file);
  put(journal_, journal);
  job_.at_stop = [] {};
  const auto lines = std::count(journal.begin(), journal.end(), '\n');
  ASSERT_GT(lines, 2) << "no task was in the journal";
  expect_held(static_cast<std::size_t>(lines) - 2);
}

/// Rows that are not what was written: a block of zeros, as a crash of the machine can leave it.
TEST_F(DamageTest, RowsThatWereLost) {
  std::string bytes = contents(partial_);
  std::size_t offset = 0, size = 0;
  {
    const io::Reader reader(partial_, true);
    const std::vector<float> rows = reader.read<float>("attribution");
    const auto written = std::find_if(rows.begin(), rows.end(), [](float value) { return std::isfinite(value) && value != 0; });
    ASSERT_GE(rows.end() - written, 16);
    const std::string raw(reinterpret_cast<const char*>(&*written), 64);
    offset = bytes.find(raw);
    size = raw.size();
  }
  ASSERT_NE(offset, std::string::npos);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), size, '\0');
  put(partial_, bytes);
  expect_held(5);
}

TEST_F(DamageTest, AJournalOfAnotherStudy) {
  job_.provenance.study_hash = "of another study";
  expect_held(0);
}

TEST_F(DamageTest, OtherInputs) {
  job_.provenance.inputs.push_back({"network", "model.h5", "0000000000000000"});
  expect_held(0);
}

TEST_F(DamageTest, OtherBlocks) {
  job_.settings.block_windows = 4;
  job_.plan = make_plan(job_.settings, stimulus::catalogue(stimulus::ProbeSettings{}, job_.model.screen), job_.model);
  expect_held(0);
}

}  // namespace
}  // namespace amacrine::attribution
