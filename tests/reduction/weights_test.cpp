// SPDX-License-Identifier: Apache-2.0
// What the fit of the reduced model counts, and where it starts, against closed forms.
#include "amacrine/core/random.hpp"
#include "amacrine/reduction/reduced_model.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::reduction {
namespace {

AttributedCondition condition_with(const std::string& name, const std::vector<double>& rate) {
  AttributedCondition condition;
  condition.name = name;
  condition.stimulus = stimulus_of(name);
  condition.rate = rate;
  condition.drive = condition.attribution = condition.downstream = core::Array<double, 3>({rate.size(), 1, 1});
  return condition;
}

Pathway plain_pathway() {
  Pathway pathway;
  pathway.elements = {{-1, 1.0, 0.0}};
  return pathway;
}

/// Rates of 0 and 2 have the variance 1; 0 and 20 the variance 100; 0 and 1, seldom, less than a tenth of that.
TEST(Weights, AreOneOverFramesTimesVarianceOfWhatIsFitted) {
  AttributedCondition loud = condition_with("osr/a", {0, 20, 0, 20}), louder = condition_with("osr/b", {0, 900, 0, 900, 0, 900}),
                      soft = condition_with("latency/a", {10, 12});
  louder.held_out = true;
  const Problem problem = make_problem({plain_pathway()}, {&loud, &louder, &soft}, {1.0, true});
  ASSERT_EQ(problem.weight.size(), 12U);
  for (std::size_t t = 0; t < 4; ++t) EXPECT_NEAR(problem.weight[t], 1.0 / (4 * 100), 1e-15) << "held-out rows do not count";
  for (std::size_t t = 4; t < 10; ++t) EXPECT_EQ(problem.weight[t], 0.0);
  // Its own variance is 1, but at least a tenth of the largest fitted one counts.
  for (std::size_t t = 10; t < 12; ++t) EXPECT_NEAR(problem.weight[t], 1.0 / (2 * 10), 1e-15);
}

TEST(Weights, AStimulusWithSeveralConditionsIsOne) {
  const AttributedCondition first = condition_with("osr/a", {0, 20}), second = condition_with("osr/b", {0, 20, 0, 20});
  const Problem problem = make_problem({plain_pathway()}, {&first, &second}, {1.0, true});
  for (double weight : problem.weight) EXPECT_NEAR(weight, 1.0 / (6 * 100), 1e-15);
}

/// r = output(c + w max(0, d + threshold)). From thresholds at which the pathway never opens there is no way down.
TEST(Starts, DifferAndTheBestIsKept) {
  core::Random random(9, core::Stream::test);
  AttributedCondition condition = condition_with("osr/a", std::vector<double>(300, 0.0));
  for (std::size_t t = 0; t < 300; ++t) condition.drive(t, 0, 0) = random.normal();
  Problem problem = make_problem({plain_pathway()}, {&condition}, {1.0, true});
  const ReducedModel truth{{1.0, true}, 2.0, {10.0}, {-0.5}};
  problem.rate = respond(truth, problem);
  problem.weight.assign(300, 1.0 / 300);
  problem.sign = {1};
  // Only a start that moves the threshold by more than two of the shake's standard deviations opens it.
  const ReducedModel closed{{1.0, true}, 0.0, {1.0}, {-4.2}};
  const auto error = [&](int starts) { return fit(problem, closed, 0, starts, 100).error; };
  EXPECT_GT(error(1), 1.0) << "the attribution's own start must not reach it, or this test shows nothing";
  EXPECT_GT(error(2), 1.0) << "nor the first beside it: later starts must be others";
  const double best = error(100);
  EXPECT_TRUE(best <= 1e-9) << best;
}

}  // namespace
}  // namespace amacrine::reduction
