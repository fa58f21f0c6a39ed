// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/settings.hpp"

#include "amacrine/core/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::sweep {
namespace {

SweepSettings read(const std::string& text) {
  core::Study study = core::Study::from_text(text, "s.toml");
  SweepSettings settings = read_sweep(study);
  study.require_all_read();
  return settings;
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const core::StudyError& error) {
    return error.what();
  }
  return "";
}

TEST(SweepSettings, ReadsASpaceOfRangesAndValues) {
  const SweepSettings s = read(R"([sweep]
method = "quasi_random"
trials = 7
[sweep.space]
training.learning_rate = { low = 1e-3, high = 0.1, scale = "log" }
training.statistics_windows = { low = 100, high = 200, whole = true, points = 3 }
model.channels = { values = ["[4, 4]", "[8, 8]"] }
training.l2 = { values = [0, 1e-3] }
)");
  EXPECT_EQ(s.method, Method::quasi_random);
  EXPECT_EQ(s.trials, 7U);
  ASSERT_EQ(s.space.size(), 4U);
  EXPECT_EQ(s.space[0].key, "model.channels");
  EXPECT_THAT(s.space[0].values, testing::ElementsAre("[4, 4]", "[8, 8]"));
  EXPECT_EQ(s.space[1].key, "training.l2");
  EXPECT_THAT(s.space[1].values, testing::ElementsAre("0", "0.001"));
  EXPECT_EQ(s.space[2].key, "training.learning_rate");
  EXPECT_EQ(s.space[2].low, 1e-3);
  EXPECT_EQ(s.space[2].high, 0.1);
  EXPECT_TRUE(s.space[2].log);
  EXPECT_TRUE(s.space[3].whole);
  EXPECT_EQ(s.space[3].points, 3U);
}

TEST(SweepSettings, AnEmptyStudyHasDefaults) {
  const SweepSettings s = read("");
  EXPECT_TRUE(s.space.empty());
  EXPECT_TRUE(s.stops);
  EXPECT_EQ(s.metric, training::Metric::correlation);
}

TEST(SweepSettings, RefusesWhatTrialsCannotDifferIn) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal("[sweep.space]\nrecording.cells = { values = [1] }"), HasSubstr("s.toml:2: trials share the recording"));
  EXPECT_THAT(refusal("[sweep.space]\ntraining.ln = { values = [true] }"), HasSubstr("does not tell trials apart"));
  EXPECT_THAT(refusal("[sweep.space]\ntraining.l2 = 3"), HasSubstr("expected KEY = { values"));
  EXPECT_THAT(refusal("[sweep.space]\ntraining.l2 = { low = 1 }"), HasSubstr("sweep.space.training.l2.high' is missing"));
  EXPECT_THAT(refusal("[sweep.space]\ntraining.l2 = { low = 1, high = 0.5 }"), HasSubstr("expected low below high"));
  EXPECT_THAT(refusal("[sweep.space]\ntraining.l2 = { low = 0, high = 0.5, scale = \"log\" }"),
              HasSubstr("above 0, but it is 0"));
  EXPECT_THAT(refusal("[sweep.space]\ntraining.segments = { low = 1.5, high = 4, whole = true }"), HasSubstr("whole numbers"));
  EXPECT_THAT(refusal("[sweep.space]\ntraining.l2 = { values = [] }"), HasSubstr("is empty"));
  EXPECT_THAT(refusal("[sweep.space]\ntraining.l2 = { value = [1] }"), HasSubstr("holds 'training.l2.value'"));
  EXPECT_THAT(refusal("[sweep]\nmethod = \"list\""), HasSubstr("needs sweep.list_file"));
}

TEST(SweepSettings, AdviceHelps) {
  using testing::HasSubstr;
  const std::string losses = "[sweep.space]\ntraining.loss = { values = [\"mse\", \"poisson\"] }";
  EXPECT_THAT(refusal("[sweep]\nmetric = \"loss\"\n" + losses), HasSubstr("set sweep.metric = \"correlation\""));
  EXPECT_EQ(refusal("[sweep]\nmetric = \"correlation\"\n" + losses), "");
  EXPECT_THAT(refusal("[sweep.space]\ntraining.l2 = { values = [0] }\ntraining.ln = { values = [true] }"),
              HasSubstr("leave it out of [sweep.space]"));
  EXPECT_EQ(refusal("[sweep.space]\ntraining.l2 = { values = [0] }"), "");
}

}  // namespace
}  // namespace amacrine::sweep
