// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

AttributionSettings read(const std::string& text) {
  core::Study study = core::Study::from_text(text, "test.toml");
  const AttributionSettings settings = read_attribution(study);
  study.require_all_read();
  return settings;
}

std::string error_of(const std::string& text) {
  try {
    read(text);
  } catch (const core::StudyError& error) {
    return error.what();
  }
  return {};
}

TEST(AttributionSettings, DefaultsAreSecantsTowardsTheRateFromGrey) {
  const AttributionSettings settings = read("");
  EXPECT_EQ(settings.rule, Rule::secant);
  EXPECT_EQ(settings.target, Target::after_softplus);
  EXPECT_EQ(settings.baseline, Baseline::grey);
  EXPECT_EQ(settings.panels, 20);
  EXPECT_EQ(settings.tolerance, 0.01);
}

TEST(AttributionSettings, FewerPanelsThanAnEstimateNeedsAreAFixedPath) {
  EXPECT_EQ(read("[attribution]\npanels = 3\n").tolerance, 0.0);
  EXPECT_EQ(read("[attribution]\npanels = 4\n").tolerance, 0.01);
  EXPECT_EQ(read("[attribution]\ntolerance = 0\n").tolerance, 0.0);
  EXPECT_THAT(error_of("[attribution]\npanels = 3\ntolerance = 0.1\n"), testing::HasSubstr("at least 4"));
}

TEST(AttributionSettings, AResolvedStudyIsAStudy) {
  core::Study study = core::Study::from_text("", "test.toml");
  read_attribution(study);
  EXPECT_EQ(error_of(study.resolved()), "");
}

TEST(AttributionSettings, EveryRuleIsReadByItsName) {
  for (Rule rule : {Rule::right, Rule::midpoint, Rule::trapezoid, Rule::secant})
    EXPECT_EQ(read(std::string("[attribution]\nrule = \"") + to_string(rule) + "\"\n").rule, rule);
}

TEST(AttributionSettings, WeightsAreComputedWhereTheyAreAskedFor) {
  EXPECT_TRUE(read("").weights);
  EXPECT_TRUE(read("[attribution]\nquantities = [\"response_weight\"]\n").weights);
  EXPECT_FALSE(read("[attribution]\nquantities = [\"attribution\", \"drive\"]\n").weights);
}

TEST(AttributionSettings, TheSecondLayersLevelsAreForNetworks) {
  EXPECT_EQ(read("[attribution]\nlevels = \"unit2\"\nsubjects = [\"network\"]\n").levels, "unit2");
  EXPECT_THAT(
      error_of("[attribution]\nlevels = \"channel2\"\n"),
      testing::AllOf(testing::HasSubstr("test.toml:2"), testing::HasSubstr("\"circuit\""), testing::HasSubstr("subjects")));
  EXPECT_THAT(error_of("[attribution]\nlevels = \"unit2\"\nsubjects = [\"network\", \"ln\"]\n"), testing::HasSubstr("\"ln\""));
  EXPECT_THAT(error_of("[attribution]\nlevels = \"unit2\"\nsubjects = [\"network\"]\nquantities = [\"drive\"]\n"),
              testing::AllOf(testing::HasSubstr("drive"), testing::HasSubstr("response_change")));
}

TEST(AttributionSettings, FaultsNameTheKeyAndTheLine) {
  EXPECT_THAT(error_of("[attribution]\nsubjects = [\"netwrk\"]\n"),
              testing::AllOf(testing::HasSubstr("test.toml:2"), testing::HasSubstr("netwrk")));
  EXPECT_THAT(error_of("[attribution]\nrule = \"simpson\"\n"), testing::HasSubstr("simpson"));
  EXPECT_THAT(error_of("[attribution]\npanels = 0\n"), testing::HasSubstr("panels"));
  EXPECT_THAT(error_of("[attribution]\nbaseline_contrast = 1.0\n"), testing::HasSubstr("given"));
  EXPECT_THAT(error_of("[attribution]\nevery = 4\n"), testing::HasSubstr("catalogue"));
  EXPECT_THAT(error_of("[attribution]\nsource = \"file\"\n"), testing::HasSubstr("movie_file"));
  EXPECT_THAT(error_of("[attribution]\nsource = \"recording\"\ntimes_s = [2, 1]\n"), testing::HasSubstr("rise"));
  EXPECT_THAT(error_of("[attribution]\nquantities = [\"attributions\"]\n"), testing::HasSubstr("response_weight"));
  EXPECT_THAT(error_of("[attribution]\nstorage = \"top\"\nquantities = [\"drive\"]\n"), testing::HasSubstr("largest"));
  EXPECT_THAT(error_of("[attribution]\npanels = 2000\n"), testing::HasSubstr("max_panels"));
}

}  // namespace
}  // namespace amacrine::attribution
