// SPDX-License-Identifier: Apache-2.0
#include "circuit_support.hpp"

#include <cmath>

namespace amacrine::recording {
namespace {

using nlohmann::json;
using stimulus::AnticipationFigures;
using stimulus::AnticipationProbe;
using stimulus::LatencyProbe;
using stimulus::Presence;
using stimulus::ReversalFigures;
using stimulus::ReversalProbe;
using namespace published;

using test::screen;

template <class Probe>
auto shown_to(const std::string& name, const Probe& probe, const Lesion& lesion) {
  auto shown = stimulus::conditions(probe, screen);
  auto responses = respond_all(circuit(name), shown, lesion);
  return std::pair{std::move(shown), std::move(responses)};
}

ReversalFigures measure(const ReversalProbe& probe, const Lesion& lesion = {}) {
  const auto [shown, responses] = shown_to("reversal", probe, lesion);
  return stimulus::measure_reversal(shown, responses, screen, resting_rate(circuit("reversal")));
}

AnticipationFigures measure(const std::string& name, const AnticipationProbe& probe, const Lesion& lesion = {}) {
  const auto [shown, responses] = shown_to(name, probe, lesion);
  return stimulus::measure_anticipation(shown, responses, screen, resting_rate(circuit(name)));
}

void expect_figures(const ReversalFigures& f, const json& target, const std::string& what) {
  expect_close(f.latency_ms, target["latency_ms"], ms_floor, what + " latency");
  expect_close(f.latency_mean_ms, target["latency_mean_ms"], ms_floor, what + " mean latency");
  expect_close(f.latency_sd_ms, target["latency_sd_ms"], ms_floor, what + " sd");
  expect_close({f.burst_min_hz, f.burst_mean_hz, f.burst_max_hz}, target["burst_hz"], hz_floor, what + " burst");
  expect_close(f.smooth_peak_hz, target["smooth_peak_hz"], hz_floor, what + " smooth");
  expect_close(f.smooth_at_burst_hz, target["smooth_rate_at_burst_time_hz_max"], hz_floor, what + " smooth at burst");
  expect_close(f.before_reversal_hz, target["before_reversal_peak_hz_max"], hz_floor, what + " before");
  expect_close(f.ratio, target["burst_over_smooth_peak_min"], 0, what + " ratio");
}

ReversalProbe coarse() {
  ReversalProbe probe;
  probe.positions_px = {-3, -2, -1, 0, 1, 2, 3};
  probe.directions = {1};
  return probe;
}

TEST(FullCircuitReversal, FiguresAreThePublishedOnes) {
  const json& target = targets()["reversal"];
  const ReversalFigures main = measure(ReversalProbe{});
  expect_figures(main, target["main"], "reversal");
  EXPECT_EQ(main.overall, Presence::present);
  ReversalProbe rightward;
  rightward.directions = {1};
  const ReversalFigures linear = measure(rightward, {.linear = {"all"}});
  expect_figures(linear, target["lesion linear sub-units"], "linear");
  EXPECT_NE(stimulus::reported(linear).overall, Presence::present) << "linear sub-units give no burst beyond smooth motion";
  expect_figures(measure(rightward, {.dropped = {"S0", "S1", "S3", "S4"}}), target["lesion single sub-unit S2"], "S2 alone");
  expect_figures(measure(rightward, {.dropped = {"S0", "S2", "S4"}}), target["lesion two sub-units S1,S3"], "S1 and S3");
}

TEST(FullCircuitReversal, OtherSpeedsWidthsContrasts) {
  const json& target = targets()["reversal"];
  const auto check = [&target](double ReversalProbe::*field, double value, const std::string& key) {
    ReversalProbe probe = coarse();
    probe.*field = value;
    expect_figures(measure(probe), target[key], key);
  };
  check(&ReversalProbe::speed, 0.15, "speed_0.15");
  check(&ReversalProbe::speed, 0.2, "speed_0.2");
  check(&ReversalProbe::speed, 0.3, "speed_0.3");
  check(&ReversalProbe::speed, 0.35, "speed_0.35");
  check(&ReversalProbe::width, 1.0, "width_1");
  check(&ReversalProbe::width, 3.0, "width_3");
  check(&ReversalProbe::width, 4.0, "width_4");
  check(&ReversalProbe::contrast, -2.0, "contrast_-2");
  check(&ReversalProbe::contrast, -3.0, "contrast_-3");
}

// 1 sd of the summed centres along x.
TEST(CircuitReversal, ReceptiveFieldRadius) {
  double weight = 0, moment = 0;
  using test::centre;
  for (CircuitUnit unit : circuit("reversal").units) {
    unit.kappa = 0;
    const std::vector<double> g = unit.spatial(screen, centre);
    for (std::size_t i = 0; i < g.size(); ++i) {
      const double x = static_cast<double>(i % 50) - centre.x;
      weight += unit.weight * g[i];
      moment += unit.weight * g[i] * x * x;
    }
  }
  EXPECT_NEAR(std::sqrt(moment / weight), targets()["reversal"]["rf_radius_1sd_px"].get<double>(), 1e-4);
}

void expect_direction(const AnticipationFigures::Direction& d, const json& target, const std::string& what) {
  expect_close(d.peak_um, target["peak_um"], um_floor, what + " peak position");
  expect_close(d.centroid_um, target["centroid_um"], um_floor, what + " centroid");
  expect_close(d.peak_hz, target["peak_hz"], hz_floor, what + " peak");
  expect_close(d.rate_at_centre_hz, target["rate_at_centre_hz"], hz_floor, what + " at centre");
  expect_close(d.ahead_um, target["ahead_of_flash_profile_um"], um_floor, what + " ahead");
}

void expect_figures(const AnticipationFigures& f, const json& target, const std::string& what) {
  ASSERT_EQ(f.directions.size(), 2U);
  expect_direction(f.directions[0], target["right"], what + " right");
  expect_direction(f.directions[1], target["left"], what + " left");
  if (!target.contains("flash")) return;
  const json& flash = target["flash"];
  expect_close(f.flash_position_um, flash["position_um"], um_floor, what + " flash position");
  expect_close(f.flash_hz, flash["peak_hz"], hz_floor, what + " flash profile");
  expect_close(f.flash_centre_um, flash["profile_centre_um"], um_floor, what + " profile centre");
  expect_close(f.flash_peak_um, flash["peak_at_um"], um_floor, what + " profile top");
  expect_close(f.flash_time_to_peak_ms, flash["time_to_peak_ms"], ms_floor, what + " time to peak");
}

AnticipationProbe anticipation_probe() {
  AnticipationProbe probe;
  stimulus::named_probe(stimulus::ParameterSet::circuits, probe);
  return probe;
}

void expect_sweeps(const std::string& name, const Lesion& lesion, const std::string& lesion_key) {
  const json& target = targets()[name];
  const AnticipationFigures main = measure(name, anticipation_probe());
  expect_figures(main, target["main"], name);
  EXPECT_EQ(main.overall, Presence::present);
  expect_close(resting_rate(circuit(name)), target["main"]["flash"]["resting_hz"], hz_floor, name + " at rest");
  expect_figures(measure(name, anticipation_probe(), lesion), target[lesion_key], name + " lesioned");
  for (const auto& [key, figures] : target["speeds"].items()) {
    AnticipationProbe probe = anticipation_probe();
    probe.speed = std::stod(key);
    expect_figures(measure(name, probe), figures, name + " speed " + key);
  }
  for (const double contrast : {-1.5, -2.5}) {
    AnticipationProbe probe = anticipation_probe();
    probe.contrast = contrast;
    const std::string key = contrast > -2 ? "contrast_-1.5" : "contrast_-2.5";
    expect_figures(measure(name, probe), target[key], name + " " + key);
  }
}

TEST(FullCircuitAnticipation, PlantedFiguresAreThePublishedOnes) {
  expect_sweeps("anticipation", {.dropped = {"OFF_inh_wide"}}, "lesion {'drop': ('OFF_inh_wide',)}");
}

TEST(FullCircuitAnticipation, GainControlFiguresAreThePublishedOnes) {
  expect_sweeps("anticipation_gain_control", {.no_feedback = true}, "lesion {'feedback': False}");
}

TEST(CircuitLatency, FiguresAreThePublishedOnes) {
  for (const bool lesioned : {false, true}) {
    const Lesion lesion = lesioned ? Lesion{.dropped = {"ON_inh"}} : Lesion{};
    const auto [shown, responses] = shown_to("latency", LatencyProbe{}, lesion);
    const auto f = stimulus::measure_latency(shown, responses, screen, resting_rate(circuit("latency")));
    const json& target = targets()["latency"][lesioned ? "lesion drop=ON_inh" : "main"];
    expect_close(f.contrast, target["contrast"], 0, "contrast");
    expect_close(f.latency_ms, target["latency_ms"], ms_floor, "latency");
    expect_close(f.centroid_ms, target["centroid_ms"], ms_floor, "centroid");
    expect_close(f.peak_hz, target["peak_hz"], hz_floor, "peak");
    expect_close(f.total_shift_ms, target["total_shift_ms"], ms_floor, "shift");
    EXPECT_EQ(f.overall, Presence::present);
    if (lesioned) continue;  // equal to 0.1 us, so that their order is rounding
    EXPECT_EQ(f.monotonic, 1);
  }
}

}  // namespace
}  // namespace amacrine::recording
