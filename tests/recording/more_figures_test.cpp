// SPDX-License-Identifier: Apache-2.0
// Every figure of no_phenomenon, three_in_one and two_layers in tests/data/more_circuit_figures.json.
#include "circuit_support.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace amacrine::recording {
namespace {

using nlohmann::json;
using namespace published;
using test::centre;
using test::screen;

constexpr const char* cells[] = {"no_phenomenon", "three_in_one", "two_layers"};

const json& target_of(const std::string& cell) {
  static const json all = test_data("more_circuit_figures.json");
  return all.at(cell);
}

/// Null: there was nothing to be measured, and nothing is compared.
void expect_number(double ours, const json& target, double floor, const std::string& what) {
  if (!target.is_null()) expect_close(ours, target.get<double>(), floor, what);
}

struct Probes {
  stimulus::OsrProbe osr;
  stimulus::LatencyProbe latency;
  stimulus::ReversalProbe reversal;
  stimulus::AnticipationProbe anticipation;
};

/// As the figures were measured: `sign` -1 turns every contrast. Reversals at `positions` rising by `step` px.
Probes probes_of(const json& said, double sign, double step) {
  Probes p;
  stimulus::named_probe(stimulus::ParameterSet::circuits, p.anticipation);
  p.osr.contrast = sign * said.value("osr_contrast", -2.0);
  for (double& contrast : p.latency.contrasts) contrast = sign * said.value("latency_sign", -1) * std::abs(contrast);
  p.anticipation.contrast = sign * said.value("ant_contrast", -2.0);
  p.reversal.contrast = sign * said.value("rev_contrast", -2.5);
  p.reversal.speed = said.value("rev_speed", 0.25);
  p.reversal.positions_px.clear();
  const double largest = said.value("rev_R", 1.5);
  for (double px = -largest; px <= largest; px += step) p.reversal.positions_px.push_back(px);
  return p;
}

template <class Probe>
auto measured(const Circuit& cell, const Probe& probe, const Lesion& lesion) {
  const auto shown = stimulus::conditions(probe, screen);
  const auto responses = respond_all(cell, shown, lesion);
  if constexpr (std::is_same_v<Probe, stimulus::OsrProbe>)
    return stimulus::measure_osr(shown, responses, screen, 0);
  else if constexpr (std::is_same_v<Probe, stimulus::LatencyProbe>)
    return stimulus::measure_latency(shown, responses, screen, 0);
  else if constexpr (std::is_same_v<Probe, stimulus::ReversalProbe>)
    return stimulus::measure_reversal(shown, responses, screen, 0);
  else
    return stimulus::measure_anticipation(shown, responses, screen, 0);
}

/// The few numbers in which lesions and other contrasts are given.
void expect_summary(const Circuit& cell, const Probes& probes, const json& target, const Lesion& lesion,
                    const std::string& what) {
  if (target.contains("osr")) {
    const auto f = measured(cell, probes.osr, lesion);
    expect_number(f.slope, target["osr"]["slope"], 0, what + ": slope");
    expect_number(f.min_ratio, target["osr"]["min_ratio"], 0, what + ": ratio");
    expect_number(*std::min_element(f.osr_hz.begin(), f.osr_hz.end()), target["osr"]["min_osr_hz"], hz_floor, what + ": OSR");
  }
  if (target.contains("latency")) {
    const auto f = measured(cell, probes.latency, lesion);
    expect_number(f.total_shift_ms, target["latency"]["shift_ms"], ms_floor, what + ": shift");
    expect_number(f.peak_hz.back(), target["latency"]["last_peak_hz"], hz_floor, what + ": last peak");
  }
  if (target.contains("anticipation")) {
    const auto f = measured(cell, probes.anticipation, lesion);
    const json& t = target["anticipation"];
    expect_number(f.directions[0].ahead_um, t["ahead_right_um"], um_floor, what + ": ahead, rightward");
    expect_number(f.directions[1].ahead_um, t["ahead_left_um"], um_floor, what + ": ahead, leftward");
    for (std::size_t d = 0; d < 2; ++d) expect_number(f.directions[d].peak_hz, t["moving_hz"][d], hz_floor, what + ": moving");
    expect_number(f.flash_peak_hz, t["flash_hz"], hz_floor, what + ": flashed");
  }
  if (target.contains("reversal")) {
    const auto f = measured(cell, probes.reversal, lesion);
    const json& t = target["reversal"];
    expect_number(f.ratio, t["burst_over_smooth"], 0, what + ": burst over smooth");
    expect_number(f.burst_min_hz, t["burst_min_hz"], hz_floor, what + ": burst");
    expect_number(f.smooth_peak_hz, t["smooth_hz"], hz_floor, what + ": smooth");
    expect_number(f.latency_mean_ms, t["latency_ms"], ms_floor, what + ": latency");
    expect_number(f.latency_sd_ms, t["latency_sd_ms"], ms_floor, what + ": sd");
  }
}

void expect_osr(const stimulus::OsrFigures& f, const json& t, const std::string& what) {
  expect_close(f.period_ms, t["period_ms"], 0, what + " period");
  expect_close(f.latency_ms, t["latency_ms"], ms_floor, what + " latency");
  expect_close(f.centroid_ms, t["centroid_ms"], ms_floor, what + " centroid");
  expect_close(f.osr_hz, t["osr_hz"], hz_floor, what + " OSR");
  expect_close(f.ongoing_hz, t["ongoing_hz"], hz_floor, what + " ongoing");
  expect_close(f.latency_from_omitted_ms, t["latency_from_omitted_ms"], ms_floor, what + " from omitted");
  expect_number(f.slope, t["slope"], 0, what + " slope");
  expect_number(f.slope_centroid, t["slope_centroid"], 0, what + " centroid slope");
  expect_number(f.max_deviation_ms, t["max_dev_from_line_ms"], ms_floor, what + " deviation");
  expect_number(f.min_ratio, t["min_ratio"], 0, what + " ratio");
}

void expect_anticipation(const stimulus::AnticipationFigures& f, const json& t, const std::string& what) {
  for (const auto& [d, key] : {std::pair{f.directions.at(0), "right"}, {f.directions.at(1), "left"}}) {
    expect_number(d.peak_um, t[key]["peak_um"], um_floor, what + key + " peak position");
    expect_number(d.centroid_um, t[key]["centroid_um"], um_floor, what + key + " centroid");
    expect_number(d.peak_hz, t[key]["peak_hz"], hz_floor, what + key + " peak");
    expect_number(d.rate_at_centre_hz, t[key]["rate_at_centre_hz"], hz_floor, what + key + " at centre");
    expect_number(d.ahead_um, t[key]["ahead_of_flash_profile_um"], um_floor, what + key + " ahead");
  }
  expect_close(f.flash_position_um, t["flash"]["position_um"], um_floor, what + " flash position");
  expect_close(f.flash_hz, t["flash"]["peak_hz"], hz_floor, what + " flash profile");
  expect_number(f.flash_centre_um, t["flash"]["profile_centre_um"], um_floor, what + " profile centre");
  expect_number(f.flash_peak_um, t["flash"]["peak_at_um"], um_floor, what + " profile top");
  expect_number(f.flash_time_to_peak_ms, t["flash"]["time_to_peak_ms"], ms_floor, what + " time to peak");
}

void expect_reversal(const stimulus::ReversalFigures& f, const json& t, const std::string& what) {
  expect_close(f.latency_ms, t["latency_ms"], ms_floor, what + " latency");
  expect_close(f.burst_hz, t["burst_each_hz"], hz_floor, what + " burst");
  expect_number(f.latency_mean_ms, t["latency_mean_ms"], ms_floor, what + " mean latency");
  expect_number(f.latency_sd_ms, t["latency_sd_ms"], ms_floor, what + " sd");
  expect_close({f.burst_min_hz, f.burst_mean_hz, f.burst_max_hz}, t["burst_hz"], hz_floor, what + " bursts");
  expect_number(f.smooth_peak_hz, t["smooth_peak_hz"], hz_floor, what + " smooth");
  expect_number(f.smooth_at_burst_hz, t["smooth_rate_at_burst_time_hz_max"], hz_floor, what + " smooth at burst");
  expect_number(f.before_reversal_hz, t["before_reversal_peak_hz_max"], hz_floor, what + " before");
  expect_number(f.ratio, t["burst_over_smooth_peak_min"], 0, what + " ratio");
}

TEST(FullMoreFigures, OfTheFourPhenomenaInEitherContrast) {
  for (const std::string name : cells) {
    const Circuit& cell = circuit(name);
    const json &target = target_of(name), &tests = target["tests"];
    const Probes probes = probes_of(target["probe"], 1, 0.5);
    expect_close(resting_rate(cell), target["resting_hz"].get<double>(), 1e-3, name + " at rest");
    expect_osr(measured(cell, probes.osr, {}), tests["osr"], name);
    const auto latency = measured(cell, probes.latency, {});
    expect_close(latency.contrast, tests["latency"]["contrast"], 0, name + " contrast");
    expect_close(latency.latency_ms, tests["latency"]["latency_ms"], ms_floor, name + " latency");
    expect_close(latency.centroid_ms, tests["latency"]["centroid_ms"], ms_floor, name + " centroid");
    expect_close(latency.peak_hz, tests["latency"]["peak_hz"], hz_floor, name + " peak");
    expect_number(latency.total_shift_ms, tests["latency"]["total_shift_ms"], ms_floor, name + " shift");
    expect_anticipation(measured(cell, probes.anticipation, {}), tests["anticipation"], name);
    expect_reversal(measured(cell, probes.reversal, {}), tests["reversal"], name);
    Probes turned = probes_of(target["probe"], -1, 1);
    turned.reversal.directions = {1};
    expect_summary(cell, turned, target["opposite_contrast"], {}, name + " in the other contrast");
  }
}

/// The circuit with a unit of either layer held at what it does on grey.
void clamp(Circuit& cell, const std::string& name) {
  for (CircuitUnit& unit : cell.units)
    if (unit.name == name) unit.polarity = 0;  // no drive
  for (SecondUnit& unit : cell.second) {
    if (unit.name != name) continue;
    double grey = unit.bias;
    for (std::size_t u = 0; u < cell.units.size(); ++u) grey += unit.weights[u] * std::max(0.0, cell.units[u].bias);
    unit.bias = std::max(0.0, grey);
    std::fill(unit.weights.begin(), unit.weights.end(), 0.0);
  }
}

TEST(FullMoreFigures, OfLesions) {
  for (const std::string name : cells) {
    const json& target = target_of(name);
    const Probes probes = probes_of(target["probe"], 1, 1);
    for (const auto& [key, wanted] : target["lesions"].items()) {
      Circuit cell = circuit(name);
      Lesion lesion;
      std::istringstream units(key.substr(0, key.find(' ')));
      if (key.starts_with("all ")) {
        lesion.linear = {"all"};
      } else {
        for (std::string unit; std::getline(units, unit, '+');) {
          if (key.ends_with(" zero"))
            lesion.dropped.push_back(unit);
          else
            clamp(cell, unit);
        }
      }
      expect_summary(cell, probes, wanted, lesion, name + ", " + key);
    }
  }
}

TEST(FullMoreFigures, OfParametersHeldOut) {
  const Circuit& three = circuit("three_in_one");
  const json& target = target_of("three_in_one");
  const Probes probes = probes_of(target["probe"], 1, 1);
  Probes other = probes;
  for (other.osr.periods_ms = {}; other.osr.periods_ms.size() < 12;)
    other.osr.periods_ms.push_back(50 + 10.0 * static_cast<double>(other.osr.periods_ms.size()));
  expect_osr(measured(three, other.osr, {}), target["held_out"]["periods_50_to_160_ms"], "50 to 160 ms");
  for (const double contrast : {-1.5, -2.5}) {
    other = probes;
    other.osr.contrast = contrast;
    const std::string key = contrast > -2 ? "contrast_-1.5" : "contrast_-2.5";
    expect_summary(three, other, {{"osr", target["held_out"][key]}}, {}, key);
  }
  for (const auto& [unit, figures] : target["linear_each"].items())
    expect_summary(three, probes, {{"osr", figures}}, {.linear = {unit}}, "linear " + unit);
  for (const auto& [speed, figures] : target["held_out"]["speeds"].items()) {
    other = probes;
    other.anticipation.speed = std::stod(speed);
    expect_summary(three, other, {{"anticipation", figures}}, {}, "speed " + speed);
  }
  for (const auto& [key, figures] : target_of("two_layers")["held_out"]["reversal"].items()) {
    stimulus::ReversalProbe probe = probes_of(target_of("two_layers")["probe"], 1, 1).reversal;
    probe.directions = {1};
    const double value = std::stod(key.substr(key.find(' ')));
    (key.starts_with("speed") ? probe.speed : key.starts_with("width") ? probe.width : probe.contrast) = value;
    const auto f = measured(circuit("two_layers"), probe, {});
    expect_number(f.latency_mean_ms, figures["latency_mean_ms"], ms_floor, key + " latency");
    expect_number(f.latency_sd_ms, figures["latency_sd_ms"], ms_floor, key + " sd");
    expect_close({f.burst_min_hz, f.burst_mean_hz, f.burst_max_hz}, figures["burst_hz"], hz_floor, key + " bursts");
    expect_number(f.smooth_peak_hz, figures["smooth_peak_hz"], hz_floor, key + " smooth");
    expect_number(f.ratio, figures["burst_over_smooth_peak_min"], 0, key + " ratio");
  }
}

TEST(FullMoreFigures, OfTheReceptiveField) {
  double weight = 0, moment = 0;
  for (const CircuitUnit& unit : circuit("two_layers").units) {
    if (!unit.excitatory) continue;
    const std::vector<double> g = unit.spatial(screen, centre);
    for (std::size_t i = 0; i < g.size(); ++i) {
      const double x = static_cast<double>(i % 50) - centre.x;
      weight += g[i];
      moment += g[i] * x * x;
    }
  }
  EXPECT_NEAR(std::sqrt(moment / weight), target_of("two_layers")["rf_radius_1sd_px"].get<double>(), 1e-4);
}

}  // namespace
}  // namespace amacrine::recording
