// SPDX-License-Identifier: Apache-2.0
#include "circuit_support.hpp"

namespace amacrine::recording {
namespace {

using nlohmann::json;
using stimulus::OsrFigures;
using stimulus::OsrProbe;
using stimulus::Presence;
using namespace published;

OsrFigures measure(const Circuit& cell, const OsrProbe& probe, const Lesion& lesion = {}) {
  using test::screen;
  const auto shown = stimulus::conditions(probe, screen);
  return stimulus::measure_osr(shown, respond_all(cell, shown, lesion), screen, resting_rate(cell));
}

void expect_figures(const OsrFigures& f, const json& target, const std::string& what) {
  expect_close(f.period_ms, target["period_ms"], 0, what + " period");
  expect_close(f.latency_ms, target["latency_ms"], ms_floor, what + " latency");
  expect_close(f.osr_hz, target["osr_hz"], hz_floor, what + " OSR");
  expect_close(f.slope, target["slope"], 0, what + " slope");
  if (!target.contains("centroid_ms")) return;  // three flashes: only these were published
  expect_close(f.centroid_ms, target["centroid_ms"], ms_floor, what + " centroid");
  expect_close(f.ongoing_hz, target["ongoing_hz"], hz_floor, what + " ongoing");
  expect_close(f.latency_from_omitted_ms, target["latency_from_omitted_ms"], ms_floor, what + " from omitted");
  expect_close(f.slope_centroid, target["slope_centroid"], 0, what + " centroid slope");
  expect_close(f.max_deviation_ms, target["max_dev_from_line_ms"], ms_floor, what + " deviation");
  expect_close(f.min_ratio, target["min_ratio"], 0, what + " ratio");
}

void expect_sweeps(const std::string& name) {
  const Circuit& cell = circuit(name);
  const json& target = targets()[name];
  OsrProbe probe;
  expect_figures(measure(cell, probe), target["main"], name);
  probe.periods_ms.clear();
  for (int period = 50; period <= 160; period += 10) probe.periods_ms.push_back(period);
  expect_figures(measure(cell, probe), target["periods_50_to_160_ms"], name + " 50-160 ms");
  for (const double contrast : {-1.5, -2.5}) {
    OsrProbe other;
    other.contrast = contrast;
    const std::string key = contrast > -2 ? "contrast_-1.5" : "contrast_-2.5";
    expect_figures(measure(cell, other), target[key], name + " " + key);
  }
  for (const int flashes : {3, 6}) {
    OsrProbe other;
    other.flashes = flashes;
    const std::string key = "n_flashes_" + std::to_string(flashes);
    expect_figures(measure(cell, other), target[key], name + " " + key);
  }
}

TEST(FullCircuitOsr, FeedForwardFiguresAreThePublishedOnes) {
  for (const std::string name : {"osr", "osr_alt"}) {
    expect_sweeps(name);
    for (const std::string unit : {"OFF_inh", "ON_slow", "ON_fast"})
      expect_figures(measure(circuit(name), {}, {.dropped = {unit}}), targets()[name]["lesion drop=" + unit],
                     name + " without " + unit);
    expect_figures(measure(circuit(name), {}, {.linear = {"all"}}), targets()[name]["lesion linear=True"], name + " linear");
  }
}

TEST(FullCircuitOsr, DepressingFiguresAreThePublishedOnes) {
  expect_sweeps("osr_depressing");
  const Circuit& cell = circuit("osr_depressing");
  const json& target = targets()["osr_depressing"];
  expect_figures(measure(cell, {}, {.no_depression = true}), target["lesion depression=False"], "frozen synapse");
  expect_figures(measure(cell, {}, {.no_inhibition = true}), target["lesion inhibition=False"], "no inhibition");
}

// "Making only that unit linear drops the slope from 0.91 to 0.38; making both ON units linear leaves 0.89."
TEST(FullCircuitOsr, OnlyTheInhibitoryRectifierMatters) {
  EXPECT_NEAR(measure(circuit("osr"), {}, {.linear = {"OFF_inh"}}).slope, 0.38, 0.005);
  EXPECT_NEAR(measure(circuit("osr"), {}, {.linear = {"ON_slow", "ON_fast"}}).slope, 0.89, 0.005);
}

TEST(FullCircuitOsr, PresentInTheCellsMadeForItAndAbsentWithoutInhibition) {
  for (const std::string name : {"osr", "osr_alt", "osr_depressing"}) {
    const OsrFigures f = measure(circuit(name), {});
    EXPECT_EQ(f.overall, Presence::present) << name;
    EXPECT_GT(f.surprise_index, 0.4) << name;
  }
  const OsrFigures lesioned = measure(circuit("osr"), {}, {.dropped = {"OFF_inh"}});
  EXPECT_NE(lesioned.overall, Presence::present);
  // Without ON_slow nothing stands 3 Hz above rest at 120 and 140 ms: those two periods, and no others, are too weak.
  const OsrFigures weak = measure(circuit("osr"), {}, {.dropped = {"ON_slow"}});
  EXPECT_EQ(weak.presence[0], Presence::present);
  EXPECT_EQ(weak.presence[3], Presence::too_weak);
  EXPECT_EQ(weak.presence[4], Presence::too_weak);
}

}  // namespace
}  // namespace amacrine::recording
