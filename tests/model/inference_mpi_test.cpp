// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/inference.hpp"
#include "naive_network.hpp"

#include <gtest/gtest.h>

using namespace amacrine;

namespace {

TEST(PredictRecording, AllRanksGetTheBitsOfOneRank) {
  model::Architecture a;
  a.history = 5, a.height = 11, a.width = 9, a.cells = 3;
  a.hidden = {{3, 4, 3}, {2, 3, 4}};
  model::Model m = test::random_model(a, 5);
  m.minimum_lag = 1;
  const auto network = model::make_inference<float>(m);
  recording::StoredMovie movie;
  core::Array<std::uint8_t, 3> pixels({900, 11, 9});
  core::Random random(3, core::Stream::test);
  for (auto& pixel : pixels.values()) pixel = static_cast<std::uint8_t>(random.below(256));
  const recording::ContrastCoding coding{127.0, 42.0};
  core::Array<float, 3> contrast({900, 11, 9});
  movie.pixels = pixels;
  for (std::size_t t = 0; t < 900; ++t) movie.contrast(t, coding, contrast.row(t).data());
  const auto expected = model::predict(network, contrast);
  const auto world = parallel::Communicator::world();
  const auto all = model::predict(world, network, movie, coding, 0, 900);
  EXPECT_EQ(all.values(), expected.values());
  const auto part = model::predict(world, network, movie, coding, 130, 600);
  for (std::size_t n = 0; n < 3; ++n)
    for (std::size_t t = 0; t < 600; ++t) ASSERT_EQ(part(n, t), expected(n, 130 + t));
  EXPECT_THROW(model::predict(world, network, movie, coding, 400, 600), core::Error);
}

}  // namespace
