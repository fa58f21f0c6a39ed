// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"

#include "amacrine/core/array.hpp"
#include "amacrine/core/errors.hpp"
#include "amacrine/core/progress.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/core/version.hpp"
#include "support/compare.hpp"

#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::core {
namespace {

TEST(Log, TellsSecondsAndBytesForPeople) {
  EXPECT_EQ(human_seconds(3.21), "3.2 s");
  EXPECT_EQ(human_seconds(59), "59 s");
  EXPECT_EQ(human_seconds(192), "3 min 12 s");
  EXPECT_EQ(human_seconds(7384), "2 h 3 min");
  EXPECT_EQ(human_seconds(std::numeric_limits<double>::quiet_NaN()), "?");
  EXPECT_EQ(human_bytes(12), "12 B");
  EXPECT_EQ(human_bytes(1.2e9), "1.2 GB");
  EXPECT_EQ(human_bytes(999.9e3), "1 MB");
}

TEST(Log, OnlyTheSpeakerSpeaks) {
  testing::internal::CaptureStdout();
  set_log_writer(false);
  log("nothing {}", 1);
  set_log_writer(true);
  set_log_level("quiet");
  log("nothing {}", 2);
  set_log_level("info");
  log("something {}", 3);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "something 3\n");
  EXPECT_THROW(set_log_level("loud"), StudyError);
}

/// Lines, warnings and progress of a rank that is silent otherwise go to the file, and come back to where they went at first.
TEST(Log, GoesToAFileForAWhile) {
  const std::string path = testing::TempDir() + "/amacrine_log_test.txt";
  std::remove(path.c_str());
  set_log_writer(false);
  testing::internal::CaptureStdout();
  bool told = false;
  set_progress_listener([&](const ProgressState&) { told = true; });
  {
    const LogRedirect to_file(path);
    log("one");
    warn("two");
    {
      const LogRedirect back("");
      log("not there");
    }
    Progress("three", 4, "steps").update(4);
  }
  log("nor there");
  set_progress_listener({});
  set_log_writer(true);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_FALSE(told) << "it is the progress of the file's work";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_THAT(text.str(), testing::MatchesRegex("one\nwarning: two\nthree: 4 of 4 steps .*\n"));
  EXPECT_THROW(LogRedirect("/nowhere/log.txt"), Error);
}

TEST(Progress, EndsWithAWholeLine) {
  testing::internal::CaptureStdout();
  {
    Progress progress("training", 200, "windows");
    progress.update(50);
    progress.update(200, "loss 0.1");
  }
  const std::string line = testing::internal::GetCapturedStdout();
  EXPECT_THAT(line, testing::HasSubstr("training: 200 of 200 windows (100 %)"));
  EXPECT_THAT(line, testing::HasSubstr("loss 0.1\n"));
}

TEST(Version, KnowsHowItWasBuilt) {
  const auto facts = build_facts();
  for (const char* key : {"version", "commit", "commit_dirty", "compiler", "kokkos_version", "kokkos_devices"})
    EXPECT_FALSE(facts.at(key).empty()) << key;
  EXPECT_EQ(facts.at("version"), version());
}

TEST(Array, IsRowMajor) {
  Array<int, 3> array({2, 3, 4});
  for (std::size_t i = 0; i < array.size(); ++i) array.values()[i] = static_cast<int>(i);
  EXPECT_EQ(array(1, 2, 3), 23);
  EXPECT_EQ(array(0, 1, 0), 4);
  EXPECT_EQ(array.row(1)[0], 12);
  EXPECT_EQ(array.row(1).size(), 12u);
  EXPECT_THROW((Array<int, 1>({2}, std::vector<int>{1})), Error);
}

TEST(Random, DependsOnKeyAndCounterOnly) {
  Random a(5, Stream::test, 3), b(5, Stream::test, 3), other(5, Stream::test, 4), purpose(5, Stream::spikes, 3);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(a.bits(), b.bits());
  EXPECT_NE(Random(5, Stream::test, 3).bits(), other.bits());
  EXPECT_NE(Random(5, Stream::test, 3).bits(), purpose.bits());
}

TEST(Random, HasTheMomentsOfItsDistributions) {
  Random random(1, Stream::test);
  constexpr int n = 200'000;
  double uniform = 0, normal = 0, normal2 = 0, poisson = 0, poisson2 = 0;
  for (int i = 0; i < n; ++i) {
    uniform += random.uniform();
    const double x = random.normal();
    normal += x, normal2 += x * x;
    const double k = random.poisson(2.5);
    poisson += k, poisson2 += k * k;
  }
  // Five standard errors of each mean.
  EXPECT_NEAR(uniform / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(normal / n, 0.0, 5 * std::sqrt(1.0 / n));
  EXPECT_NEAR(normal2 / n, 1.0, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(poisson / n, 2.5, 5 * std::sqrt(2.5 / n));
  EXPECT_NEAR(poisson2 / n - poisson / n * (poisson / n), 2.5, 0.1);
}

TEST(Compare, NanAndInfinityFail) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> one{1.0}, bad{nan}, two{1.0, 2.0};
  EXPECT_FALSE(test::relative_error(bad, one) <= 1.0);
  EXPECT_FALSE(test::relative_error(one, bad) <= 1.0);
  EXPECT_FALSE(test::absolute_error(bad, bad) <= 1.0);
  EXPECT_FALSE(test::relative_error(one, two) <= 1.0);
  EXPECT_EQ(test::relative_error(two, two), 0.0);
  EXPECT_EQ(test::relative_error(std::vector<double>{1.0, 3.0}, two), 0.5);
}

}  // namespace
}  // namespace amacrine::core
