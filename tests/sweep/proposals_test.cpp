// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/proposals.hpp"

#include "amacrine/core/errors.hpp"
#include "support/compare.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::sweep {
namespace {

Parameter range(const std::string& key, double low, double high, bool log = false, bool whole = false) {
  Parameter p;
  p.key = key, p.low = low, p.high = high, p.log = log, p.whole = whole;
  return p;
}

Parameter choice(const std::string& key, std::vector<std::string> values) {
  Parameter p;
  p.key = key, p.values = std::move(values);
  return p;
}

SweepSettings settings(Method method, std::vector<Parameter> space, std::size_t trials = 0) {
  SweepSettings s;
  s.method = method, s.space = std::move(space), s.trials = trials;
  return s;
}

/// The numbers of one parameter over trials.
std::vector<double> numbers(const std::vector<Proposal>& all, std::size_t parameter) {
  std::vector<double> values;
  for (const Proposal& p : all) values.push_back(std::stod(p.values[parameter].substr(p.values[parameter].find('=') + 1)));
  return values;
}

TEST(Proposals, RandomValuesFillTheirRangesEvenly) {
  const auto all =
      proposals(settings(Method::random, {range("training.l2", 1e-4, 1, true), range("training.averaging", -1, 3)}, 4000));
  ASSERT_EQ(all.size(), 4000U);
  const std::vector<double> logs = numbers(all, 0), linear = numbers(all, 1);
  for (const double v : logs) ASSERT_TRUE(v >= 1e-4 && v <= 1);
  for (const double v : linear) ASSERT_TRUE(v >= -1 && v <= 3);
  // Quarters of the range hold a quarter each: 1000 +- 27 (1 sd).
  for (int quarter = 0; quarter < 4; ++quarter) {
    const auto in_log =
        std::count_if(logs.begin(), logs.end(), [&](double v) { return std::floor(std::log10(v) + 4) == quarter; });
    const auto in_linear = std::count_if(linear.begin(), linear.end(), [&](double v) { return std::floor(v + 1) == quarter; });
    EXPECT_NEAR(static_cast<double>(in_log), 1000, 110);
    EXPECT_NEAR(static_cast<double>(in_linear), 1000, 110);
  }
}

TEST(Proposals, WholeNumbersHaveEqualShares) {
  const auto all = proposals(settings(Method::random, {range("training.segments", 2, 5, false, true)}, 4000));
  for (int value = 2; value <= 5; ++value) {
    const auto count = std::count_if(
        all.begin(), all.end(), [&](const Proposal& p) { return p.values[0] == "training.segments=" + std::to_string(value); });
    EXPECT_NEAR(static_cast<double>(count), 1000, 110);
  }
}

TEST(Proposals, ATrialDependsOnSeedAndNumberOnly) {
  for (const Method method : {Method::random, Method::quasi_random}) {
    SweepSettings s = settings(method, {range("training.l2", 0, 1), choice("training.loss", {"mse", "poisson"})}, 10);
    const auto few = proposals(s);
    s.trials = 30;
    const auto many = proposals(s);
    for (std::size_t t = 0; t < few.size(); ++t) EXPECT_EQ(few[t].overrides, many[t].overrides);
    s.seed = 2;
    EXPECT_NE(proposals(s)[0].values, few[0].values);
  }
}

TEST(Proposals, EveryTrialHasASeedOfItsOwnUnlessItSetsOne) {
  const auto all = proposals(settings(Method::grid, {choice("training.l2", {"0", "1", "2", "3"})}));
  std::set<std::string> seeds;
  for (const Proposal& p : all)
    for (const std::string& text : p.overrides)
      if (text.starts_with("training.model_seed=")) seeds.insert(text);
  EXPECT_EQ(seeds.size(), 4U);
  const auto seeded = proposals(settings(Method::grid, {choice("training.model_seed", {"7", "8"})}));
  for (const Proposal& p : seeded)
    EXPECT_EQ(std::count_if(p.overrides.begin(), p.overrides.end(),
                            [](const std::string& text) { return text.starts_with("training.model_seed="); }),
              1);
}

TEST(Proposals, AGridIsEveryCombination) {
  Parameter rate = range("training.learning_rate", 1e-3, 1e-1, true);
  rate.points = 3;
  const auto all = proposals(settings(Method::grid, {choice("model.channels", {"[4, 4]", "[8, 8]"}), rate}));
  std::vector<std::string> texts;
  for (const Proposal& p : all) texts.push_back(p.values[0] + " " + p.values[1]);
  EXPECT_THAT(texts,
              testing::ElementsAre(
                  "model.channels=[4, 4] training.learning_rate=0.001", "model.channels=[4, 4] training.learning_rate=0.01",
                  "model.channels=[4, 4] training.learning_rate=0.1", "model.channels=[8, 8] training.learning_rate=0.001",
                  "model.channels=[8, 8] training.learning_rate=0.01", "model.channels=[8, 8] training.learning_rate=0.1"));
  Parameter whole = range("training.segments", 1, 3, false, true);
  EXPECT_EQ(proposals(settings(Method::grid, {whole})).size(), 3U) << "5 points of 3 whole numbers";
}

/// The largest gap that n points of the golden-ratio recurrence leave on a line is below 2.7 / n, of random ones far above; and
/// projections of two dimensions are as even.
TEST(Proposals, QuasiRandomValuesLeaveNoGaps) {
  for (const std::size_t dimensions : {1U, 2U, 3U}) {
    std::vector<Parameter> space;
    for (std::size_t d = 0; d < dimensions; ++d) space.push_back(range("training.l" + std::to_string(d), 0, 1));
    const auto all = proposals(settings(Method::quasi_random, space, 128));
    for (std::size_t d = 0; d < dimensions; ++d) {
      std::vector<double> values = numbers(all, d);
      std::sort(values.begin(), values.end());
      double gap = values.front() + 1 - values.back();
      for (std::size_t i = 1; i < values.size(); ++i) gap = std::max(gap, values[i] - values[i - 1]);
      EXPECT_LE(gap * 128, dimensions == 1 ? 2.7 : 4.5) << dimensions << " " << d;
    }
  }
  const auto plane = proposals(settings(Method::quasi_random, {range("training.a", 0, 1), range("training.b", 0, 1)}, 64));
  const auto x = numbers(plane, 0), y = numbers(plane, 1);
  std::set<int> filled;
  for (std::size_t i = 0; i < x.size(); ++i) filled.insert(8 * static_cast<int>(8 * x[i]) + static_cast<int>(8 * y[i]));
  EXPECT_GE(filled.size(), 48U) << "of 64 fields, of which 64 random points fill 40 +- 2.6";
}

TEST(Proposals, AListIsOneTrialALine) {
  const test::TemporaryFolder folder(parallel::Communicator::self());
  SweepSettings s = settings(Method::list, {});
  s.list_file = folder / "trials.txt";
  std::ofstream(s.list_file) << "# rates\ntraining.learning_rate=3e-3  model.channels=[4, 4]\n\n training.l2=0 # none\n";
  const auto all = proposals(s);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_THAT(all[0].values, testing::ElementsAre("training.learning_rate=3e-3", "model.channels=[4, 4]"));
  EXPECT_THAT(all[1].values, testing::ElementsAre("training.l2=0"));
  std::ofstream(s.list_file) << "training.l2=0\nrecording.cells=[1]\n";
  try {
    proposals(s);
    FAIL() << "a trial cannot change the recording";
  } catch (const core::StudyError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("trials.txt:2: 'recording.cells=[1]' is not an override"));
  }
  std::ofstream(s.list_file) << "# nothing\n";
  EXPECT_THROW(proposals(s), core::StudyError);
  s.list_file = folder / "none.txt";
  EXPECT_THROW(proposals(s), core::InputError);
}

TEST(Proposals, ASpaceIsNeeded) { EXPECT_THROW(proposals(settings(Method::random, {})), core::StudyError); }

}  // namespace
}  // namespace amacrine::sweep
