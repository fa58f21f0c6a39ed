// SPDX-License-Identifier: Apache-2.0
// The circuits without any and with three phenomena against figures of an independent program.
#include "presence_support.hpp"

namespace amacrine::recording {
namespace {

using namespace presence;
using test::centre;

const nlohmann::json& more_targets() {
  static const nlohmann::json all = [] {
    const char* folder = std::getenv("AMACRINE_TEST_DATA");
    std::ifstream file(std::string(folder ? folder : "tests/data") + "/more_circuit_targets.json");
    return nlohmann::json::parse(file);
  }();
  return all;
}

/// NaN where the file says null: such figures are not compared.
void expect_figure(double ours, const nlohmann::json& target, double floor, const std::string& what) {
  if (!target.is_null()) expect_close(ours, target.get<double>(), floor, what);
}

void expect_figures(const Circuit& cell, const nlohmann::json& probe, const nlohmann::json& target, const Lesion& lesion) {
  const int osr_contrast = probe["osr_contrast"].get<double>() > 0 ? 1 : -1, sign = probe["latency_sign"].get<int>();
  const auto trains = catalogue(osr_contrast), others = catalogue(sign);
  const auto osr = stimulus::measure_osr(trains, respond_all(cell, trains, lesion), screen, 0);
  const CellResponses responses = respond_all(cell, others, lesion);
  const auto latency = stimulus::measure_latency(others, responses, screen, 0);
  const auto ahead = stimulus::measure_anticipation(others, responses, screen, 0);
  expect_figure(osr.slope, target["osr"]["slope"], 0, "slope");
  expect_figure(*std::min_element(osr.osr_hz.begin(), osr.osr_hz.end()), target["osr"]["min_osr_hz"], hz_floor, "smallest OSR");
  expect_figure(latency.total_shift_ms, target["latency"]["shift_ms"], ms_floor, "shift");
  expect_figure(latency.peak_hz.back(), target["latency"]["last_peak_hz"], hz_floor, "last peak");
  expect_figure(ahead.directions[0].ahead_um, target["anticipation"]["ahead_right_um"], um_floor, "ahead, rightward");
  expect_figure(ahead.directions[1].ahead_um, target["anticipation"]["ahead_left_um"], um_floor, "ahead, leftward");
  expect_figure(ahead.directions[0].peak_hz, target["anticipation"]["moving_hz"][0], hz_floor, "moving peak");
}

TEST(MoreCircuits, FiguresAndLesionsAreThePublishedOnes) {
  for (const std::string name : {"no_phenomenon", "three_in_one"}) {
    const nlohmann::json& target = more_targets()[name];
    SCOPED_TRACE(name);
    expect_figures(circuit(name), target["probe"], target["figures"], {});
    for (const CircuitUnit& unit : circuit(name).units) {
      SCOPED_TRACE("without " + unit.name);
      expect_figures(circuit(name), target["probe"], target["lesions"][unit.name + " zero"], {.dropped = {unit.name}});
    }
  }
}

TEST(MoreCircuits, AttributionsAreThePublishedOnes) {
  for (const std::string name : {"no_phenomenon", "three_in_one"}) {
    const nlohmann::json& trace = more_targets()[name]["latency_trace"];
    stimulus::LatencyProbe probe;
    probe.contrasts = {trace["contrast"].get<double>()};
    const auto movie = stimulus::render(stimulus::conditions(probe, screen)[0], screen, centre).contrast;
    for (std::size_t i = 0; i < trace["rate_hz"].size(); i += 2) {
      const CircuitAttribution a = attribute(circuit(name), movie, screen, centre, trace["frame_from"].get<std::size_t>() + i);
      const std::string what = name + " frame " + std::to_string(i);
      expect_close(a.rate_hz, trace["rate_hz"][i].get<double>(), 1e-3, what + " rate");
      expect_close(a.attribution_hz, trace["attribution_hz"][i], 1e-3, what + " attribution");
    }
  }
}

}  // namespace
}  // namespace amacrine::recording
