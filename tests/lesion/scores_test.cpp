// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/scores.hpp"

#include "dense.hpp"
#include "support/compare.hpp"

#include <gtest/gtest.h>

namespace amacrine::lesion {
namespace {

using attribution::Target;

TEST(Scores, GradientsAreDifferencesOfTheDenseNetworkWhetherAUnitIsActiveOrNot) {
  constexpr double step = 1e-6;
  for (int layers : {1, 2})
    for (Target target : {Target::after_softplus, Target::before_softplus}) {
      SCOPED_TRACE(layers);
      const dense::Example example(layers);
      const auto network = attribution::make_path_network(attribution::naive::inference<double>(example.net));
      const auto found = gradients(core::Exec(), network, target, example.units<double>(), 1);
      std::vector<double> expected;
      for (std::size_t w = 0; w < example.h.size(); ++w)
        for (std::size_t u = 0; u < example.all(); ++u) {
          dense::Values above = example.h[w], below = above;
          above[u] += step, below[u] -= step;
          const bool rate = target == Target::after_softplus;
          expected.push_back((dense::response(example.net, above, 1, rate) - dense::response(example.net, below, 1, rate)) /
                             (2 * step));
        }
      EXPECT_LE(test::relative_error(found.values(), expected), 1e-7);
    }
}

TEST(Scores, AblationsAreDifferencesOfTheDenseNetwork) {
  for (int layers : {1, 2})
    for (Target target : {Target::after_softplus, Target::before_softplus}) {
      SCOPED_TRACE(layers);
      const dense::Example example(layers);
      const auto network = attribution::naive::inference<double>(example.net);
      MaskedHead<double> head(core::Exec(), network, target);
      const std::vector<std::size_t> windows{2, 0};
      const auto found = ablation_effects(core::Exec(), network, target, head, example.units<double>(), windows, 1);
      const auto passes = ablation_effects_by_passes(head, example.units<double>(), windows, 1);
      const bool rate = target == Target::after_softplus;
      std::vector<double> expected;
      for (std::size_t w : windows)
        for (std::size_t u = 0; u < example.all(); ++u) {
          dense::Values without = example.h[w];
          without[u] = example.rest[u];
          expected.push_back(dense::response(example.net, example.h[w], 1, rate) -
                             dense::response(example.net, without, 1, rate));
        }
      EXPECT_LE(test::absolute_error(found.values(), expected), 1e-12);
      EXPECT_LE(test::absolute_error(passes.values(), expected), 1e-12);
    }
}

TEST(Scores, SingleUnitsOfDeepNetworksAreRemovedOnFewWindows) {
  model::Architecture a;
  EXPECT_EQ(ablated_windows(a, 64), 64U);
  a.hidden.push_back({2, 3, 3});
  EXPECT_EQ(ablated_windows(a, 64), 4U);
  EXPECT_EQ(ablated_windows(a, 3), 3U);
}

}  // namespace
}  // namespace amacrine::lesion
