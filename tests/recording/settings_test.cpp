// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/settings.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SimulationSettings, DefaultsAreAllSevenCircuitsAtDifferentPlacesInTheField) {
  core::Study study = core::Study::from_text("");
  const SimulationSettings settings = read_simulation(study);
  std::set<std::string> circuits;
  std::set<std::pair<double, double>> places;
  for (const SimulatedCell& cell : settings.cells) {
    circuits.insert(cell.circuit);
    places.insert({cell.y, cell.x});
    EXPECT_GE(cell.y, 12.0);  // 3 sd of the widest surround away from the border
    EXPECT_LE(cell.x, 37.0);
  }
  EXPECT_EQ(circuits.size(), 7u);
  EXPECT_EQ(places.size(), 7u);
  EXPECT_GE(settings.repeats, 10);
  EXPECT_NO_THROW(study.require_all_read());
  EXPECT_THAT(study.resolved(), HasSubstr("anticipation_gain_control"));  // defaults are recorded too
}

TEST(SimulationSettings, CellsComeFromSubTables) {
  core::Study study = core::Study::from_text(
      "[simulation]\nseed = 7\n[simulation.cells.osr]\ny = 20\n[simulation.cells.left]\ncircuit = \"latency\"\nx = 18.5\n");
  const SimulationSettings settings = read_simulation(study);
  ASSERT_EQ(settings.cells.size(), 2u);
  const SimulatedCell& first = settings.cells[settings.cells[0].name == "osr" ? 0 : 1];
  const SimulatedCell& second = settings.cells[settings.cells[0].name == "osr" ? 1 : 0];
  EXPECT_EQ(first.circuit, "osr");
  EXPECT_EQ(first.y, 20.0);
  EXPECT_EQ(first.x, 24.5);
  EXPECT_EQ(second.circuit, "latency");
  EXPECT_EQ(second.x, 18.5);
  EXPECT_EQ(settings.seed, 7u);
}

TEST(SimulationSettings, AnEmptyTableIsACellAtItsDefaults) {
  core::Study study = core::Study::from_text("[simulation.cells.latency]\n[simulation.cells.osr]\ny = 20\n");
  const SimulationSettings settings = read_simulation(study);
  ASSERT_EQ(settings.cells.size(), 2u);
  EXPECT_EQ(settings.cells[0].name, "latency");
  EXPECT_EQ(settings.cells[0].circuit, "latency");
  EXPECT_EQ(settings.cells[0].y, 24.5);
  EXPECT_EQ(settings.cells[0].x, 24.5);
  EXPECT_EQ(settings.cells[1].name, "osr");
  EXPECT_NO_THROW(study.require_all_read());
  core::Study nameless = core::Study::from_text("[simulation.cells.osr]\n[simulation.cells.left]\n", "cells.toml");
  EXPECT_THAT([&] { read_simulation(nameless); },
              ThrowsMessage<core::StudyError>(testing::AllOf(HasSubstr("cells.toml:2"), HasSubstr("needs a key 'circuit'"))));
}

TEST(SimulationSettings, RefusesWhatCannotBeRecorded) {
  const auto read = [](const std::string& text) {
    core::Study study = core::Study::from_text(text);
    read_simulation(study);
  };
  EXPECT_THAT([&] { read("[simulation]\nrepeats = 9\n"); }, ThrowsMessage<core::StudyError>(HasSubstr("simulation.repeats")));
  EXPECT_THAT([&] { read("[simulation]\nensemble = \"grey\"\n"); }, ThrowsMessage<core::StudyError>(HasSubstr("natural")));
  EXPECT_THAT([&] { read("[simulation.cells.left]\ny = 20\n"); },
              ThrowsMessage<core::StudyError>(HasSubstr("needs a key 'circuit'")));
  EXPECT_THAT([&] { read("[simulation.cells.osr]\ny = 60\n"); },
              ThrowsMessage<core::StudyError>(HasSubstr("simulation.cells.osr.y")));
  EXPECT_THAT([&] { read("[simulation.cells.a]\ncircuit = \"osrr\"\n"); }, ThrowsMessage<core::StudyError>(HasSubstr("osr")));
}

TEST(RecordingSettings, ReadsEveryKeyAndChecksCentres) {
  core::Study study = core::Study::from_text(
      "[recording]\nfile = \"a.h5\"\ncells = [3, 1]\ntarget = \"firing_rate_20ms\"\nnormalisation = \"per_pixel\"\n"
      "test_statistics = \"own\"\nminimum_lag = 1\nvalidation_fraction = 0.1\nblocks = 6\nskip_seconds = 60\n"
      "frame_ms = 10\npixel_um = 50\ncentres = \"given\"\ncentre_y = [10, 11.5]\ncentre_x = [12, 13]\n");
  const RecordingSettings settings = read_recording(study);
  EXPECT_NO_THROW(study.require_all_read());
  EXPECT_THAT(settings.cells, testing::ElementsAre(3, 1));
  EXPECT_EQ(settings.target, "firing_rate_20ms");
  EXPECT_EQ(settings.minimum_lag, 1);
  EXPECT_EQ(settings.blocks, 6);
  EXPECT_THAT(settings.centre_y, testing::ElementsAre(10.0, 11.5));
  EXPECT_EQ(recording_path(settings, "out"), "a.h5");
  EXPECT_EQ(recording_path({}, "out"), "out/recording.h5");

  const auto read = [](const std::string& text) {
    core::Study wrong = core::Study::from_text(text);
    read_recording(wrong);
  };
  EXPECT_THAT([&] { read("[recording]\ncentres = \"given\"\n"); }, ThrowsMessage<core::StudyError>(HasSubstr("centre_y")));
  EXPECT_THAT([&] { read("[recording]\ncells = [1, 1]\n"); }, ThrowsMessage<core::StudyError>(HasSubstr("twice")));
  EXPECT_THAT([&] { read("[recording]\ncells = [-1]\n"); }, ThrowsMessage<core::StudyError>(HasSubstr("count from 0")));
  EXPECT_THAT([&] { read("[recording]\nminimum_lag = 2\n"); }, ThrowsMessage<core::StudyError>(HasSubstr("minimum_lag")));
}

// The rows "z-score", "target", "window alignment", "block skip" and "validation" of the published recipes.
TEST(RecordingSettings, PresetsReadAsTheLabsDid) {
  core::Study study = core::Study::from_text("[recording]\nskip_seconds = 30\n");
  const RecordingSettings keras = read_recording(study, preset_recording("deep-retina"));
  EXPECT_EQ(keras.normalisation, "per_pixel");
  EXPECT_EQ(keras.test_statistics, "own");
  EXPECT_EQ(keras.target, "firing_rate_10ms");
  EXPECT_EQ(keras.minimum_lag, 1);
  EXPECT_EQ(keras.skip_seconds, 30);
  EXPECT_EQ(keras.validation_fraction, 0.05);
  EXPECT_EQ(preset_recording("deep-retina").skip_seconds, 60);
  const RecordingSettings torch = preset_recording("torch-deep-retina");
  EXPECT_EQ(torch.normalisation, "scalar");
  EXPECT_EQ(torch.test_statistics, "train");
  EXPECT_EQ(torch.target, "firing_rate_10ms");
  EXPECT_EQ(torch.minimum_lag, 1);
  EXPECT_EQ(torch.skip_seconds, 0);
  EXPECT_EQ(preset_recording("").target, "binned");
}

}  // namespace
}  // namespace amacrine::recording
