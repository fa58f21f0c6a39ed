// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/circuit_network.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/model/inference.hpp"
#include "support/compare.hpp"

#include <algorithm>

#include <gtest/gtest.h>

using namespace amacrine;

namespace {

/// The circuits without a state, with or without the one that has a second layer.
std::vector<model::PlacedCircuit> placed(bool deep) {
  std::vector<model::PlacedCircuit> list;
  double shift = 0;
  for (const auto& name : recording::circuit_names()) {
    const auto& circuit = recording::circuit(name);
    if (circuit.feed_forward() || (deep && circuit.stateless()))
      list.push_back({"my_" + name, circuit, {24.5 + shift, 22.0 - shift}});
    shift += 1.25;
  }
  return list;
}

/// Dark full-field flashes, 20 ms every 80 ms.
core::Array<float, 3> flashes() {
  core::Array<float, 3> movie({100, 50, 50});
  for (std::size_t t = 20; t < 80; ++t)
    for (float& pixel : movie.row(t)) pixel = t % 8 < 2 ? -2.0F : 0.0F;
  return movie;
}

/// A bar, 3 px wide, that goes 0.4 px a frame and turns round at frame 60.
core::Array<float, 3> turning_bar(float contrast) {
  core::Array<float, 3> movie({100, 50, 50});
  for (std::size_t t = 0; t < 100; ++t) {
    const std::size_t gone = t < 60 ? t : 120 - t;
    const auto left = static_cast<std::size_t>(8.0 + 0.4 * static_cast<double>(gone));
    for (std::size_t y = 0; y < 50; ++y)
      for (std::size_t x = left; x < left + 3; ++x) movie(t, y, x) = contrast;
  }
  return movie;
}

/// Rates of the circuits themselves (N, T), Hz.
std::vector<double> own_rates(const std::vector<model::PlacedCircuit>& circuits, const core::Array<float, 3>& movie) {
  std::vector<double> rates;
  for (const auto& one : circuits) {
    const auto response = recording::respond(one.circuit, movie, stimulus::Screen(), one.centre);
    rates.insert(rates.end(), response.rate_hz.begin(), response.rate_hz.end());
  }
  return rates;
}

/// Rates in Hz, larger than anything rounding does, so that a silent network cannot pass.
double largest(const std::vector<double>& rates) { return *std::max_element(rates.begin(), rates.end()); }

void expect_own_rates(const std::vector<model::PlacedCircuit>& circuits) {
  const model::Model m = model::make_circuit_model(circuits, stimulus::Screen());
  const auto single = model::make_inference<float>(m);
  const auto twice = model::make_inference<double>(m);
  for (const auto& movie : {flashes(), turning_bar(-2.5F), turning_bar(2.5F)}) {
    const auto expected = own_rates(circuits, movie);
    EXPECT_GT(largest(expected), 20);
    const auto frames = model::window_frames(twice, movie, 0, movie.extent(0));
    const auto z = model::make_first_layer(twice, 1, movie.extent(0));
    auto state = model::make_head_state(twice, 1, movie.extent(0));
    model::first_layer(core::Exec(), twice, frames, z);
    model::head_forward(core::Exec(), twice, z, state);
    // A model's kernels are floats: their rounding (6e-8 of each element) is all that sets the double engine apart.
    EXPECT_LE(test::absolute_error(core::to_host(state.rate), expected), 2e-5);
    EXPECT_LE(test::absolute_error(model::predict(single, movie).values(), expected), 1e-4);
  }
}

TEST(FullCircuitNetwork, HasTheCircuitsRates) {
  const auto circuits = placed(false);
  ASSERT_EQ(circuits.size(), 7U);
  EXPECT_EQ(model::make_circuit_model(circuits, stimulus::Screen()).architecture.layers(), 1);
  expect_own_rates(circuits);
}

TEST(FullCircuitNetwork, HasTheRatesOfTwoLayersBesideThoseOfOne) {
  const auto circuits = placed(true);
  ASSERT_EQ(circuits.size(), 8U);
  ASSERT_EQ(circuits.back().circuit.name, "two_layers");
  const auto alone = own_rates({circuits.back()}, turning_bar(2.5F));
  EXPECT_GT(largest(alone), 10);  // at rest 1 Hz
  EXPECT_EQ(model::make_circuit_model(circuits, stimulus::Screen()).architecture.layers(), 2);
  expect_own_rates(circuits);
}

TEST(FullCircuitNetwork, IsDescribedAsACircuit) {
  const auto circuits = placed(true);
  const model::Model m = model::make_circuit_model(circuits, stimulus::Screen());
  EXPECT_EQ(m.kind, "circuit");
  ASSERT_EQ(m.channel_names.size(), 23U);  // 3 + 3 + 2 + 5 + 2 + 1 + 3 + 4 interneurons
  EXPECT_EQ(m.channel_names[0], "my_osr/OFF_inh");
  EXPECT_EQ(m.channel_names[22], "my_two_layers/I_right");
  EXPECT_EQ(m.architecture.hidden[1].channels, 21);  // 19 passed on, M_left, M_right
  ASSERT_EQ(m.cells.size(), 8U);
  EXPECT_EQ(m.cells[1].name, "my_" + circuits[1].circuit.name);
  EXPECT_EQ(m.cells[1].centre->y, circuits[1].centre.y);
  EXPECT_EQ(m.architecture.softplus_beta, 0.3);
}

TEST(CircuitNetwork, RefusesStatesAndOtherFrameIntervals) {
  EXPECT_THROW(model::make_circuit_model({{"a", recording::circuit("osr_depressing"), {}}}, stimulus::Screen()),
               core::InputError);
  stimulus::Screen slow;
  slow.frame_ms = 20;
  EXPECT_THROW(model::make_circuit_model({{"a", recording::circuit("osr"), {}}}, slow), core::InputError);
  EXPECT_THROW(model::make_circuit_model({}, stimulus::Screen()), core::InputError);
}

}  // namespace
