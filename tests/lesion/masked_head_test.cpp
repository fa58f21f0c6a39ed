// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/masked_head.hpp"

#include "dense.hpp"
#include "support/compare.hpp"

#include <gtest/gtest.h>

namespace amacrine::lesion {
namespace {

using attribution::Target;

/// More lanes than a batch, of all windows, orders and kinds.
std::vector<Lane> many_lanes(const dense::Example& example) {
  std::vector<Lane> lanes;
  for (std::size_t i = 0; i < 300; ++i) {
    const std::size_t first = i * 7 % example.all(), length = i * 13 % (example.all() + 1);
    lanes.push_back({i % 3, i / 3 % 2, first, std::min(example.all(), first + length), i % 5 < 2});
  }
  return lanes;
}

template <class S>
double worst(int layers, Target target) {
  const dense::Example example(layers);
  MaskedHead<S> head(core::Exec(), attribution::naive::inference<S>(example.net), target);
  const std::vector<Lane> lanes = many_lanes(example);
  double worst = 0;
  for (int cell = 0; cell < 2; ++cell) {
    std::vector<double> expected;
    for (const Lane& lane : lanes)
      expected.push_back(dense::response(example.net, example.masked(lane), cell, target == Target::after_softplus));
    worst = std::max(worst, test::relative_error(head.respond(example.units<S>(), lanes, cell), expected));
  }
  return worst;
}

TEST(MaskedHead, IsTheDenseNetworkOnMaskedActivities) {
  for (int layers : {1, 2})
    for (Target target : {Target::after_softplus, Target::before_softplus}) {
      SCOPED_TRACE(layers);
      EXPECT_LE(worst<double>(layers, target), 1e-13);
      EXPECT_LE(worst<float>(layers, target), 1e-5);
    }
}

TEST(MaskedHead, GivesALaneTheSameBitsInAnyCompany) {
  const dense::Example example(2);
  MaskedHead<float> head(core::Exec(), attribution::naive::inference<float>(example.net), Target::after_softplus);
  const std::vector<Lane> lanes = many_lanes(example);
  const auto all = head.respond(example.units<float>(), lanes, 1);
  for (std::size_t i : {std::size_t{0}, std::size_t{17}, std::size_t{299}})
    EXPECT_EQ(head.respond(example.units<float>(), {lanes[i]}, 1), std::vector<double>{all[i]});
}

TEST(MaskedHead, RefusesANetworkWithoutHiddenUnits) {
  const auto net = attribution::naive::random_network(0, 5);
  EXPECT_THROW(MaskedHead<double>(core::Exec(), attribution::naive::inference<double>(net), Target::after_softplus), core::Error);
}

}  // namespace
}  // namespace amacrine::lesion
