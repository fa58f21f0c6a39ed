// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/random.hpp"
#include "amacrine/reduction/reduced_model.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::reduction {
namespace {

/// One line per drive, uniform in space; rows are one condition's frames.
AttributedCondition condition_of(const std::vector<std::vector<double>>& drives, const std::string& name = "osr/a") {
  AttributedCondition condition;
  condition.name = name;
  condition.stimulus = stimulus_of(name);
  const std::size_t frames = drives[0].size();
  condition.drive = condition.attribution = condition.downstream = core::Array<double, 3>({frames, drives.size(), 1});
  condition.rate.assign(frames, 0.0);
  for (std::size_t t = 0; t < frames; ++t) {
    condition.frames.push_back(static_cast<int>(t));
    for (std::size_t l = 0; l < drives.size(); ++l) condition.drive(t, l, 0) = drives[l][t];
  }
  return condition;
}

std::vector<double> noise(std::size_t frames, std::uint64_t id) {
  core::Random random(7, core::Stream::test, id);
  std::vector<double> values(frames);
  for (double& v : values) v = random.normal();
  return values;
}

Pathway pathway_of(int line, double threshold, std::vector<Element> elements = {{-1, 1.0, 0.0}}) {
  Pathway pathway;
  pathway.line = pathway.channel = line;
  pathway.threshold = threshold;
  pathway.elements = std::move(elements);
  return pathway;
}

TEST(Output, SoftplusAndItsInverse) {
  const Output output{0.3, false};
  EXPECT_NEAR(output.rate(2.0), std::log1p(std::exp(0.6)) / 0.3, 1e-12);
  EXPECT_NEAR(output.rate(5000.0), 5000.0, 1e-9);
  for (double u : {-20.0, -1.0, 0.0, 3.0, 400.0}) EXPECT_NEAR(output.drive(output.rate(u)), u, 1e-6 * (1 + std::abs(u)));
  const double step = 1e-5;
  EXPECT_NEAR(output.slope(1.3), (output.rate(1.3 + step) - output.rate(1.3 - step)) / (2 * step), 1e-8);
  EXPECT_EQ((Output{0.3, true}.rate(-4.0)), -4.0);
}

TEST(Start, IsTheProjectionOfAttributionOnActivityWithoutSoftplus) {
  auto condition = condition_of({{-1, 0.5, 2, 3}});
  const Pathway pathway = pathway_of(0, 0.25);
  const double grey = 0.25;
  for (std::size_t t = 0; t < 4; ++t) {
    const double dp = std::max(0.0, condition.drive(t, 0, 0) + 0.25) - grey;
    condition.attribution(t, 0, 0) = -3.0 * dp;
    condition.rate[t] = 5.0 - 3.0 * dp;
  }
  const std::vector<const AttributedCondition*> conditions{&condition};
  const Problem problem = make_problem({pathway}, conditions, {1.0, true});
  const ReducedModel start = start_from_attribution({pathway}, conditions, problem, 5.0);
  EXPECT_NEAR(start.weight[0], -3.0, 1e-12);
  EXPECT_EQ(start.threshold[0], 0.25);
  EXPECT_NEAR(start.constant, 5.0 + 3.0 * grey, 1e-12) << "grey must give F[s0]";
}

TEST(Start, UndoesTheSoftplusOfOnePathway) {
  // r = softplus(c + w p): A = r - F[s0], so the slope between grey and s times dp is exactly A / w.
  auto condition = condition_of({noise(200, 1)});
  const Pathway pathway = pathway_of(0, -0.2);
  const Output output{0.3, false};
  const double c = -4, w = 17, rest = output.rate(c);
  for (std::size_t t = 0; t < 200; ++t) {
    condition.rate[t] = output.rate(c + w * std::max(0.0, condition.drive(t, 0, 0) - 0.2));
    condition.attribution(t, 0, 0) = condition.rate[t] - rest;
  }
  const std::vector<const AttributedCondition*> conditions{&condition};
  const Problem problem = make_problem({pathway}, conditions, output);
  const ReducedModel start = start_from_attribution({pathway}, conditions, problem, rest);
  EXPECT_NEAR(start.weight[0], w, 1e-6);
  EXPECT_NEAR(start.constant, c, 1e-9);
}

/// Two rectified pathways through a softplus, signs +1 and -1.
Problem planted(const ReducedModel& truth, AttributedCondition& fitted, AttributedCondition& held_out) {
  fitted = condition_of({noise(400, 2), noise(400, 3)});
  held_out = condition_of({noise(100, 4), noise(100, 5)}, "osr/b");
  held_out.held_out = true;
  const std::vector<Pathway> pathways{pathway_of(0, 0), pathway_of(1, 0)};
  Problem problem = make_problem(pathways, {&fitted, &held_out}, truth.output);
  problem.rate = respond(truth, problem);
  problem.sign = {1, -1};
  return problem;
}

TEST(Fit, FindsThePlantedModel) {
  ReducedModel truth{{0.3, false}, -3.0, {40.0, -25.0}, {-0.4, 0.6}};
  AttributedCondition fitted, held_out;
  const Problem problem = planted(truth, fitted, held_out);
  EXPECT_EQ(problem.weight.back(), 0.0) << "held-out rows must not be fitted";
  EXPECT_GT(problem.weight.front(), 0.0);
  const ReducedModel start{{0.3, false}, 0.0, {20.0, -10.0}, {0.0, 0.0}};
  const Fit found = fit(problem, start, 0, 6, 200);
  EXPECT_NEAR(found.model.constant, -3.0, 1e-3);
  EXPECT_NEAR(found.model.weight[0], 40.0, 1e-3);
  EXPECT_NEAR(found.model.weight[1], -25.0, 1e-3);
  EXPECT_NEAR(found.model.threshold[0], -0.4, 1e-4);
  EXPECT_NEAR(found.model.threshold[1], 0.6, 1e-4);
  std::vector<bool> last(problem.rows(), false);
  std::fill(last.end() - 100, last.end(), true);
  EXPECT_GT(score(respond(found.model, problem), problem.rate, last).r, 0.999999);
}

TEST(Fit, IsTheSameEveryTime) {
  const ReducedModel truth{{1.0, false}, 1.0, {5.0, -2.0}, {0.1, 0.2}};
  AttributedCondition fitted, held_out;
  const Problem problem = planted(truth, fitted, held_out);
  const ReducedModel start{{1.0, false}, 0.0, {1.0, -1.0}, {1.0, -1.0}};
  const Fit a = fit(problem, start, 0, 4, 20), b = fit(problem, start, 0, 4, 20);
  EXPECT_EQ(a.model.weight, b.model.weight);
  EXPECT_EQ(a.model.threshold, b.model.threshold);
  EXPECT_EQ(a.error, b.error);
}

TEST(Fit, WeightsKeepTheSignOfTheirPathway) {
  const ReducedModel truth{{0.3, false}, 2.0, {40.0, -25.0}, {-0.4, 0.6}};
  AttributedCondition fitted, held_out;
  Problem problem = planted(truth, fitted, held_out);
  problem.sign = {1, 1};  // the second pathway is told to excite: the best it can do is nothing, or a little
  const ReducedModel start{{0.3, false}, 0.0, {20.0, 10.0}, {0.0, 0.0}};
  const Fit found = fit(problem, start, 0, 3, 100);
  EXPECT_GE(found.model.weight[1], 0.0);
  EXPECT_LT(found.error, fit_from(problem, prior_around(problem, start, 0), start, 0).error);
}

TEST(Fit, ThePriorDecidesWhatTheResponsesDoNot) {
  // A pathway that is always open: its threshold and the constant do the same. Without a prior any pair is as good.
  std::vector<double> drive = noise(300, 8);
  for (double& d : drive) d = 0.2 * std::tanh(d);
  auto condition = condition_of({drive});
  Problem problem = make_problem({pathway_of(0, 1.0)}, {&condition}, {0.3, false});
  const ReducedModel truth{{0.3, false}, -8.0, {12.0}, {1.0}};
  problem.rate = respond(truth, problem);
  double mean = 0, variance = 0;
  for (double r : problem.rate) mean += r / 300;
  for (double r : problem.rate) variance += (r - mean) * (r - mean) / 300;
  problem.weight.assign(300, 1 / (300 * variance));
  const ReducedModel start{{0.3, false}, -6.0, {10.0}, {1.0}};
  const Fit found = fit(problem, start, 1e-3, 6, 200);
  EXPECT_NEAR(found.model.threshold[0], 1.0, 0.01) << "stays where the first layer has it";
  EXPECT_NEAR(found.model.weight[0], 12.0, 0.1) << "well determined, so hardly drawn to 10";
  const Prior prior = prior_around(problem, start, 1e-3);
  EXPECT_NEAR(prior.weight_scale[0], 10.0, 1e-12);
  // The cost of the start is that of its misfit alone; moving the weight by its own size adds the prior's strength.
  EXPECT_NEAR(fit_from(problem, prior, truth, 0).error, 1e-3 * 0.04, 1e-9);
}

TEST(Fit, SeveralThresholdsMakeAPiecewiseLinearPathway) {
  const std::vector<Element> knots{{-1, 0.25, -0.5}, {-1, 0.75, 1.0 / 6}};
  const Pathway pathway = pathway_of(0, 0.1, knots);
  const double drive = 0.3;
  EXPECT_NEAR(activity(pathway, &drive, 1, 0.1), 0.75 * (0.4 + 1.0 / 6), 1e-12);  // the first one is still closed
  const double more = 2.0;
  EXPECT_NEAR(activity(pathway, &more, 1, 0.1), 2.1, 1e-12);  // offsets average to 0: the same line when all are open
}

TEST(Lesions, ZeroAndGreyDifferForTonicPathways) {
  auto condition = condition_of({{0.0, -1.0}, {0.0, 1.0}});
  const Problem problem = make_problem({pathway_of(0, 0), pathway_of(1, 0)}, {&condition}, {1.0, true});
  const ReducedModel model{{1.0, true}, 10.0, {-4.0, 3.0}, {0.5, -0.5}};  // the first is tonic on grey: 0.5
  EXPECT_EQ(respond(model, problem), (std::vector<double>{8.0, 11.5}));
  EXPECT_EQ(respond(model, problem, Lesion::zero, 0), (std::vector<double>{10.0, 11.5}));
  EXPECT_EQ(respond(model, problem, Lesion::grey, 0), (std::vector<double>{8.0, 9.5}));
  EXPECT_EQ(respond(model, problem, Lesion::grey, 1), respond(model, problem, Lesion::zero, 1)) << "a silent one is 0 on grey";
}

TEST(Score, IsPearsonAndVarianceExplained) {
  const std::vector<bool> all(4, true);
  const Score s = score({1, 2, 3, 5}, {2, 4, 6, 10}, all);
  EXPECT_NEAR(s.r, 1.0, 1e-12);
  EXPECT_NEAR(s.fve, 1 - (1 + 4 + 9 + 25) / (12.25 + 2.25 + 0.25 + 20.25), 1e-12);
  EXPECT_NEAR(s.rms, std::sqrt(39.0 / 4), 1e-12);
  EXPECT_TRUE(std::isnan(score({1, 1, 1, 1}, {2, 4, 6, 10}, all).r));
  EXPECT_TRUE(std::isnan(score({1, 2, 3, 4}, {2, 4, 6, 10}, {false, true, false, false}).r));
  EXPECT_THROW(score({1, 2}, {1, 2, 3}, {true, true, true}), core::Error);
}

}  // namespace
}  // namespace amacrine::reduction
