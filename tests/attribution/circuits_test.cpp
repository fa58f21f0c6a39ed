// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/block.hpp"
#include "amacrine/model/circuit_network.hpp"
#include "amacrine/stimulus/catalogue.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

/// The planted circuits as networks, against their exact attributions: integrals of the published circuit equations in double by
/// 4,000 steps, computed apart from this program and rounded to 1e-4 Hz.
namespace amacrine::attribution {
namespace {

using stimulus::Condition;
using Parameters = std::map<std::string, double>;

const Condition& shown(stimulus::Family family, const Parameters& parameters) {
  static const std::vector<Condition> all = stimulus::catalogue(stimulus::ProbeSettings{}, stimulus::Screen{});
  for (const Condition& condition : all) {
    bool same = condition.family == family;
    for (const auto& [name, value] : parameters) same = same && std::abs(condition.parameter(name) - value) < 1e-9;
    if (same) return condition;
  }
  throw core::Error("the catalogue lacks a condition of this test");
}

struct ExactTarget {
  stimulus::Family family;
  Parameters parameters;
  std::size_t frame;
  std::vector<double> attribution;
  double rate, grey;
};

/// Largest departure of a circuit's channel attributions, rate and grey rate from the targets, in Hz.
template <class S>
double worst(const std::string& circuit, const std::vector<ExactTarget>& targets) {
  const stimulus::Screen screen;
  const stimulus::Centre centre;
  const model::Model model = model::make_circuit_model({{circuit, recording::circuit(circuit), centre}}, screen);
  AttributionSettings settings;
  settings.panels = 2000;
  BlockAttributor<S> attributor(core::Exec(), model::make_inference<S>(model), settings);
  double largest = 0;
  for (const ExactTarget& target : targets) {
    const stimulus::Stimulus movie = stimulus::render(shown(target.family, target.parameters), screen, centre);
    const Block& block = attributor.attribute(movie.contrast, target.frame, 1, {0});
    std::vector<double> found{block.rate(0, 0), block.baseline_rate(0, 0)}, expected{target.rate, target.grey};
    for (std::size_t c = 0; c < target.attribution.size(); ++c) {
      found.push_back(block.attribution(0, 0, c, 0));
      expected.push_back(target.attribution[c]);
    }
    largest = std::max(largest, test::absolute_error(found, expected));
  }
  return largest;
}

const std::vector<ExactTarget> osr{
    {stimulus::Family::osr, {{"period_ms", 60}}, 138, {29.6665, 14.9230, 38.7324}, 83.3219, 0.0001},
    {stimulus::Family::osr, {{"period_ms", 80}}, 162, {27.2842, 13.9361, 18.7534}, 59.9738, 0.0001},
    {stimulus::Family::osr, {{"period_ms", 100}}, 186, {23.6712, 12.1337, 8.3604}, 44.1655, 0.0001},
    {stimulus::Family::osr, {{"period_ms", 120}}, 210, {22.5672, 9.1845, 1.1712}, 32.9229, 0.0001},
    {stimulus::Family::osr, {{"period_ms", 140}}, 233, {21.3374, 8.0468, 0.0}, 29.3842, 0.0001}};
const std::vector<ExactTarget> osr_alt{
    {stimulus::Family::osr, {{"period_ms", 60}}, 139, {23.2744, 30.3455, 24.9193}, 78.5398, 0.0006},
    {stimulus::Family::osr, {{"period_ms", 80}}, 163, {24.3793, 22.1660, 9.0941}, 55.6400, 0.0006},
    {stimulus::Family::osr, {{"period_ms", 100}}, 187, {22.6338, 16.8060, 0.0415}, 39.4819, 0.0006},
    {stimulus::Family::osr, {{"period_ms", 120}}, 211, {19.9422, 11.9275, 0.0}, 31.8704, 0.0006},
    {stimulus::Family::osr, {{"period_ms", 140}}, 234, {18.2979, 9.6836, 0.0}, 27.9821, 0.0006}};
const std::vector<ExactTarget> latency{{stimulus::Family::latency, {{"contrast", -0.5}}, 57, {9.8551, 0.0}, 10.1016, 0.2464},
                                       {stimulus::Family::latency, {{"contrast", -1}}, 54, {24.0058, -1.1943}, 23.0579, 0.2464},
                                       {stimulus::Family::latency, {{"contrast", -2}}, 52, {37.7038, -5.5894}, 32.3609, 0.2464},
                                       {stimulus::Family::latency, {{"contrast", -3}}, 51, {42.8428, 0.0}, 43.0892, 0.2464},
                                       {stimulus::Family::latency, {{"contrast", -2}}, 53, {48.4150, -20.2756}, 28.3859, 0.2464}};
const std::vector<ExactTarget> reversal{{stimulus::Family::reversal,
                                         {{"position_px", 0}, {"direction", 1}},
                                         143,
                                         {0.0, 29.6521, 15.6586, 0.0, 0.0},
                                         46.7339,
                                         1.4232}};
const std::vector<ExactTarget> anticipation{
    {stimulus::Family::moving_bar, {{"direction", 1}}, 196, {41.1011, 0.0}, 43.9302, 2.8290}};

class FullCircuits : public testing::TestWithParam<std::pair<const char*, const std::vector<ExactTarget>*>> {};

TEST_P(FullCircuits, HaveTheirExactAttributionsPerUnit) {
  const auto& [name, targets] = GetParam();
  EXPECT_LE(worst<double>(name, *targets), 1e-3);  // targets are rounded to 1e-4, kernels to float
  EXPECT_LE(worst<float>(name, *targets), 5e-3);
}
INSTANTIATE_TEST_SUITE_P(Targets, FullCircuits,
                         testing::Values(std::pair{"osr", &osr}, std::pair{"osr_alt", &osr_alt}, std::pair{"latency", &latency},
                                         std::pair{"reversal", &reversal}, std::pair{"anticipation", &anticipation}),
                         [](const auto& target) { return std::string(target.param.first); });

TEST(FullCircuit, SilencedTonicInhibitionAttributesMoreThanItsActivityTimesWeight) {
  const stimulus::Screen screen;
  const model::Model model = model::make_circuit_model({{"osr", recording::circuit("osr"), {}}}, screen);
  BlockAttributor<float> attributor(core::Exec(), model::make_inference<float>(model), AttributionSettings{});
  const stimulus::Stimulus movie = stimulus::render(shown(stimulus::Family::osr, {{"period_ms", 100}}), screen, {});
  const LevelFigures figures = channel_level(attributor.attribute(movie.contrast, 186, 1, {0}));
  EXPECT_GT(figures.attribution[0], 20.0F);       // OFF_inh: silent at the peak ...
  EXPECT_LT(figures.response_change[0], -0.09F);  // ... after being tonic on grey (0.1),
  EXPECT_LT(figures.response_weight[0], 0.0F);    // so it is inhibitory all the same
  EXPECT_NEAR(figures.response_weight[0] * figures.response_change[0], figures.attribution[0], 1e-3);
  EXPECT_NEAR(figures.downstream_weight[0] * figures.drive[0], figures.attribution[0], 1e-3);
}

}  // namespace
}  // namespace amacrine::attribution
