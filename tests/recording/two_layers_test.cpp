// SPDX-License-Identifier: Apache-2.0
// The circuit of two rectifying layers: its burst is called present. Its figures and exact
// attributions are held to those of an independent program in more_figures_test.cpp and more_attributions_test.cpp.
#include "circuit_support.hpp"

namespace amacrine::recording {
namespace {

using namespace published;
using test::screen;

/// What is said of a burst after a bright bar turns at -2 ... 2 px.
stimulus::Presence burst(const Lesion& lesion = {}) {
  stimulus::ReversalProbe probe;
  probe.contrast = 2.5;
  probe.positions_px = {-2, -1, 0, 1, 2};
  const auto shown = stimulus::conditions(probe, screen);
  const Circuit& cell = circuit("two_layers");
  const auto figures = stimulus::measure_reversal(shown, respond_all(cell, shown, lesion), screen, resting_rate(cell));
  return stimulus::reported(figures).overall;
}

TEST(FullTwoLayers, TheBurstIsPresentAndNeedsEveryUnitOfTheFirstLayerAndTheRectifiers) {
  EXPECT_EQ(burst(), stimulus::Presence::present);
  for (const std::string unit : {"E_left", "E_right", "I_left", "I_right"})
    EXPECT_NE(burst({.dropped = {unit}}), stimulus::Presence::present) << unit;
  EXPECT_NE(burst({.dropped = {"I_left", "I_right"}}), stimulus::Presence::present);
  EXPECT_NE(burst({.linear = {"all"}}), stimulus::Presence::present);
}

}  // namespace
}  // namespace amacrine::recording
