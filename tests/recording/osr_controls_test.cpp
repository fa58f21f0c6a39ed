// SPDX-License-Identifier: Apache-2.0
// Controls of the omitted stimulus response: what cells that have one answer to them, and cells that have none.
#include "presence_support.hpp"
#include "support/conditions.hpp"

namespace amacrine::recording {
namespace {

using namespace presence;

struct Controls {
  std::vector<Condition> shown;
  stimulus::OsrControlFigures figures;
  double rest_hz = 0;

  double hz(const std::string& name) const {
    for (std::size_t i = 0; i < figures.name.size(); ++i)
      if (figures.name[i] == "osr_control/" + name) return figures.response_hz[i];
    ADD_FAILURE() << "no control " << name;
    return 0;
  }
};

Controls controls_of(const Circuit& cell, double contrast) {
  stimulus::OsrProbe probe;
  probe.contrast = contrast;
  Controls made;
  made.shown = stimulus::osr_control_conditions(probe, screen);
  made.rest_hz = resting_rate(cell);
  made.figures = stimulus::measure_osr_controls(made.shown, respond_all(cell, made.shown), screen, made.rest_hz);
  return made;
}

const std::vector<std::pair<std::string, double>> timed_cells{
    {"osr", -2.0}, {"osr_alt", -2.0}, {"osr_depressing", -2.0}, {"three_in_one", 2.0}};

// Where the published figures have the same trains: 12, 3 and 6 flashes 100 ms apart.
TEST(FullOsrControls, TrainsAreThePublishedOnes) {
  constexpr std::size_t at_100_ms = 2;
  for (const std::string name : {"osr", "osr_alt", "osr_depressing"}) {
    const Controls c = controls_of(circuit(name), -2);
    const nlohmann::json& target = targets()[name];
    expect_close(c.hz("amplitude=1"), target["main"]["osr_hz"][at_100_ms].get<double>(), hz_floor, name + " 12 flashes");
    expect_close(c.hz("trains_of=3"), target["n_flashes_3"]["osr_hz"][at_100_ms].get<double>(), hz_floor, name + " 3 flashes");
    expect_close(c.hz("trains_of=6"), target["n_flashes_6"]["osr_hz"][at_100_ms].get<double>(), hz_floor, name + " 6 flashes");
  }
}

TEST(FullOsrControls, ResponsesGrowWithTheTrainAndWithItsContrast) {
  for (const auto& [name, contrast] : timed_cells) {
    SCOPED_TRACE(name);
    const Controls c = controls_of(circuit(name), contrast);
    EXPECT_NEAR(c.hz("trains_of=0"), c.rest_hz, 1e-6);
    EXPECT_LT(c.hz("trains_of=1"), 0.9 * c.hz("trains_of=3"));
    for (int flashes = 2; flashes <= 10; ++flashes)
      EXPECT_GE(c.hz(fmt::format("trains_of={}", flashes)), c.hz(fmt::format("trains_of={}", flashes - 1)) - 1e-6) << flashes;
    EXPECT_LT(c.hz("amplitude=0.5"), c.hz("amplitude=1"));
    EXPECT_LT(c.hz("amplitude=1"), c.hz("amplitude=1.5"));
    EXPECT_GT(c.figures.train_index, 0);
  }
}

TEST(FullOsrControls, AnOmissionInMidTrainIsAnsweredAsOneAtItsEnd) {
  for (const auto& [name, contrast] : timed_cells) {
    const Controls c = controls_of(circuit(name), contrast);
    expect_close(c.hz("omitted_after=6"), c.hz("trains_of=6"), hz_floor, name);
    EXPECT_GT(c.figures.mid_train_index, 0.5) << name;
  }
}

// Nothing predicts the flash after an aperiodic train: the latency of what is answered does not follow the last interval as it
// follows the period.
TEST(FullOsrControls, LatenciesDoNotFollowAperiodicTrains) {
  for (const auto& [name, contrast] : timed_cells) {
    stimulus::OsrProbe probe;
    probe.contrast = contrast;
    const auto trains = stimulus::conditions(probe, screen);
    const double slope = stimulus::measure_osr(trains, respond_all(circuit(name), trains), screen, 0).slope;
    const Controls c = controls_of(circuit(name), contrast);
    EXPECT_TRUE(std::abs(c.figures.aperiodic_slope) < 0.75 * slope) << name << " " << c.figures.aperiodic_slope;
  }
}

// Bright flashes: nothing after any omission. Dark ones leave a rebound whose latency follows nothing.
TEST(FullOsrControls, CellsWithoutAnOmittedResponseHaveNone) {
  const Controls bright = controls_of(circuit("no_phenomenon"), 2);
  for (std::size_t i = 0; i < bright.figures.name.size(); ++i)
    EXPECT_NE(bright.figures.presence[i], Presence::present) << bright.figures.name[i];
  EXPECT_TRUE(!(bright.figures.train_index > 0));
  EXPECT_LE(bright.figures.mid_train_index, -0.9);
  const Controls dark = controls_of(circuit("no_phenomenon"), -2);
  EXPECT_TRUE(std::abs(dark.figures.aperiodic_slope) < 0.25) << dark.figures.aperiodic_slope;
}

// The end of steady darkness is answered by ON cells, with or without a train.
TEST(FullOsrControls, SteadyLightIsToldApart) {
  EXPECT_LT(controls_of(circuit("osr"), -2).figures.sustained_index, 0);
  EXPECT_GT(controls_of(circuit("anticipation"), -2).figures.sustained_index, 0.9);
}

TEST(OsrControls, AreDrawnAsDescribed) {
  const auto shown = stimulus::osr_control_conditions(stimulus::OsrProbe{}, screen);
  ASSERT_EQ(shown.size(), 21U);
  std::size_t frames = 0;
  for (const Condition& each : shown) frames += each.frames;
  EXPECT_EQ(frames, 1705U + 675U + 1125U + 235U + 225U);  // trains, amplitudes, aperiodic, mid-train, steady
  const auto lit = [](const Condition& c) {
    std::vector<std::size_t> at;
    for (std::size_t t = 0; t < c.frames; ++t)
      if (c.level[t] != 0) at.push_back(t);
    return at;
  };
  EXPECT_EQ(lit(shown[0]).size(), 0U);
  EXPECT_EQ(lit(shown[2]), (std::vector<std::size_t>{60, 61, 70, 71}));
  EXPECT_EQ(shown[2].event("omitted"), 80);
  EXPECT_EQ(shown[11].level[60], -1.0);
  const Condition& irregular = test::find_condition(shown, "osr_control/aperiodic=1");
  EXPECT_EQ(lit(irregular).size(), 24U);
  EXPECT_EQ(irregular.parameter("last_interval_ms"), 60);
  const Condition& middle = test::find_condition(shown, "osr_control/omitted_after=6");
  EXPECT_EQ(middle.event("omitted"), 120);
  EXPECT_EQ(middle.level[120], 0.0);
  EXPECT_EQ(middle.level[130], -2.0);
  const Condition& steady = test::find_condition(shown, "osr_control/sustained=1");
  EXPECT_EQ(lit(steady).size(), 112U);
}

}  // namespace
}  // namespace amacrine::recording
