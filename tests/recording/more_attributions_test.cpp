// SPDX-License-Identifier: Apache-2.0
// Every exact attribution of no_phenomenon, three_in_one and two_layers in tests/data/more_circuit_figures.json.
#include "circuit_support.hpp"

#include <cmath>

namespace amacrine::recording {
namespace {

using nlohmann::json;
using namespace published;
using test::centre;
using test::screen;

using Movie = core::Array<float, 3>;

Movie rendered(const stimulus::Condition& condition) { return stimulus::render(condition, screen, centre).contrast; }

/// Six digits are published.
void expect_all(const std::vector<double>& ours, const json& target, double floor, const std::string& what) {
  ASSERT_EQ(ours.size(), target.size()) << what;
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_TRUE(std::abs(ours[i] - target[i].get<double>()) <= 1e-3 * std::abs(target[i].get<double>()) + floor)
        << what << " " << i << ": " << ours[i] << ", target " << target[i];
}

void expect_row(const Circuit& cell, const Movie& movie, const json& t, const std::string& what) {
  const CircuitAttribution a = attribute(cell, movie, screen, centre, t["frame"].get<std::size_t>(), 1000);
  expect_all(a.drive, t["drive"], 1e-5, what + " drive");
  expect_all(a.activity, t["hidden"], 1e-5, what + " activity");
  expect_all(a.attribution_hz, t["attribution_hz"], 0.01, what + " attribution");
  expect_all({a.rate_hz, a.rate_grey_hz}, json::array({t["rate_hz"], t["rate_grey_hz"]}), 1e-3, what + " rate, grey");
  EXPECT_TRUE(std::abs(a.completeness_error_hz) <= 1e-4) << what;
  std::vector<double> grey;
  for (const CircuitUnit& unit : cell.units) grey.push_back(std::max(0.0, unit.bias));
  expect_all(grey, t["hidden_grey"], 1e-5, what + " activity on grey");
  if (t.contains("contribution_hz")) expect_all(a.contribution_hz, t["contribution_hz"], 1e-3, what + " contribution");
}

void expect_rows(const Circuit& cell, const Movie& movie, const json& t, const std::string& what) {
  const auto first = t["frame_from"].get<std::size_t>();
  for (std::size_t i = 0; i < t["rate_hz"].size(); ++i) {
    const std::string frame = what + " frame " + std::to_string(first + i);
    const CircuitAttribution a = attribute(cell, movie, screen, centre, first + i, 1000);
    expect_all({a.rate_hz}, json::array({t["rate_hz"][i]}), 1e-3, frame + " rate");
    expect_all(a.attribution_hz, t["attribution_hz"][i], 0.01, frame + " attribution");
    expect_all(a.drive, t["drive"][i], 1e-5, frame + " drive");
  }
}

void expect_bars(const Circuit& cell, const json& target, double contrast) {
  stimulus::AnticipationProbe probe;
  probe.contrast = contrast;
  const auto shown = stimulus::conditions(probe, screen);
  for (const auto& condition : shown) {
    if (condition.family != stimulus::Family::moving_bar) continue;
    const std::string direction = condition.parameter("direction") > 0 ? "rightward" : "leftward";
    const json &peak = target["anticipation_" + direction], &trace = target["anticipation_trace_" + direction];
    const Movie movie = rendered(condition);
    EXPECT_NEAR(condition.bar_px[peak["frame"].get<std::size_t>()], peak["bar_px"].get<double>(), 1e-4);
    expect_row(cell, movie, peak, cell.name + " bar " + direction);
    expect_rows(cell, movie, trace, cell.name + " bar " + direction);
    for (std::size_t i = 0; i < trace["bar_px"].size(); ++i)
      EXPECT_NEAR(condition.bar_px[trace["frame_from"].get<std::size_t>() + i], trace["bar_px"][i].get<double>(), 1e-4);
  }
}

void expect_reversals(const Circuit& cell, const json& target, const json& probe_said) {
  for (const auto& [position, row] : target.items()) {
    stimulus::ReversalProbe probe;
    probe.contrast = probe_said["rev_contrast"].get<double>();
    probe.directions = {1};
    probe.positions_px = {std::stod(position)};
    expect_row(cell, rendered(stimulus::conditions(probe, screen)[0]), row, cell.name + " reversal at " + position);
  }
}

TEST(FullMoreAttributions, OfOneLayer) {
  const json all = test_data("more_circuit_figures.json");
  for (const std::string name : {"no_phenomenon", "three_in_one"}) {
    const Circuit& cell = circuit(name);
    const json &target = all[name]["attribution"], &probe = all[name]["probe"];
    stimulus::OsrProbe osr;
    osr.contrast = probe["osr_contrast"].get<double>();
    for (const auto& condition : stimulus::conditions(osr, screen)) {
      const std::string period = std::to_string(std::lround(condition.parameter("period_ms")));
      const Movie movie = rendered(condition);
      EXPECT_EQ(condition.event("last_flash"), target["osr"][period]["last_flash_frame"]);
      expect_row(cell, movie, target["osr"][period], name + " train of " + period + " ms");
      if (period == "100") expect_rows(cell, movie, target["osr_trace_period_100"], name + " train");
    }
    const int sign = probe["latency_sign"].get<int>();
    stimulus::LatencyProbe flashes;
    flashes.contrasts = {0.5 * sign, 1.0 * sign, 2.0 * sign, 3.0 * sign};
    for (const auto& condition : stimulus::conditions(flashes, screen)) {
      const std::string contrast = fmt::format("{:+g}", condition.parameter("contrast"));
      const Movie movie = rendered(condition);
      expect_row(cell, movie, target["latency"][contrast], name + " flash " + contrast);
      if (std::abs(condition.parameter("contrast")) == 2)
        expect_rows(cell, movie, target["latency_trace_" + contrast], name + " flash");
    }
    expect_bars(cell, target, probe.value("ant_contrast", -2.0));
    if (target.contains("reversal")) expect_reversals(cell, target["reversal"], probe);
  }
}

TEST(FullMoreAttributions, OfTwoLayers) {
  const json all = test_data("more_circuit_figures.json")["two_layers"];
  const Circuit& cell = circuit("two_layers");
  expect_reversals(cell, all["attribution"]["reversal"], all["probe"]);
  stimulus::ReversalProbe probe;
  probe.contrast = all["probe"]["rev_contrast"].get<double>();
  probe.directions = {1};
  probe.positions_px = {0};
  const auto shown = stimulus::conditions(probe, screen);
  const json& weights = all["effective_weight"];
  for (const auto& [key, condition] : {std::pair{"reversal", shown[0]}, {"smooth", shown[1]}}) {
    const Movie movie = rendered(condition);
    expect_rows(cell, movie, weights[key]["trace"], std::string("two layers, ") + key);
    expect_row(cell, movie, weights[std::string(key) == "smooth" ? "attribution_at_smooth_peak" : "attribution_at_burst"], key);
  }
}

}  // namespace
}  // namespace amacrine::recording
