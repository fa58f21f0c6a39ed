// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/evidence.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

/// A pathway whose time course peaks at a lag and whose profile is one pixel.
Pathway made(double weight_hz, int polarity, std::size_t peak, std::size_t y, std::size_t x) {
  Pathway p;
  p.weight_hz = weight_hz, p.polarity = polarity, p.closed = 0.5;
  p.course.assign(10, 0.0);
  p.course[peak] = 0.8 * polarity, p.course[peak + 1] = 0.2 * polarity;
  p.peak_ms = 10 * static_cast<double>(peak);
  p.profile = core::Array<double, 2>({5, 5});
  p.profile(y, x) = 1;
  p.dy_px = static_cast<double>(y) - 2, p.dx_px = static_cast<double>(x) - 2;
  return p;
}

TEST(Evidence, PathwaysAreMatchedByTheirFiltersWhateverTheirSigns) {
  const std::vector<Pathway> own{made(10, 1, 2, 2, 2), made(-5, -1, 6, 2, 2)};
  const std::vector<Pathway> other{made(5, 1, 6, 2, 2), made(8, 1, 2, 2, 2)};
  EXPECT_EQ(matched(own, other), (std::vector<std::size_t>{1, 0}));
}

TEST(Evidence, WhatIsNotAlikeHasNoMatch) {
  const std::vector<Pathway> own{made(10, 1, 2, 2, 2)};
  EXPECT_EQ(matched(own, {made(10, 1, 7, 2, 2)}), std::vector<std::size_t>{1});
  EXPECT_EQ(matched(own, {made(10, 1, 2, 0, 0)}), std::vector<std::size_t>{1});
  EXPECT_EQ(matched(own, {}), std::vector<std::size_t>{0});
}

TEST(Evidence, ClaimsAreComparedOneByOne) {
  const std::vector<Pathway> own{made(10, 1, 2, 2, 2)};
  std::vector<Agreement> agreement(1);
  compare(own, {made(3, 1, 2, 2, 2)}, agreement);
  compare(own, {made(-3, -1, 2, 2, 2)}, agreement);
  Pathway late = made(3, 1, 2, 2, 2);
  late.peak_ms = 70, late.dx_px = 2;
  compare(own, {late}, agreement);
  compare(own, {made(3, 1, 7, 2, 2)}, agreement);  // not there at all
  EXPECT_EQ(agreement[0].fits, 4);
  EXPECT_EQ(agreement[0].sign, 2);
  EXPECT_EQ(agreement[0].polarity, 2);
  EXPECT_EQ(agreement[0].peak, 2);
  EXPECT_EQ(agreement[0].place, 2);
  // Which of them says what, in the order in which they were asked: sign, polarity, peak, place.
  EXPECT_EQ(agreement[0].answers,
            (std::vector<Answer>{
                {true, true, true, true}, {false, false, true, true}, {true, true, false, false}, {false, false, false, false}}));
}

TEST(Evidence, AThirdOfTheFitsDisputesAClaim) {
  const Agreement two{2, 2, 1, 0, 0}, three{3, 3, 2, 0, 0}, four{4, 4, 3, 0, 0};
  EXPECT_FALSE(two.disputed(two.sign));
  EXPECT_TRUE(two.disputed(two.polarity));
  EXPECT_TRUE(three.disputed(three.polarity));
  EXPECT_FALSE(four.disputed(four.polarity));
}

/// Bases, a cell and a model of two pathways with filters that are known.
struct Known {
  PathwaySettings settings;
  Bases bases;
  CellFit fit;
  CellData data;
  Model model;

  Known() {
    settings.radius_px = 4, settings.spacing_px = 2;
    bases = make_bases(settings, 12);
    fit.shape = {bases.bumps(), bases.courses(), 20, 0.01};
    fit.scale = 4;
    data.frames = 400, data.bumps = bases.bumps(), data.frame_s = 0.01, data.scale = fit.scale;
    data.counts.assign(400, 0.0F);
    data.stimulus.resize(data.frames * data.bumps);
    // All bumps see the same square wave: 20 frames of +1, 20 of -1.
    for (std::size_t s = 0; s < data.bumps; ++s)
      for (std::size_t f = 0; f < data.frames; ++f) data.stimulus[s * data.frames + f] = f / 20 % 2 == 0 ? 1.0F : -1.0F;
    model = constant_model(fit.shape, 10);
  }
  void add(double dx, double course_sign, double threshold, double weight) {
    std::vector<double> pathway = bases.gaussian(0, dx, 1.5), time(bases.courses(), 0.0);
    time[4] = course_sign, time[5] = course_sign;
    pathway.insert(pathway.end(), time.begin(), time.end());
    pathway.insert(pathway.end(), {threshold, weight});
    model = with_pathway(model, pathway);
  }
  std::vector<Pathway> described() const { return describe(bases, fit, model, data, {{11, 400}}); }
};

TEST(Evidence, FiltersAreNormalisedAndTheOutputStaysWhatItIs) {
  Known known;
  known.add(2, -1, 0.3, -0.5);
  const Pathway p = known.described()[0];
  double course = 0, profile = 0;
  for (double v : p.course) course += std::abs(v);
  for (double v : p.profile.values()) profile += std::abs(v);
  EXPECT_NEAR(course, 1, 1e-12);
  EXPECT_NEAR(profile, 1, 1e-12);
  EXPECT_EQ(p.polarity, -1);
  EXPECT_EQ(p.sign(), -1);
  EXPECT_NEAR(p.dx_px, 2, 0.3);
  EXPECT_NEAR(p.dy_px, 0, 1e-9);
  // weight times threshold is the input's part when the filter says 0, in whatever units.
  EXPECT_NEAR(p.weight_hz * p.threshold, -0.5 * 20 * 0.3, 1e-9);
}

TEST(Evidence, TheSignOfAFilterIsInItsTimeCourse) {
  Known known;
  known.add(0, 1, 0, 1);
  std::vector<double> negative(known.model.values);
  for (std::size_t i = 0; i < known.bases.bumps() + known.bases.courses(); ++i) negative[2 + i] = -negative[2 + i];
  const std::vector<double> course = known.described()[0].course;
  known.model.values = negative;
  EXPECT_EQ(known.described()[0].course, course);
  EXPECT_EQ(known.described()[0].polarity, 1);
}

TEST(Evidence, TheStrongestComesFirstAndSilenceIsMeasured) {
  Known known;
  known.add(0, 1, 0, 0.1);
  known.add(0, 1, 0, -0.7);
  known.add(0, 1, 1e3, 0.2);  // never closes
  const auto pathways = known.described();
  EXPECT_EQ(pathways[0].sign(), -1);
  EXPECT_GE(pathways[0].spread_hz, pathways[1].spread_hz);
  for (const Pathway& p : pathways) EXPECT_EQ(p.linear(), p.threshold > 1) << p.threshold;
  // The wave is as long below as above.
  EXPECT_NEAR(pathways[0].closed, 0.5, 0.06);
}

TEST(Evidence, SubUnitsOfOneFilterAreOneType) {
  Known known;
  known.add(-2, 1, 0, 0.3);
  known.add(2, 1, 0, 0.2);
  known.add(2, 1, 0, -0.1);  // inhibits
  const auto pathways = known.described();
  EXPECT_EQ(pathways[0].type, 0u);
  EXPECT_EQ(pathways[1].type, 0u);
  EXPECT_EQ(pathways[2].type, 1u);
  Mechanism mechanism;
  mechanism.pathways = pathways;
  EXPECT_EQ(mechanism.types(), 2u);
}

TEST(Evidence, TheTableSaysWhatIsDisputedAndWhatIsLinear) {
  Mechanism m;
  m.number = 2, m.number_of_halves = {2, 1};
  m.pathways = {made(10, 1, 2, 2, 2), made(-5, -1, 6, 2, 2)};
  m.pathways[1].closed = 0, m.pathways[1].type = 1;
  m.agreement = {{2, 2, 1, 2, 2}, {2, 2, 2, 2, 2}};
  m.held_out = {{1, 0.1}, {0.5, 0.1}, {0, 0}};
  recording::Cell cell;
  cell.name = "osr";
  const std::string text = table(cell, m);
  EXPECT_NE(text.find("osr: 2 pathways; 2 and 1 in the halves of the recording"), std::string::npos) << text;
  EXPECT_NE(text.find("excitatory, ON (disputed, 1 of 2)"), std::string::npos) << text;
  EXPECT_NE(text.find("linear, neither sign nor side known"), std::string::npos) << text;
  m.left_out = "no spikes";
  EXPECT_NE(table(cell, m).find("not fitted: no spikes"), std::string::npos);
}

}  // namespace
}  // namespace amacrine::pathway
