// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/inference.hpp"

#include "naive_network.hpp"
#include "support/compare.hpp"

#include <gtest/gtest.h>

using namespace amacrine;

namespace {

model::Architecture small_network() {
  model::Architecture a;
  a.history = 5, a.height = 11, a.width = 9, a.cells = 3;
  a.hidden = {{3, 4, 3}, {2, 3, 4}};
  return a;
}

/// Predictions of the float and the double engine against the definition, at every frame.
void expect_definition(const model::Model& m, std::size_t frames) {
  const auto movie = test::random_movie(frames, m.architecture.height, m.architecture.width, 3);
  const auto single = model::predict(model::make_inference<float>(m), movie);
  const auto twice = model::predict(model::make_inference<double>(m), movie);
  std::vector<double> expected(single.size());
  for (std::size_t t = 0; t < frames; ++t) {
    const auto rates = test::naive_rates(m, test::naive_window(m, movie, static_cast<int>(t)));
    for (std::size_t n = 0; n < rates.size(); ++n) expected[n * frames + t] = rates[n];
  }
  EXPECT_LE(test::relative_error(single.values(), expected), 3e-6) << model::describe(m.architecture);
  EXPECT_LE(test::relative_error(twice.values(), expected), 1e-7) << "results are floats";
}

TEST(Inference, EqualsTheDefinitionForEveryNorm) {
  for (const model::Norm norm : {model::Norm::none, model::Norm::per_channel, model::Norm::per_unit}) {
    for (const model::Scale scale : {model::Scale::plain, model::Scale::absolute}) {
      model::Architecture a = small_network();
      a.norm = norm, a.scale = scale;
      expect_definition(test::random_model(a, 5), 23);
    }
  }
}

TEST(Inference, EqualsTheDefinitionWithBiasesAndOtherSoftplus) {
  model::Architecture a = small_network();
  a.conv_bias = a.readout_bias = true, a.output_norm = false, a.softplus_beta = 0.3, a.norm = model::Norm::per_unit;
  expect_definition(test::random_model(a, 6), 20);
}

TEST(Inference, EqualsTheDefinitionForOneAndThreeLayersAndNone) {
  model::Architecture a = small_network();
  a.hidden = {{4, 11, 9}};
  expect_definition(test::random_model(a, 7), 20);
  a.hidden = {{2, 3, 3}, {3, 2, 2}, {2, 4, 1}};
  expect_definition(test::random_model(a, 8), 20);
  a.hidden.clear();
  a.readout_bias = true, a.output_norm = false;
  expect_definition(test::random_model(a, 9), 20);
}

TEST(Inference, HonoursMinimumLagAndNormalisation) {
  model::Model m = test::random_model(small_network(), 5);
  m.minimum_lag = 1;
  m.normalisation = {"scalar", {0.3}, {1.7}};
  expect_definition(m, 20);
  m.normalisation = {"per_pixel", {}, {}};
  for (int p = 0; p < 99; ++p) {
    m.normalisation.mean.push_back(0.01 * p);
    m.normalisation.scale.push_back(1.0 + 0.02 * p);
  }
  expect_definition(m, 20);
}

TEST(Inference, WindowFramesAreGreyBeforeTheMovie) {
  model::Model m = test::random_model(small_network(), 5);
  m.minimum_lag = 1;
  m.normalisation = {"scalar", {0.5}, {2.0}};
  const auto movie = test::random_movie(12, 11, 9, 4);
  const auto network = model::make_inference<double>(m);
  const auto frames = core::to_host(model::window_frames(network, movie, 2, 7));
  ASSERT_EQ(frames.size(), 99U * 11U);
  for (int f = 0; f < 11; ++f) {
    const int frame = 2 - 1 - 4 + f;  // first - minimum lag - (T - 1) + f
    for (std::size_t p = 0; p < 99; ++p) {
      const double contrast = frame < 0 ? 0.0 : static_cast<double>(movie.values()[static_cast<std::size_t>(frame) * 99 + p]);
      ASSERT_NEAR(frames[p * 11 + static_cast<std::size_t>(f)], (contrast - 0.5) / 2.0, 1e-15);
    }
  }
  EXPECT_THROW(model::window_frames(network, movie, 6, 7), core::Error);
}

TEST(Inference, BlocksDoNotChangeBits) {
  const model::Model m = test::random_model(small_network(), 5);
  const auto network = model::make_inference<float>(m);
  const auto movie = test::random_movie(300, 11, 9, 4);
  const auto all = model::predict(network, movie);  // several blocks
  for (const std::size_t first : {0, 17, 255, 298}) {
    const std::size_t windows = std::min<std::size_t>(3, 300 - first);
    const auto z = model::make_first_layer(network, 1, windows);
    auto state = model::make_head_state(network, 1, windows);
    model::first_layer(core::Exec(), network, model::window_frames(network, movie, first, windows), z);
    model::head_forward(core::Exec(), network, z, state);
    const auto rate = core::to_host(state.rate);
    for (std::size_t n = 0; n < 3; ++n)
      for (std::size_t b = 0; b < windows; ++b) EXPECT_EQ(rate[n * windows + b], all(n, first + b));
  }
}

TEST(Inference, SeveralSegmentsAtOnceEqualOneByOne) {
  const model::Model m = test::random_model(small_network(), 5);
  const auto network = model::make_inference<double>(m);
  const auto movie = test::random_movie(40, 11, 9, 4);
  const auto z = model::make_first_layer(network, 2, 6);
  core::View4<double> frames("test::frames", 2, 11, 9, 10);
  for (std::size_t g = 0; g < 2; ++g) {
    Kokkos::deep_copy(Kokkos::subview(frames, Kokkos::make_pair(g, g + 1), Kokkos::ALL, Kokkos::ALL, Kokkos::ALL),
                      model::window_frames(network, movie, g == 0 ? 0 : 30, 6));
  }
  auto state = model::make_head_state(network, 2, 6);
  model::first_layer(core::Exec(), network, frames, z);
  model::head_forward(core::Exec(), network, z, state);
  const auto rate = core::to_host(state.rate);
  const auto all = model::predict(network, movie);
  for (std::size_t n = 0; n < 3; ++n)
    for (std::size_t b = 0; b < 6; ++b) {
      EXPECT_EQ(static_cast<float>(rate[(n * 2 + 0) * 6 + b]), all(n, b));
      EXPECT_EQ(static_cast<float>(rate[(n * 2 + 1) * 6 + b]), all(n, 30 + b));
    }
}

TEST(Inference, RefusesWhatDoesNotFit) {
  model::Model m = test::random_model(small_network(), 5);
  const auto network = model::make_inference<float>(m);
  EXPECT_THROW(model::predict(network, test::random_movie(10, 11, 8, 1)), core::Error);
  m.parameters.pop_back();
  EXPECT_THROW(model::make_inference<float>(m), core::Error);
}

TEST(Softplus, DoesNotOverflow) {
  EXPECT_NEAR(model::softplus(800.0, 1.0), 800.0, 1e-12);
  EXPECT_NEAR(model::softplus(-800.0, 1.0), 0.0, 1e-300);
  EXPECT_NEAR(model::softplus(0.0, 0.3), std::log(2.0) / 0.3, 1e-14);
  EXPECT_NEAR(model::softplus(2.0, 0.5), std::log1p(std::exp(1.0)) / 0.5, 1e-14);
}

}  // namespace
