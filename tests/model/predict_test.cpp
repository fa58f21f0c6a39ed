// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/inference.hpp"
#include "amacrine/model/spectral.hpp"
#include "naive_network.hpp"
#include "support/compare.hpp"

#include <gtest/gtest.h>

using namespace amacrine;

namespace {

model::Architecture full_size(model::Norm norm) {
  model::Architecture a;
  a.cells = 4, a.norm = norm;
  return a;
}

/// Rates (N, windows) by the direct kernels.
template <class S>
std::vector<double> direct_rates(const model::InferenceNetwork<S>& network, const core::Array<float, 3>& movie, std::size_t first,
                                 std::size_t windows) {
  const auto z = model::make_first_layer(network, 1, windows);
  auto state = model::make_head_state(network, 1, windows);
  model::first_layer(core::Exec(), network, model::window_frames(network, movie, first, windows), z);
  model::head_forward(core::Exec(), network, z, state);
  const auto rate = core::to_host(state.rate);
  return {rate.begin(), rate.end()};
}

TEST(FullPredict, FrequencyDomainEqualsTheDirectKernels) {
  ASSERT_TRUE(model::spectral_pays(50, 50, 15, 15, 8)) << "this test would compare the direct kernels with themselves";
  for (const model::Norm norm : {model::Norm::per_channel, model::Norm::per_unit}) {
    const model::Model m = test::random_model(full_size(norm), 21);
    const auto network = model::make_inference<float>(m);
    const auto movie = test::random_movie(70, 50, 50, 22);
    const auto expected = direct_rates(model::make_inference<double>(m), movie, 0, 70);
    EXPECT_LE(test::relative_error(model::predict(network, movie).values(), expected), 3e-6);
    EXPECT_LE(test::relative_error(direct_rates(network, movie, 0, 70), expected), 3e-6);
  }
}

TEST(FullPredict, AWindowHasTheDefinitionsRate) {
  const model::Model m = test::random_model(full_size(model::Norm::per_channel), 23);
  const auto movie = test::random_movie(60, 50, 50, 24);
  const auto rates = model::predict(model::make_inference<float>(m), movie);
  for (const int t : {38, 59}) {
    const auto expected = test::naive_rates(m, test::naive_window(m, movie, t));
    for (std::size_t n = 0; n < 4; ++n) EXPECT_NEAR(rates(n, static_cast<std::size_t>(t)), expected[n], 3e-6 * (1 + expected[n]));
  }
}

TEST(FullPredict, BlocksDoNotChangeBits) {
  const model::Model m = test::random_model(full_size(model::Norm::per_channel), 21);
  const auto network = model::make_inference<float>(m);
  recording::StoredMovie movie;
  movie.pixels = test::random_movie(330, 50, 50, 22);
  const auto self = parallel::Communicator::self();
  const auto all = model::predict(self, network, movie, {0.0, 1.0}, 0, 330);  // 6 blocks
  const auto part = model::predict(self, network, movie, {0.0, 1.0}, 90, 110);
  for (std::size_t n = 0; n < 4; ++n)
    for (std::size_t t = 0; t < 110; ++t) ASSERT_EQ(part(n, t), all(n, 90 + t)) << "cell " << n << " frame " << 90 + t;
}

TEST(FullPredict, LinearModelsAndCanvasKernelsAreServed) {
  model::Architecture ln = model::preset_architecture("ln");
  ln.cells = 3;
  const model::Model linear = test::random_model(ln, 25);
  const auto movie = test::random_movie(50, 50, 50, 26);
  const auto rates = model::predict(model::make_inference<float>(linear), movie);
  const auto expected = test::naive_rates(linear, test::naive_window(linear, movie, 49));
  for (std::size_t n = 0; n < 3; ++n) EXPECT_NEAR(rates(n, 49), expected[n], 3e-6 * (1 + expected[n]));
}

}  // namespace
