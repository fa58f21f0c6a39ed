// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/layers.hpp"

#include "amacrine/core/random.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

constexpr std::size_t first = 39, frames = first + 16 * 100;

/// A cell whose rate is known, Poisson repeats of it, and predictions.
struct TestPart {
  std::vector<float> rate, wrong, target;
  std::vector<std::vector<float>> trials;

  explicit TestPart(std::size_t repeats) : rate(frames), wrong(frames), target(frames, 0.0F) {
    for (std::size_t t = 0; t < frames; ++t) {
      const double phase = 0.11 * static_cast<double>(t);
      rate[t] = static_cast<float>(30 + 25 * std::sin(phase));
      wrong[t] = static_cast<float>(30 + 25 * std::sin(phase + 0.7));
    }
    for (std::size_t r = 0; r < repeats; ++r) {
      core::Random random(3, core::Stream::test, r);
      trials.emplace_back(frames);
      for (std::size_t t = 0; t < frames; ++t) {
        trials[r][t] = 100 * static_cast<float>(random.poisson(0.01 * static_cast<double>(rate[t])));
        target[t] += trials[r][t] / static_cast<float>(repeats);
      }
    }
  }
  std::vector<std::span<const float>> repeats() const { return {trials.begin(), trials.end()}; }
  LayerVerdict verdict(const std::vector<float>& pathways, std::span<const float> network) const {
    return judge({pathways, {pathways, pathways}, network}, target, repeats(), first);
  }
};

TEST(Layers, OneIsNotEnoughWhereTheNetworkIsBetter) {
  const TestPart test(20);
  const LayerVerdict v = test.verdict(test.wrong, test.rate);
  EXPECT_EQ(v.verdict, OneLayer::not_enough);
  EXPECT_LT(v.network_above.mean, 0);
  EXPECT_NEAR(v.network_above.mean, v.network.mean - v.pathways.mean, 1e-9);
  double missed = 0, all = 0;
  for (std::size_t t = first; t < frames; ++t) {
    const double wrong = static_cast<double>(test.wrong[t]), rate = static_cast<double>(test.rate[t]);
    missed += (wrong - rate) * (wrong - rate) / (wrong + 30), all += (rate - 30) * (rate - 30) / (wrong + 30);
  }
  EXPECT_NEAR(v.missed.mean, missed / all, 0.1 * missed / all);
  EXPECT_NE(words(v).find("one layer is not enough"), std::string::npos);
}

TEST(Layers, OneIsEnoughWhereNothingIsMissedAndTheNetworkIsNoBetter) {
  const TestPart test(20);
  for (const auto* network : {&test.rate, &test.wrong}) {
    const LayerVerdict v = test.verdict(test.rate, *network);
    EXPECT_EQ(v.verdict, OneLayer::enough) << words(v);
    EXPECT_LT(std::abs(v.missed.mean), 0.1);
  }
}

TEST(Layers, WhatBothMissIsNotJudged) {
  const TestPart test(20);
  const LayerVerdict v = test.verdict(test.wrong, test.wrong);
  EXPECT_EQ(v.verdict, OneLayer::not_judged);
  EXPECT_EQ(v.reason, NotJudged::both_miss);
  EXPECT_EQ(v.network_above.mean, 0);
}

TEST(Layers, ReasonsAgainstAVerdict) {
  const TestPart test(20), single(1);
  EXPECT_EQ(test.verdict(test.rate, {}).reason, NotJudged::no_network);
  EXPECT_TRUE(std::isfinite(test.verdict(test.rate, {}).pathways.mean));
  EXPECT_EQ(single.verdict(single.rate, single.rate).reason, NotJudged::no_repeats);
  // Without repeats a network that is better still decides.
  EXPECT_EQ(single.verdict(single.wrong, single.rate).verdict, OneLayer::not_enough);
  const std::span<const float> few(test.rate.data(), first + 50);
  EXPECT_EQ(judge({{few.begin(), few.end()}, {}, few}, few, {}, first).reason, NotJudged::too_short);
}

TEST(Layers, FiguresAreThoseOfTheDefinitions) {
  TestPart test(2);
  // Repeats alike: no noise. The error alternates, and so do the halves about it.
  for (std::size_t t = 0; t < frames; ++t) test.trials[0][t] = test.trials[1][t] = test.target[t] = t % 2 == 0 ? 10.0F : 40.0F;
  TestRates rates{test.target, {test.target, test.target}, test.rate};
  for (std::size_t t = 0; t < frames; ++t) {
    rates.pathways[t] += t % 4 < 2 ? 3.0F : -3.0F;
    rates.halves[0][t] += 2.0F, rates.halves[1][t] -= 2.0F;
  }
  const LayerVerdict v = judge(rates, test.target, test.repeats(), first);
  // 3^2 missed, 4^2 / 4 of it by chance, of a variance of 15^2, in every frame.
  EXPECT_NEAR(v.missed.mean, (9.0 - 4.0) / 225, 1e-9);
  EXPECT_NEAR(v.missed.error, 0, 1e-12);
  const double expected = (13 + 7 + 43 + 37) / 4.0 - (10 * (std::log(13) + std::log(7)) + 40 * (std::log(43) + std::log(37))) / 4;
  EXPECT_NEAR(v.pathways.mean, expected, 1e-6);
}

}  // namespace
}  // namespace amacrine::pathway
