// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/catalogue.hpp"

#include "amacrine/stimulus/responses.hpp"
#include "support/conditions.hpp"
#include "support/screen.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::stimulus {
namespace {

using test::centre;
using test::find_condition;
using test::screen;

std::vector<int> flash_onsets(const Condition& train) {
  std::vector<int> onsets;
  for (std::size_t t = 0; t < train.frames; ++t)
    if (train.level[t] != 0 && (t == 0 || train.level[t - 1] == 0)) onsets.push_back(static_cast<int>(t));
  return onsets;
}

template <class Probe>
std::vector<Condition> of_set(ParameterSet set) {
  Probe probe;
  EXPECT_TRUE(named_probe(set, probe));
  return conditions(probe, screen, set);
}

TEST(Catalogue, FlashTrainOfTheCircuits) {
  const auto trains = of_set<OsrProbe>(ParameterSet::circuits);
  ASSERT_EQ(trains.size(), 5U);
  const Condition& fast = trains.front();
  EXPECT_EQ(fast.name, "osr/period_ms=60");
  EXPECT_EQ(fast.frames, 177U);  // 60 grey, 12 x 6, 45
  EXPECT_THAT(flash_onsets(fast), ::testing::ElementsAre(60, 66, 72, 78, 84, 90, 96, 102, 108, 114, 120, 126));
  EXPECT_EQ(std::accumulate(fast.level.begin(), fast.level.end(), 0.0), -2.0 * 2 * 12);
  EXPECT_EQ(fast.event("last_flash"), 126);
  EXPECT_EQ(fast.event("omitted"), 132);
}

TEST(Catalogue, PublishedFlashTrains) {
  const auto paper = of_set<OsrProbe>(ParameterSet::paper);
  const Condition& slow = find_condition(paper, "osr@paper/period_ms=100");
  EXPECT_EQ(slow.frames, 140U);
  EXPECT_THAT(flash_onsets(slow), ::testing::ElementsAre(9, 19, 29, 39, 49, 59, 69, 79, 89));
  EXPECT_EQ(slow.event("omitted"), 99);
  const auto figure = of_set<OsrProbe>(ParameterSet::figure);
  ASSERT_EQ(figure.size(), 1U);
  EXPECT_THAT(flash_onsets(figure[0]), ::testing::ElementsAre(76, 84, 92, 100, 108, 116, 124, 132));
  EXPECT_EQ(figure[0].event("omitted"), 140);
  EXPECT_EQ(figure[0].frames, 182U);
  const auto library = of_set<OsrProbe>(ParameterSet::library);
  ASSERT_EQ(library.size(), 1U);
  EXPECT_THAT(flash_onsets(library[0]), ::testing::ElementsAre(10, 30, 50, 70, 90, 130, 150, 170, 190, 210));
  EXPECT_EQ(library[0].event("omitted"), 110);
}

TEST(Catalogue, LatencyFlashesAndSteps) {
  const auto flashes = of_set<LatencyProbe>(ParameterSet::circuits);
  ASSERT_EQ(flashes.size(), 7U);
  EXPECT_EQ(flashes[3].level[45], -1.5);
  EXPECT_EQ(flashes[3].level[46], -1.5);
  EXPECT_EQ(flashes[3].level[47], 0.0);
  EXPECT_EQ(flashes[3].frames, 100U);
  const auto steps = of_set<LatencyProbe>(ParameterSet::paper);
  ASSERT_EQ(steps.size(), 20U);
  EXPECT_NEAR(steps.back().level[79], -2.0, 1e-12);
  EXPECT_EQ(steps.back().level[39], 0.0);
  LatencyProbe untouched;
  EXPECT_FALSE(named_probe(ParameterSet::library, untouched));
}

TEST(Catalogue, BarsCoverPixelsExactly) {
  AnticipationProbe probe;
  probe.flash_positions_px = {0.0, 0.3, -30.0};
  const auto shown = conditions(probe, screen);
  const Stimulus centred = render(shown[2], screen, centre), shifted = render(shown[3], screen, centre);
  // 2.4 px around 24.5: pixels 24 and 25 full, 23 and 26 covered by 0.2.
  EXPECT_FLOAT_EQ(centred.contrast(40, 7, 23), -0.4F);
  EXPECT_FLOAT_EQ(centred.contrast(40, 7, 24), -2.0F);
  EXPECT_FLOAT_EQ(centred.contrast(40, 7, 26), -0.4F);
  EXPECT_EQ(centred.contrast(40, 7, 27), 0.0F);
  EXPECT_EQ(centred.contrast(42, 7, 24), 0.0F);
  double total = 0;
  for (std::size_t x = 0; x < 50; ++x) total += static_cast<double>(shifted.contrast(41, 49, x));
  EXPECT_NEAR(total, -2.0 * 2.4, 1e-6);
  const Stimulus outside = render(shown[4], screen, centre);
  for (const float value : outside.contrast.values()) ASSERT_EQ(value, 0.0F) << "off the screen";
}

TEST(Catalogue, BarsFollowTheCellAndMirrorWithDirection) {
  const auto shown = conditions(AnticipationProbe{}, screen);
  const Stimulus here = render(shown[0], screen, centre), there = render(shown[0], screen, {24.5, 27.5});
  const Stimulus mirrored = render(shown[1], screen, centre);
  for (std::size_t t = 0; t < here.frames(); t += 7) {
    for (std::size_t x = 3; x < 50; ++x) ASSERT_FLOAT_EQ(there.contrast(t, 0, x), here.contrast(t, 0, x - 3));
    for (std::size_t x = 0; x < 50; ++x) ASSERT_NEAR(mirrored.contrast(t, 0, x), here.contrast(t, 0, 49 - x), 1e-6);
  }
  EXPECT_EQ(here.frames(), 40U + 390U);
  EXPECT_TRUE(std::isnan(here.bar_px[39]));
  EXPECT_DOUBLE_EQ(here.bar_px[40], -14.0);
}

TEST(Catalogue, ReversalAndItsControlShareTheirPast) {
  ReversalProbe probe;
  const auto shown = conditions(probe, screen);
  ASSERT_EQ(shown.size(), 52U);
  const Condition &turning = shown[2 * 4], &smooth = shown[2 * 4 + 1];
  EXPECT_EQ(turning.parameter("position_px"), -1.0);
  EXPECT_EQ(turning.bar_px[130], -1.0);
  EXPECT_EQ(turning.bar_px[140], -3.5);
  EXPECT_EQ(smooth.bar_px[140], 1.5);
  for (std::size_t t = 0; t <= 130; ++t) EXPECT_EQ(turning.bar_px[t], smooth.bar_px[t]);
}

TEST(Catalogue, PublishedBars) {
  const auto moving = of_set<AnticipationProbe>(ParameterSet::library);
  EXPECT_EQ(moving[0].frames, 40U + 751U);
  EXPECT_EQ(moving.size(), 2U + 51U);
  EXPECT_NEAR(moving[0].bar_px.back(), 30.0, 1e-9);
  EXPECT_EQ(moving[2].event("onset"), 43);
  EXPECT_EQ(of_set<AnticipationProbe>(ParameterSet::paper)[0].parameter("width_px"), 4.0);
  EXPECT_EQ(of_set<AnticipationProbe>(ParameterSet::figure)[0].parameter("speed_px_per_frame"), 0.176);
  const auto reversal = of_set<ReversalProbe>(ParameterSet::figure);
  EXPECT_EQ(reversal.size(), 2U * 12U * 2U);
  EXPECT_EQ(reversal[0].frames, 210U);
}

TEST(Catalogue, EverythingKeepsItsPromises) {
  ProbeSettings all;
  all.families = {"osr",  "osr_control",  "latency",       "reversal",   "anticipation",
                  "step", "paired_flash", "contrast_step", "white_noise"};
  all.sets = {"circuits", "bright", "library", "figure", "paper"};
  std::set<std::string> names;
  const auto shown = catalogue(all, screen);
  EXPECT_EQ(shown.front().name, "grey");
  for (std::size_t k = 0; k < shown.size(); ++k) {
    EXPECT_TRUE(names.insert(shown[k].name).second) << shown[k].name;
    if (k % 9 != 0) continue;  // drawing all of them takes seconds
    const Stimulus drawn = render(shown[k], screen, {23.2, 25.9});
    ASSERT_EQ(drawn.frames(), shown[k].frames);
    EXPECT_EQ(symmetry_deviation(drawn.contrast.values(), 50, 50, drawn.symmetry), 0.0) << drawn.condition;
  }
}

/// Largest and smallest contrast a condition shows.
std::pair<double, double> extremes(const Condition& condition) {
  const Stimulus drawn = render(condition, screen, {24.5, 24.5});
  const auto [low, high] = std::minmax_element(drawn.contrast.values().begin(), drawn.contrast.values().end());
  return {*low, *high};
}

TEST(Catalogue, BothContrastsAreShownByDefault) {
  const auto shown = catalogue(ProbeSettings{}, screen);
  std::size_t dark = 0, bright = 0;
  for (const Condition& condition : shown) {
    if (condition.set == ParameterSet::circuits && condition.family != Family::grey) ++dark;
    if (condition.set != ParameterSet::bright) continue;
    ++bright;
    const std::size_t at = condition.name.find("@bright");
    ASSERT_NE(at, std::string::npos) << condition.name;
    if (condition.family != Family::latency && condition.family != Family::osr) continue;
    EXPECT_EQ(extremes(condition).first, 0.0) << condition.name;
    EXPECT_GT(extremes(condition).second, 0.4) << condition.name;
  }
  EXPECT_EQ(bright, dark);
  EXPECT_EQ(extremes(find_condition(shown, "osr@bright/period_ms=100")), std::pair(0.0, 2.0));
  EXPECT_EQ(extremes(find_condition(shown, "osr/period_ms=100")), std::pair(-2.0, 0.0));
  EXPECT_EQ(extremes(find_condition(shown, "moving_bar@bright/direction=1")), std::pair(0.0, 2.0));
  EXPECT_EQ(extremes(find_condition(shown, "reversal@bright/direction=-1,position_px=1")), std::pair(0.0, 2.5));
}

TEST(Catalogue, WishedContrastsAreTurnedForTheBrightSet) {
  ProbeSettings wish;
  wish.osr_contrast = -1.5;
  wish.latency_contrasts = {-1, -2};
  wish.reversal_contrast = -0.5;
  wish.anticipation_contrast = -0.75;
  const auto shown = catalogue(wish, screen);
  EXPECT_EQ(extremes(find_condition(shown, "osr@bright/period_ms=60")).second, 1.5);
  EXPECT_EQ(extremes(find_condition(shown, "osr/period_ms=60")).first, -1.5);
  EXPECT_EQ(extremes(find_condition(shown, "latency@bright/contrast=2")).second, 2.0);
  EXPECT_EQ(extremes(find_condition(shown, "latency/contrast=-1")).first, -1.0);
  EXPECT_EQ(extremes(find_condition(shown, "reversal@bright/direction=1,position_px=0")).second, 0.5);
  EXPECT_EQ(extremes(find_condition(shown, "flashed_bar@bright/position_px=0")).second, 0.75);
}

Screen with_frames_of(double ms) {
  Screen other;
  other.frame_ms = ms;
  return other;
}

TEST(Catalogue, SixtyHertzShowsTheNearestWholeFramesAndStoresThem) {
  const Screen hz60 = with_frames_of(1000.0 / 60);
  const auto shown = catalogue(ProbeSettings{}, hz60);
  const Condition& train = find_condition(shown, "osr/period_ms=83.3333");  // 80 ms are 4.8 frames: 5
  EXPECT_DOUBLE_EQ(train.parameter("period_ms"), 5 * 1000.0 / 60);
  EXPECT_DOUBLE_EQ(train.parameter("flash_ms"), 1000.0 / 60);  // 20 ms are 1.2 frames
  EXPECT_EQ(train.event("onset"), 36);                         // 600 ms
  EXPECT_THAT(flash_onsets(train), ::testing::ElementsAre(36, 41, 46, 51, 56, 61, 66, 71, 76, 81, 86, 91));
  EXPECT_EQ(train.event("omitted"), 96);
  EXPECT_EQ(train.frames, 96U + 27U);  // 450 ms
  std::vector<double> periods;
  for (const Condition& each : shown)
    if (each.family == Family::osr && each.set == ParameterSet::circuits)
      periods.push_back(std::round(each.parameter("period_ms") * 60 / 1000));
  EXPECT_THAT(periods, ::testing::ElementsAre(4, 5, 6, 7, 8));
  EXPECT_EQ(shown[0].frames, 120U);  // grey, 2 s
}

TEST(Catalogue, BarsKeepTheirSpeedOverTime) {
  for (double ms : {5.0, 20.0, 1000.0 / 60}) {
    const Condition turning = conditions(ReversalProbe{}, with_frames_of(ms))[0];  // turns at -3 px
    const int turn = turning.event("reversal"), later = turn + static_cast<int>(std::lround(200 / ms));
    EXPECT_NEAR(turn * ms, 1300, ms / 2 + 1e-9);
    EXPECT_DOUBLE_EQ(turning.bar_px[static_cast<std::size_t>(turn)], -3.0);
    EXPECT_NEAR(turning.bar_px[static_cast<std::size_t>(later)], -3.0 - 25.0 * (later - turn) * ms / 1000, 1e-9);  // 25 px/s
    EXPECT_NEAR(turning.parameter("speed_px_per_frame"), 25.0 * ms / 1000, 1e-12);
    ProbeSettings own;
    own.families = {"reversal"};
    own.reversal_speed = 0.5;  // px per frame as shown
    EXPECT_DOUBLE_EQ(catalogue(own, with_frames_of(ms))[1].parameter("speed_px_per_frame"), 0.5);
  }
}

TEST(Catalogue, EveryFrameIntervalHasAProbeThatCanBeMeasured) {
  for (double ms : {1.0, 6.94, 10.0, 13.0, 1000.0 / 60, 1000.0 / 30, 50.0, 100.0, 333.0}) {
    ProbeSettings all;
    all.families = {"osr",  "osr_control",  "latency",       "reversal",   "anticipation",
                    "step", "paired_flash", "contrast_step", "white_noise"};
    Responses responses;
    responses.subject = "network";
    responses.screen = with_frames_of(ms);
    responses.conditions = catalogue(all, responses.screen);
    responses.sets = {ParameterSet::circuits};
    responses.cells = {"a"};
    responses.centres = {centre};
    responses.symmetry_deviation.assign(responses.conditions.size(), 0.0);
    responses.rate_hz.resize(1);
    for (const Condition& each : responses.conditions) {
      responses.rate_hz[0].emplace_back(each.frames, 5.0);
      const double period = each.parameter("period_ms");
      if (!std::isnan(period)) {
        const double gap = period - each.parameter("flash_ms");
        EXPECT_GE(gap, ms - 1e-9) << each.name << " at " << ms;
        EXPECT_NEAR(period / ms, std::round(period / ms), 1e-9);
        EXPECT_EQ(flash_onsets(each).size(), static_cast<std::size_t>(each.parameter("flashes"))) << each.name << " at " << ms;
      }
    }
    EXPECT_NO_THROW(measure(responses)) << ms;
  }
}

TEST(Catalogue, PeriodsAreTheNearestThatTheScreenCanShow) {
  ProbeSettings odd;
  odd.families = {"osr"};
  odd.sets = {"circuits"};
  odd.osr_periods_ms = {64, 66};
  const auto shown = catalogue(odd, screen);
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_EQ(shown[1].name, "osr/period_ms=60");
  EXPECT_EQ(shown[2].name, "osr/period_ms=70");
  odd.osr_periods_ms = {62, 64};  // one on this screen
  EXPECT_EQ(catalogue(odd, screen).size(), 2U);
}

TEST(Catalogue, SetsThatAreNotThere) { EXPECT_THROW(set_from_name("papers"), core::StudyError); }

TEST(Symmetry, IsVerifiedOnTheMovieAsSeen) {
  const auto shown = catalogue(ProbeSettings{}, screen);
  Stimulus flashes = render(find_condition(shown, "osr/period_ms=60"), screen, centre);
  std::vector<float>& movie = flashes.contrast.values();
  EXPECT_EQ(symmetry_deviation(movie, 50, 50, Symmetry::full_field), 0.0);
  movie[61 * 2500 + 77] *= 1.25F;  // one pixel with another scale
  EXPECT_NEAR(symmetry_deviation(movie, 50, 50, Symmetry::full_field), 0.5, 1e-6);
  EXPECT_EQ(symmetry_deviation(movie, 50, 50, Symmetry::none), 0.0);
  Stimulus bar = render(find_condition(shown, "moving_bar/direction=1"), screen, centre);
  EXPECT_EQ(symmetry_deviation(bar.contrast.values(), 50, 50, Symmetry::along_y), 0.0);
  EXPECT_GT(symmetry_deviation(bar.contrast.values(), 50, 50, Symmetry::full_field), 0.1);
  bar.contrast(200, 30, 20) = std::nanf("");
  EXPECT_TRUE(std::isnan(symmetry_deviation(bar.contrast.values(), 50, 50, Symmetry::along_y)));
}

TEST(ProbeSettings, AreReadAndChecked) {
  auto study = core::Study::from_text(
      "[probe]\nfamilies = [\"osr\"]\nosr_periods_ms = [50, 70]\nosr_contrast = -1.5\ntrials = 7\n"
      "sets = [\"circuits\"]\n");
  const ProbeSettings settings = read_probe(study);
  study.require_all_read();
  EXPECT_EQ(settings.trials, 7);
  const auto shown = catalogue(settings, screen);
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_EQ(shown[2].name, "osr/period_ms=70");
  EXPECT_EQ(shown[2].parameter("contrast"), -1.5);
  for (const std::string wrong : {"families = [\"osrs\"]", "families = []", "sets = [\"paper\", \"paper\"]", "trials = 0",
                                  "latency_contrasts = [-1, -1]", "reversal_speed = -0.1"}) {
    auto bad = core::Study::from_text("[probe]\n" + wrong + "\n");
    EXPECT_THROW(read_probe(bad), core::StudyError) << wrong;
  }
}

}  // namespace
}  // namespace amacrine::stimulus
