// SPDX-License-Identifier: Apache-2.0
#include "drivers/small_study.hpp"
#include "drivers/subjects.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using namespace test_study;

/// Two equal circuits 4 px apart, a third and a dynamic one.
const char* const study = R"(
[simulation]
train_minutes = 0.05
test_seconds = 2
repeats = 10
[simulation.cells.osr]
y = 24.5
x = 24.5
[simulation.cells.anticipation]
y = 24.5
x = 24.5
[simulation.cells.elsewhere]
circuit = "anticipation"
y = 20.5
x = 28.5
[simulation.cells.osr_depressing]
y = 26.5
x = 22.5
[probe]
subjects = ["circuit", "recorded"]
families = ["osr", "anticipation"]
trials = 400
flash_positions_px = [0.0]
)";

class Probe : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TemporaryFolder();
    Context context = make_context(parallel::Communicator::world(), folder_->path(), study);
    simulate(context);
    probe(context);
  }
  static void TearDownTestSuite() { delete folder_; }
  static io::Reader responses(const std::string& subject) { return io::Reader(*folder_ / ("responses_" + subject + ".h5")); }
  static test::TemporaryFolder* folder_;
};
test::TemporaryFolder* Probe::folder_ = nullptr;

// The targets are the published figures of the circuits: latencies at periods of 60 to 140 ms and their slope.
TEST_F(Probe, CircuitsShowTheirOmittedStimulusResponse) {
  const io::Reader file = responses("circuit");
  const auto latency = file.read<double>("osr_latency_ms"), slope = file.read<double>("osr_slope");
  const std::vector<double> planted{122, 139, 159, 182, 192}, depressing{166, 188, 201, 226, 241};
  ASSERT_EQ(latency.size(), 40u) << "dark and bright, of four cells at five periods";
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_LE(std::abs(latency[i] - planted[i]), 1.0);
    EXPECT_LE(std::abs(latency[15 + i] - depressing[i]), 1.3);
  }
  EXPECT_LE(std::abs(slope[0] - 0.91), 0.01);
  EXPECT_LE(std::abs(slope[3] - 0.94), 0.01);
  const auto present = file.read<std::int32_t>("osr_present");
  EXPECT_EQ(present[0], 1);
  EXPECT_EQ(present[3], 1);
}

TEST_F(Probe, BarsArePlacedAroundEachCell) {
  const io::Reader file = responses("circuit");
  const auto rates = file.read<float>("rate");
  const auto shape = file.shape("rate");
  const auto names = file.read_strings("condition");
  const auto frames = file.read<std::int32_t>("frames");
  for (std::size_t k = 0; k < names.size(); ++k) {
    double largest = 0, range = 0;
    for (std::size_t t = 0; t < static_cast<std::size_t>(frames[k]); ++t) {
      const float here = rates[(k * shape[1] + 1) * shape[2] + t], there = rates[(k * shape[1] + 2) * shape[2] + t];
      ASSERT_TRUE(std::isfinite(here) && std::isfinite(there)) << names[k] << ", frame " << t;
      largest = std::max(largest, static_cast<double>(std::abs(here - there)));
      range = std::max(range, static_cast<double>(here));
    }
    // Equal circuits, each with the bar at its own centre, answer alike; only the field's edge is elsewhere.
    EXPECT_LE(largest, 1e-3 * std::max(1.0, range)) << names[k];
    if (names[k].starts_with("moving_bar/")) {
      EXPECT_GT(range, 30) << names[k];
    }
  }
  EXPECT_EQ(file.read<double>("centre_x"), (std::vector<double>{24.5, 24.5, 28.5, 22.5}));
}

TEST_F(Probe, RecordedResponsesAreTrialsOfTheCircuits) {
  const io::Reader circuit = responses("circuit"), recorded = responses("recorded");
  const auto rate = circuit.read<float>("rate"), trials = recorded.read<float>("rate");
  const auto shape = circuit.shape("rate");
  ASSERT_EQ(rate.size(), trials.size());
  // 400 trials of Poisson counts in 10 ms bins, smoothed by a Gaussian w of 10 ms: mean w * rate, variance w^2 * rate / (400 x
  // 0.01 s).
  std::vector<double> weight;
  for (int k = -5; k <= 5; ++k) weight.push_back(std::exp(-0.5 * k * k) / std::sqrt(2 * M_PI));
  double chi = 0, count = 0;
  for (std::size_t i = 0; i < rate.size(); ++i) {
    ASSERT_EQ(std::isnan(rate[i]), std::isnan(trials[i]));
    const std::size_t t = i % shape[2];
    if (t < 5 || t + 5 >= shape[2] || std::isnan(rate[i + 5])) continue;
    double mean = 0, variance = 0;
    for (std::size_t k = 0; k < weight.size(); ++k) {
      mean += weight[k] * rate[i + k - 5];
      variance += weight[k] * weight[k] * rate[i + k - 5] / 4;
    }
    if (mean < 1) continue;
    chi += (trials[i] - mean) * (trials[i] - mean) / variance;
    count += 1;
  }
  EXPECT_GT(count, 1000);
  // Neighbouring frames share counts: about count / 4 independent values.
  EXPECT_LE(std::abs(chi / count - 1), 5 * std::sqrt(2 / (count / 4)));
}

TEST_F(Probe, DeclaredSymmetriesHoldAndAreReported) {
  const io::Reader file = responses("circuit");
  for (double value : file.read<double>("symmetry_deviation")) EXPECT_LE(value, 1e-6);
  const auto symmetry = file.read<std::int32_t>("symmetry");
  EXPECT_EQ(*std::max_element(symmetry.begin(), symmetry.end()), 2);
}

TEST_F(Probe, SubjectsThatAreNotThereAreLeftOutAndAMissingNetworkIsAnError) {
  Context context = make_context(parallel::Communicator::world(), folder_->path(), "[probe]\nsubjects = [\"ln\"]\n");
  EXPECT_TRUE(probe_subjects(context).empty());
  Context network = make_context(parallel::Communicator::world(), folder_->path(), "[probe]\nsubjects = [\"network\"]\n");
  EXPECT_THROW(probe(network), core::InputError);
}

/// Where a training found no receptive field, people are advised to give the centres: they must be where bars are placed.
TEST_F(Probe, CentresGivenAfterATrainingAreTaken) {
  const test::TemporaryFolder folder;
  const std::string tables = std::string(study) + "[model]\nheight = 24\nwidth = 24\nchannels = [2, 2]\nkernels = [9, 7]\n";
  const auto with = [&](const std::string& recording, const std::string& subjects) {
    std::string text = tables;
    const std::string asked = "subjects = [\"circuit\", \"recorded\"]";
    text.replace(text.find(asked), asked.size(), "subjects = [\"" + subjects + "\"]");
    return make_context(parallel::Communicator::world(), folder.path(), text + recording);
  };
  Context before = with("", "network");
  write_random_model(before, false);
  EXPECT_EQ(probe(before), 0);
  const std::string path = folder / "responses_network.h5";
  const auto planted = io::Reader(path).read<double>("centre_x");
  Context given =
      with("[recording]\ncentres = \"given\"\ncentre_y = [10.0, 11.0, 12.0, 13.0]\ncentre_x = [5.0, 6.0, 7.0, 8.5]\n", "network");
  EXPECT_THROW(probe(given), core::RefusedError) << "the earlier responses are to other bars";
  given.options.overwrite = true;
  EXPECT_EQ(probe(given), 0);
  EXPECT_EQ(io::Reader(path).read<double>("centre_x"), (std::vector<double>{5.0, 6.0, 7.0, 8.5}));
  EXPECT_NE(planted, io::Reader(path).read<double>("centre_x"));
  Context few = with("[recording]\ncentres = \"given\"\ncentre_y = [10.0]\ncentre_x = [5.0]\n", "network");
  few.options.overwrite = true;
  EXPECT_THROW(probe(few), core::InputError);
}

TEST_F(Probe, AMissingModelNamesTheCommandThatMakesIt) {
  const test::TemporaryFolder folder;
  Context context = make_context(parallel::Communicator::world(), folder.path(), "[probe]\nsubjects = [\"network\"]\n");
  context.options.study_file = "mine.toml";
  try {
    probe(context);
    FAIL();
  } catch (const core::InputError& error) {
    EXPECT_NE(std::string(error.what()).find("run `amacrine train mine.toml` first"), std::string::npos) << error.what();
  }
}

TEST_F(Probe, ADryRunRefusesWhatTheRunWouldAndWritesNothing) {
  Context context = make_context(parallel::Communicator::world(), folder_->path(), std::string(study) + "osr_contrast = -1.5\n");
  context.options.dry_run = true;
  const std::string before = core::hash_file(*folder_ / "responses_circuit.h5");
  EXPECT_THROW(probe(context), core::RefusedError);
  context.options.overwrite = true;
  EXPECT_EQ(probe(context), 0);
  EXPECT_EQ(core::hash_file(*folder_ / "responses_circuit.h5"), before);
}

}  // namespace
}  // namespace amacrine::drivers
