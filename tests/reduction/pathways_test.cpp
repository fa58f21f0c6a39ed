// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/pathways.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::reduction {
namespace {

using Groups = std::vector<std::pair<int, int>>;

TEST(Conditions, BelongToTheirStimulus) {
  EXPECT_EQ(stimulus_of("osr/period_ms=60"), "osr");
  EXPECT_EQ(stimulus_of("reversal_smooth/position_px=1"), "reversal");
  EXPECT_EQ(stimulus_of("moving_bar/direction=1"), "anticipation");
  EXPECT_EQ(stimulus_of("flashed_bar/position_px=0"), "anticipation");
  EXPECT_EQ(stimulus_of("flashed_bar@paper/position_px=0"), "anticipation@paper");
  EXPECT_EQ(stimulus_of("step/contrast=-1"), "step");
}

TEST(Conditions, EveryThirdIsHeldOut) {
  std::vector<AttributedCondition> conditions(8);
  for (std::size_t k = 0; k < 7; ++k) conditions[k].stimulus = "osr";
  conditions[7].stimulus = "step";
  mark_held_out(conditions, 3);
  std::vector<bool> held;
  for (const auto& c : conditions) held.push_back(c.held_out);
  EXPECT_EQ(held, (std::vector<bool>{false, true, false, false, true, false, false, false}));
  mark_held_out(conditions, 0);
  for (const auto& c : conditions) EXPECT_FALSE(c.held_out);
}

TEST(Columns, TwoDisplacedSubUnitsAreTwo) {
  const std::vector<double> strength{0, 1, 5, 9, 4, 2, 6, 8, 3, 0.1, 0};
  EXPECT_EQ(column_groups(strength, std::vector<int>(11, 1), 0.05, 0.6), (Groups{{1, 5}, {6, 8}}));
  EXPECT_EQ(column_groups(strength, std::vector<int>(11, 1), 0.05, 0.2), (Groups{{1, 8}})) << "a shallow valley cuts nothing";
}

TEST(Columns, OppositeSignsOfDAreApart) {
  EXPECT_EQ(column_groups({4, 5, 6, 5, 4}, {1, 1, -1, -1, 0}, 0.1, 0.6), (Groups{{0, 1}, {2, 3}}));
  EXPECT_TRUE(column_groups({0, 0, 0}, {0, 0, 0}, 0.1, 0.6).empty());
}

TEST(Keep, TakesTheFewestThatHoldTheShare) {
  std::vector<Pathway> ranked(4);
  const double shares[] = {0.6, 0.25, 0.1, 0.05};
  for (std::size_t i = 0; i < 4; ++i) ranked[i].share = shares[i];
  EXPECT_EQ(keep(ranked, 0.9, 4).size(), 3u);
  EXPECT_EQ(keep(ranked, 0.9, 2).size(), 2u);
  EXPECT_EQ(keep(ranked, 0.5, 4).size(), 1u);
}

/// `channels` channels of a 1-column layer whose filters peak at lag 4, with the given gains and pre-activations on grey per
/// unit.
FirstLayer small_layer(std::size_t channels, std::size_t height, std::size_t width) {
  FirstLayer layer;
  layer.kernel = core::Array<float, 4>({channels, 12, 3, 3});
  layer.gain = core::Array<float, 3>({channels, height, width}, 1.0f);
  layer.rest = core::Array<float, 3>({channels, height, width});
  for (std::size_t c = 0; c < channels; ++c) {
    layer.channels.push_back("channel " + std::to_string(c));
    for (std::size_t t = 0; t < 12; ++t)
      layer.kernel(c, t, 1, 1) = static_cast<float>(std::exp(-0.5 * std::pow(static_cast<double>(11 - t) - 4.0, 2)));
  }
  return layer;
}

AttributedCondition empty_condition(const std::string& name, std::size_t frames, std::size_t lines, std::size_t columns) {
  AttributedCondition condition;
  condition.name = name;
  condition.stimulus = stimulus_of(name);
  condition.rate.assign(frames, 1.0);
  condition.attribution = condition.drive = condition.downstream = core::Array<double, 3>({frames, lines, columns});
  return condition;
}

TEST(Ranking, LooksAtTheWholeWindowNotAtThePeak) {
  const FirstLayer layer = small_layer(2, 1, 1);
  const ReductionSettings settings;
  auto condition = empty_condition("latency/contrast=-2", 10, 2, 1);
  for (std::size_t t = 0; t < 10; ++t) {
    condition.drive(t, 0, 0) = t == 3 ? 1.0 : 0.0;
    condition.attribution(t, 0, 0) = t == 3 ? 40.0 : 0.0;  // all of the peak
    condition.drive(t, 1, 0) = t > 3 ? 1.0 : 0.0;
    condition.attribution(t, 1, 0) = t > 3 ? -10.0 : 0.0;  // delayed inhibition, silent at the peak
  }
  const auto found = find_pathways(layer, lines_of(layer, false), label_channels(layer, settings), {&condition}, 24.5, settings);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].channel, 1);
  EXPECT_NEAR(found[0].share, 0.6, 1e-12);
  EXPECT_EQ(found[0].influence.sign, -1);
  EXPECT_NEAR(found[0].mean_attribution, -6.0, 1e-12);
  EXPECT_EQ(found[1].influence.sign, 1);
  EXPECT_EQ(found[1].polarity, 1);
  EXPECT_NEAR(found[1].lobe_ms, 40.0, 0.5);
  EXPECT_EQ(found[1].speed, 1);
}

/// Filters peak at lag 4; a model that sees `minimum_lag` frames less has them that much earlier in time.
TEST(Labels, LagsCountFromTheResponse) {
  FirstLayer layer = small_layer(1, 1, 1);
  ReductionSettings settings;
  auto condition = empty_condition("latency/contrast=-2", 4, 1, 1);
  condition.attribution(1, 0, 0) = 1.0;
  const auto found = [&] {
    return find_pathways(layer, lines_of(layer, false), label_channels(layer, settings), {&condition}, 24.5, settings).at(0);
  };
  const double sooner = found().lobe_ms;
  EXPECT_EQ(found().speed, 1);
  layer.minimum_lag = 1;
  EXPECT_NEAR(found().lobe_ms, sooner + 10, 1e-9);
  EXPECT_EQ(found().speed, -1) << "at 50 ms a pathway is slow";
  layer.minimum_lag = 0, layer.frame_ms = 20;
  EXPECT_NEAR(found().lobe_ms, 2 * sooner, 1e-9);
}

TEST(Ranking, EveryStimulusCountsAlike) {
  const FirstLayer layer = small_layer(2, 1, 1);
  const ReductionSettings settings;
  auto loud = empty_condition("osr/a", 100, 2, 1), soft = empty_condition("latency/b", 10, 2, 1);
  for (std::size_t t = 0; t < 100; ++t) loud.attribution(t, 0, 0) = 50;
  for (std::size_t t = 0; t < 10; ++t) soft.attribution(t, 1, 0) = 1;
  const auto found =
      find_pathways(layer, lines_of(layer, false), label_channels(layer, settings), {&loud, &soft}, 24.5, settings);
  EXPECT_NEAR(found[0].share, 0.5, 1e-12);
  EXPECT_NEAR(found[1].share, 0.5, 1e-12);
}

TEST(SubUnits, BarsFindThemWhereTheyAre) {
  // Two sub-units of one channel, at columns 4-6 and 14-16; a bar walks over 24 columns, one column a frame.
  const FirstLayer layer = small_layer(1, 2, 24);
  const ReductionSettings settings;
  auto condition = empty_condition("reversal/a", 24, 1, 24);
  const auto weight = [](int column) {
    return column == 5 || column == 15 ? 3.0 : std::abs(column - 5) == 1 || std::abs(column - 15) == 1 ? 2.0 : 0.0;
  };
  for (int t = 0; t < 24; ++t) {
    condition.drive(t, 0, t) = 1.0;
    condition.attribution(t, 0, t) = weight(t);
  }
  const auto found = find_pathways(layer, lines_of(layer, false), label_channels(layer, settings), {&condition}, 12.0, settings);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ((std::pair{found[0].column_first, found[0].column_last}), (std::pair{4, 6}));
  EXPECT_EQ((std::pair{found[1].column_first, found[1].column_last}), (std::pair{14, 16}));
  EXPECT_NEAR(found[0].position_px, 5 + 1 - 12.0, 1e-6) << "unit 5 sees the pixels 5, 6, 7";
  ASSERT_EQ(found[0].elements.size(), 3u);
  EXPECT_NEAR(found[0].elements[0].profile, 2.0 / 7, 1e-9);
  EXPECT_NEAR(found[0].elements[1].profile, 3.0 / 7, 1e-9);
  EXPECT_NEAR(summed(found[0], condition.attribution, 5), 3.0, 1e-12);
  EXPECT_NEAR(summed(found[0], condition.attribution, 15), 0.0, 1e-12);
}

TEST(Lines, OppositeGainsAreSeparatePathwaysOfOppositePolarity) {
  FirstLayer layer = small_layer(1, 2, 2);
  layer.gain(0, 1, 0) = layer.gain(0, 1, 1) = -0.5f;
  layer.rest(0, 1, 0) = layer.rest(0, 1, 1) = 0.25f;
  EXPECT_EQ(lines_of(layer, false)[0].gain_sign, 0);
  const auto lines = lines_of(layer, true);
  ASSERT_EQ(lines.size(), 2u);
  const ReductionSettings settings;
  auto condition = empty_condition("osr/a", 2, 2, 1);
  condition.drive(0, 0, 0) = condition.drive(0, 1, 0) = 1.0;
  condition.drive(1, 0, 0) = condition.drive(1, 1, 0) = -1.0;
  condition.attribution(0, 0, 0) = 6;   // positive gains open under light
  condition.attribution(1, 1, 0) = -3;  // negative ones open in the dark, and inhibit
  condition.attribution(0, 1, 0) = 1;
  const auto found = find_pathways(layer, lines, label_channels(layer, settings), {&condition}, 24.5, settings);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].polarity, 1);
  EXPECT_EQ(found[0].influence.sign, 1);
  EXPECT_EQ(found[1].polarity, -1);
  EXPECT_EQ(found[1].influence.sign, -1);
  EXPECT_NEAR(found[1].threshold, 0.5, 1e-6) << "in units of the drive: 0.25 / |-0.5|";
  EXPECT_TRUE(found[1].disinhibition()) << "a quarter of its attribution is release from its tonic activity";
  EXPECT_EQ(describe(found[1]), "OFF fast inhibitory (disinhibition)");
}

TEST(Lines, NormPerUnitKeepsAFewThresholds) {
  FirstLayer layer = small_layer(1, 2, 2);
  const float rests[] = {0.0f, 0.2f, 0.4f, 1.0f};
  for (std::size_t u = 0; u < 4; ++u) layer.rest.values()[u] = rests[u];
  ReductionSettings settings;
  settings.knots = 2;
  auto condition = empty_condition("osr/a", 1, 1, 1);
  condition.attribution(0, 0, 0) = 1;
  const auto found = find_pathways(layer, lines_of(layer, true), label_channels(layer, settings), {&condition}, 24.5, settings);
  ASSERT_EQ(found.at(0).elements.size(), 2u);
  EXPECT_NEAR(found[0].threshold, 0.4, 1e-6);
  EXPECT_NEAR(found[0].threshold + found[0].elements[0].offset, 0.1, 1e-6);
  EXPECT_NEAR(found[0].threshold + found[0].elements[1].offset, 0.7, 1e-6);
  EXPECT_NEAR(found[0].elements[0].profile, 0.5, 1e-9);
}

TEST(Pathways, KnowWhichUnitsOfADividedChannelTheyAre) {
  const std::vector<Line> lines{{0, 1}, {0, -1}, {1, -1}, {2, 0}};
  Pathway pathway;
  pathway.gain_sign = -1;
  EXPECT_EQ(gain_part(lines, pathway), -1);
  pathway.gain_sign = 1;
  EXPECT_EQ(gain_part(lines, pathway), 1);
  pathway.channel = 1, pathway.gain_sign = -1;
  EXPECT_EQ(gain_part(lines, pathway), 0);
  pathway.channel = 2, pathway.gain_sign = 1;
  EXPECT_EQ(gain_part(lines, pathway), 0);
}

}  // namespace
}  // namespace amacrine::reduction
