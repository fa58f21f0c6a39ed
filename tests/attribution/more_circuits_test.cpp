// SPDX-License-Identifier: Apache-2.0
// The engine on no_phenomenon, three_in_one and two_layers as networks: attribution A, weights G (paper Eq. 2) and D of every
// channel against tests/data/more_circuit_figures.json, computed apart from this program by a fine rule in double.
#include "amacrine/attribution/block.hpp"
#include "amacrine/model/circuit_network.hpp"
#include "recording/circuit_support.hpp"

#include <cmath>

namespace amacrine::attribution {
namespace {

using nlohmann::json;
using recording::published::test_data;
using test::centre;
using test::screen;

/// NaN, and null in the file: undefined, as D is where the response does not change.
void expect_same(double ours, const json& target, const std::string& what) {
  if (target.is_null()) {
    EXPECT_TRUE(std::isnan(ours)) << what << ": " << ours;
  } else {
    const double wanted = target.get<double>();
    EXPECT_TRUE(std::abs(ours - wanted) <= 2e-3 * std::abs(wanted) + 5e-3) << what << ": " << ours << ", target " << wanted;
  }
}

class Engine {
 public:
  explicit Engine(const std::string& circuit)
      : two_layers_(circuit == "two_layers"),
        attributor_(
            core::Exec(),
            model::make_inference<double>(model::make_circuit_model({{circuit, recording::circuit(circuit), centre}}, screen)),
            fine()) {}

  void expect_row(const stimulus::Condition& condition, const json& row, const std::string& what) {
    const auto movie = stimulus::render(condition, screen, centre).contrast;
    const Block& block = attributor_.attribute(movie, row["frame"].get<std::size_t>(), 1, {0});
    const LevelFigures figures = channel_level(block);
    expect_same(block.rate(0, 0), row["rate_hz"], what + " rate");
    for (std::size_t c = 0; c < row["attribution_hz"].size(); ++c) {
      const std::string channel = what + ", channel " + std::to_string(c);
      expect_same(figures.attribution[c], row["attribution_hz"][c], channel + " A");
      expect_same(figures.downstream_weight[c], row["effective_G_hz"][c], channel + " G");
      // Of two layers a channel has many units, and its D is a mean over those that change anything.
      if (!two_layers_) expect_same(figures.response_weight[c], row["D_hz"][c], channel + " D");
    }
  }

 private:
  static AttributionSettings fine() {
    AttributionSettings settings;
    settings.panels = 1000;
    return settings;
  }
  bool two_layers_;
  BlockAttributor<double> attributor_;
};

TEST(FullMoreCircuits, HaveTheirWeightsAtEveryPeak) {
  const json all = test_data("more_circuit_figures.json");
  for (const std::string name : {"no_phenomenon", "three_in_one"}) {
    Engine engine(name);
    const json &target = all[name]["attribution"], &probe = all[name]["probe"];
    stimulus::OsrProbe osr;
    osr.contrast = probe["osr_contrast"].get<double>();
    for (const auto& condition : stimulus::conditions(osr, screen))
      engine.expect_row(condition, target["osr"][std::to_string(std::lround(condition.parameter("period_ms")))],
                        name + " " + condition.name);
    stimulus::LatencyProbe flashes;
    for (const auto& [contrast, row] : target["latency"].items()) {
      flashes.contrasts = {std::stod(contrast)};
      engine.expect_row(stimulus::conditions(flashes, screen)[0], row, name + " flash " + contrast);
    }
    stimulus::AnticipationProbe bars;
    bars.contrast = probe.value("ant_contrast", -2.0);
    for (const auto& condition : stimulus::conditions(bars, screen))
      if (condition.family == stimulus::Family::moving_bar)
        engine.expect_row(condition,
                          target[condition.parameter("direction") > 0 ? "anticipation_rightward" : "anticipation_leftward"],
                          name + " " + condition.name);
  }
}

TEST(FullMoreCircuits, HaveTheirWeightsAtEveryReversal) {
  const json all = test_data("more_circuit_figures.json");
  for (const std::string name : {"no_phenomenon", "two_layers"}) {
    Engine engine(name);
    stimulus::ReversalProbe probe;
    probe.contrast = all[name]["probe"]["rev_contrast"].get<double>();
    probe.directions = {1};
    for (const auto& [position, row] : all[name]["attribution"]["reversal"].items()) {
      probe.positions_px = {std::stod(position)};
      engine.expect_row(stimulus::conditions(probe, screen)[0], row, name + " reversal at " + position);
    }
    if (name != "two_layers") continue;
    probe.positions_px = {0};
    const auto shown = stimulus::conditions(probe, screen);
    engine.expect_row(shown[1], all[name]["effective_weight"]["attribution_at_smooth_peak"], "the bar that goes on");
  }
}

}  // namespace
}  // namespace amacrine::attribution
