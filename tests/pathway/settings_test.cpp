// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/settings.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

PathwaySettings read(const std::string& table) {
  core::Study study = core::Study::from_text("[pathways]\n" + table);
  const PathwaySettings settings = read_pathways(study);
  study.require_all_read();
  return settings;
}

TEST(PathwaySettings, AnEmptyStudyHasTheDefaults) {
  core::Study study = core::Study::from_text("");
  const PathwaySettings settings = read_pathways(study), defaults;
  EXPECT_EQ(settings.most, defaults.most);
  EXPECT_EQ(settings.candidates, defaults.candidates);
  EXPECT_EQ(settings.short_steps, defaults.short_steps);
  EXPECT_EQ(settings.long_steps, defaults.long_steps);
  EXPECT_EQ(settings.radius_px, defaults.radius_px);
  EXPECT_EQ(settings.spacing_px, defaults.spacing_px);
  EXPECT_EQ(settings.held_out, defaults.held_out);
  EXPECT_EQ(settings.learning_rate, defaults.learning_rate);
  EXPECT_EQ(settings.spatial_prior, defaults.spatial_prior);
  EXPECT_EQ(settings.temporal_prior, defaults.temporal_prior);
  EXPECT_EQ(settings.seed, defaults.seed);
}

TEST(PathwaySettings, ReadsEveryKey) {
  const PathwaySettings settings = read(
      "most = 3\ncandidates = 4\nshort_steps = 50\nlong_steps = 60\nradius_px = 5.0\nspacing_px = 2.5\nheld_out = 0.25\n"
      "learning_rate = 0.02\nspatial_prior = 7.0\ntemporal_prior = 8.0\nseed = 9\n");
  EXPECT_EQ(settings.most, 3);
  EXPECT_EQ(settings.candidates, 4);
  EXPECT_EQ(settings.short_steps, 50);
  EXPECT_EQ(settings.long_steps, 60);
  EXPECT_EQ(settings.radius_px, 5.0);
  EXPECT_EQ(settings.spacing_px, 2.5);
  EXPECT_EQ(settings.held_out, 0.25);
  EXPECT_EQ(settings.learning_rate, 0.02);
  EXPECT_EQ(settings.spatial_prior, 7.0);
  EXPECT_EQ(settings.temporal_prior, 8.0);
  EXPECT_EQ(settings.seed, 9u);
}

TEST(PathwaySettings, WrongValuesAreRefusedByTheirKey) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"most", "0"},           {"candidates", "1"},       {"short_steps", "9"}, {"long_steps", "9"},
      {"radius_px", "0.5"},    {"spacing_px", "0.1"},     {"held_out", "0.6"},  {"learning_rate", "0.0"},
      {"spatial_prior", "-1"}, {"temporal_prior", "nan"}, {"seed", "-1"},       {"most", "\"many\""}};
  for (const auto& [key, value] : wrong) {
    const std::string line = key + " = " + value + "\n";
    EXPECT_THAT([&] { read(line); }, ThrowsMessage<core::StudyError>(HasSubstr("pathways." + key))) << line;
  }
}

TEST(PathwaySettings, BumpsFurtherApartThanTheFilterReachesAreRefused) {
  EXPECT_THAT([] { read("radius_px = 2.0\nspacing_px = 3.0\n"); },
              ThrowsMessage<core::StudyError>(testing::AllOf(HasSubstr("pathways.spacing_px"), HasSubstr("pathways.radius_px"))));
  EXPECT_EQ(read("radius_px = 2.0\nspacing_px = 2.0\n").spacing_px, 2.0);
}

TEST(PathwaySettings, AKeyThatDoesNotExistIsRefused) {
  EXPECT_THAT([] { read("mots = 3\n"); }, ThrowsMessage<core::StudyError>(HasSubstr("mots")));
}

}  // namespace
}  // namespace amacrine::pathway
