// SPDX-License-Identifier: Apache-2.0
// The circuit of two rectifying layers against figures of an independent program (tests/data/more_circuit_targets.json).
#include "circuit_support.hpp"

namespace amacrine::recording {
namespace {

using namespace published;
using test::centre;
using test::screen;

const nlohmann::json& two_layer_targets() {
  static const nlohmann::json all = [] {
    const char* folder = std::getenv("AMACRINE_TEST_DATA");
    std::ifstream file(std::string(folder ? folder : "tests/data") + "/more_circuit_targets.json");
    return nlohmann::json::parse(file)["two_layers"];
  }();
  return all;
}

/// A bright bar that turns at -2 ... 2 px in steps of `step` px.
stimulus::ReversalProbe bright_bar(double step) {
  stimulus::ReversalProbe probe;
  probe.contrast = two_layer_targets()["probe"]["rev_contrast"].get<double>();
  probe.speed = two_layer_targets()["probe"]["rev_speed"].get<double>();
  probe.positions_px.clear();
  for (double px = -2; px <= 2; px += step) probe.positions_px.push_back(px);
  return probe;
}

stimulus::ReversalFigures burst(const stimulus::ReversalProbe& probe, const Lesion& lesion = {}) {
  const auto shown = stimulus::conditions(probe, screen);
  return stimulus::measure_reversal(shown, respond_all(circuit("two_layers"), shown, lesion), screen,
                                    resting_rate(circuit("two_layers")));
}

TEST(FullTwoLayers, BurstIsThePublishedOne) {
  const nlohmann::json& target = two_layer_targets()["reversal"];
  const stimulus::ReversalFigures f = burst(bright_bar(0.5));
  expect_close(f.latency_ms, target["latency_ms"], ms_floor, "latency");
  expect_close(f.burst_hz, target["burst_each_hz"], hz_floor, "burst");
  expect_close(f.latency_mean_ms, target["latency_mean_ms"].get<double>(), ms_floor, "mean latency");
  expect_close(f.latency_sd_ms, target["latency_sd_ms"].get<double>(), ms_floor, "sd");
  expect_close(f.smooth_peak_hz, target["smooth_peak_hz"].get<double>(), hz_floor, "smooth");
  expect_close(f.smooth_at_burst_hz, target["smooth_rate_at_burst_time_hz_max"].get<double>(), hz_floor, "smooth at burst");
  expect_close(f.before_reversal_hz, target["before_reversal_peak_hz_max"].get<double>(), hz_floor, "before");
  expect_close(f.ratio, target["burst_over_smooth_peak_min"].get<double>(), 0, "ratio");
  expect_close(resting_rate(circuit("two_layers")), target["resting_hz"].get<double>(), 1e-4, "rest");
  EXPECT_EQ(stimulus::reported(f).overall, stimulus::Presence::present);
}

TEST(FullTwoLayers, LesionsOfEitherLayerAreThePublishedOnes) {
  const auto expect_lesion = [](const std::string& key, const Lesion& lesion) {
    const nlohmann::json& target = two_layer_targets()["lesions"][key];
    const stimulus::ReversalFigures f = burst(bright_bar(1.0), lesion);
    expect_close(f.burst_min_hz, target["burst_min_hz"].get<double>(), hz_floor, key + ": burst");
    expect_close(f.smooth_peak_hz, target["smooth_hz"].get<double>(), hz_floor, key + ": smooth");
    expect_close(f.ratio, target["burst_over_smooth"].get<double>(), 0, key + ": ratio");
    expect_close(f.latency_sd_ms, target["latency_sd_ms"].get<double>(), ms_floor, key + ": sd");
    // Without one unit of the second layer the bar that turns in one of the two directions still brings a burst.
    if (key[0] != 'M') {
      EXPECT_NE(stimulus::reported(f).overall, stimulus::Presence::present) << key;
    }
  };
  for (const std::string unit : {"E_left", "E_right", "I_left", "I_right", "M_left", "M_right"})
    expect_lesion(unit + " zero", {.dropped = {unit}});
  expect_lesion("I_left+I_right zero", {.dropped = {"I_left", "I_right"}});
  expect_lesion("all rectifiers removed", {.linear = {"all"}});
}

// Frame by frame through a reversal and the bar that goes on, where the weight of E changes its sign.
TEST(FullTwoLayers, AttributionsAreThePublishedOnes) {
  stimulus::ReversalProbe probe = bright_bar(0.5);
  probe.positions_px = {0};
  probe.directions = {1};
  const auto shown = stimulus::conditions(probe, screen);
  for (const auto& [key, condition] : {std::pair{"reversal_trace", shown[0]}, {"smooth_trace", shown[1]}}) {
    const nlohmann::json& trace = two_layer_targets()[key];
    const auto movie = stimulus::render(condition, screen, centre).contrast;
    for (std::size_t i = 0; i < trace["rate_hz"].size(); i += 3) {
      const std::size_t frame = trace["frame_from"].get<std::size_t>() + i;
      const CircuitAttribution a = attribute(circuit("two_layers"), movie, screen, centre, frame, 1000);
      const std::string what = std::string(key) + " frame " + std::to_string(frame);
      expect_close(a.rate_hz, trace["rate_hz"][i].get<double>(), 1e-3, what + " rate");
      expect_close(a.attribution_hz, trace["attribution_hz"][i], 1e-2, what + " attribution");
      EXPECT_NEAR(a.completeness_error_hz, 0.0, 1e-4) << what;
    }
  }
}

}  // namespace
}  // namespace amacrine::recording
