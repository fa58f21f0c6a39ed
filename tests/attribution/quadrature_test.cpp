// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/quadrature.hpp"

#include "amacrine/core/errors.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace amacrine::attribution {
namespace {

TEST(Quadrature, WeightsOfEveryRuleSumToOne) {
  for (Rule rule : {Rule::right, Rule::midpoint, Rule::trapezoid, Rule::secant})
    for (int panels : {1, 2, 7, 20}) {
      const Quadrature q = make_quadrature(rule, panels);
      EXPECT_NEAR(std::accumulate(q.weight.begin(), q.weight.end(), 0.0), 1.0, 1e-14) << to_string(rule) << " " << panels;
    }
}

TEST(Quadrature, NodesLieWhereTheRuleSays) {
  const Quadrature midpoint = make_quadrature(Rule::midpoint, 4);
  EXPECT_DOUBLE_EQ(midpoint.alpha[0], 0.125);
  EXPECT_DOUBLE_EQ(midpoint.alpha[3], 0.875);
  const Quadrature right = make_quadrature(Rule::right, 4);
  EXPECT_DOUBLE_EQ(right.alpha[static_cast<std::size_t>(0 + right.shift)], 0.25);
  EXPECT_DOUBLE_EQ(right.alpha[static_cast<std::size_t>(3 + right.shift)], 1.0);
  const Quadrature trapezoid = make_quadrature(Rule::trapezoid, 4);
  EXPECT_EQ(trapezoid.intervals(), 5);
  EXPECT_DOUBLE_EQ(trapezoid.weight.front(), 0.125);
  EXPECT_DOUBLE_EQ(trapezoid.weight[2], 0.25);
  EXPECT_DOUBLE_EQ(trapezoid.weight.back(), 0.125);
  const Quadrature secant = make_quadrature(Rule::secant, 4);  // alpha = t^2
  EXPECT_DOUBLE_EQ(secant.alpha[1], 0.0625);
  EXPECT_DOUBLE_EQ(secant.alpha[3], 0.5625);
  EXPECT_DOUBLE_EQ(secant.weight[3], 0.4375);
  for (Rule rule : {Rule::right, Rule::midpoint, Rule::trapezoid, Rule::secant}) {
    const Quadrature q = make_quadrature(rule, 5);
    EXPECT_DOUBLE_EQ(q.alpha[static_cast<std::size_t>(q.start)], 0.0);
    EXPECT_DOUBLE_EQ(q.alpha[static_cast<std::size_t>(q.end)], 1.0);
  }
}

/// Int g dh with g = h = alpha is 1/2: exact where g is taken in the middle of what h moves through.
TEST(Quadrature, LanesCoverThePathOfAQuantityThatIsNotStraight) {
  const int n = 8;
  for (Rule rule : {Rule::right, Rule::midpoint, Rule::trapezoid, Rule::secant}) {
    const Quadrature q = make_quadrature(rule, n, true);
    ASSERT_EQ(q.from.size(), q.weight.size());
    ASSERT_EQ(q.to.size(), q.weight.size());
    double covered = 0, sum = 0;
    for (std::size_t p = 0; p < q.weight.size(); ++p) {
      const double from = q.alpha[static_cast<std::size_t>(q.from[p])], to = q.alpha[static_cast<std::size_t>(q.to[p])];
      const double a = q.alpha[p + static_cast<std::size_t>(q.shift)];
      covered += q.step * (to - from);
      sum += q.step * (rule == Rule::secant ? 0.5 * (from + to) : a) * (to - from);
      EXPECT_NEAR(q.step * (to - from), q.weight[p], 1e-15) << to_string(rule);
    }
    EXPECT_NEAR(covered, 1.0, 1e-14) << to_string(rule);
    EXPECT_NEAR(sum, 0.5 + (rule == Rule::right ? 0.5 / n : 0.0), 1e-14) << to_string(rule);
  }
  EXPECT_TRUE(make_quadrature(Rule::midpoint, n).from.empty());
}

TEST(Quadrature, IntegratesAParabolaAtTheTextbookError) {
  // Int_0^1 a^2 = 1/3; errors with n panels: right 1/(2n) + 1/(6n^2), midpoint -1/(12 n^2), trapezoid 1/(6 n^2).
  const int n = 8;
  const double h2 = 1.0 / (n * n);
  const std::vector<std::pair<Rule, double>> truth{
      {Rule::right, 0.5 / n + h2 / 6}, {Rule::midpoint, -h2 / 12}, {Rule::trapezoid, h2 / 6}};
  for (const auto& [rule, error] : truth) {
    const Quadrature q = make_quadrature(rule, n);
    double sum = 0;
    for (std::size_t p = 0; p < q.weight.size(); ++p) {
      const double a = q.alpha[p + static_cast<std::size_t>(q.shift)];
      sum += q.weight[p] * a * a;
    }
    EXPECT_NEAR(sum, 1.0 / 3 + error, 1e-14) << to_string(rule);
  }
}

TEST(Quadrature, RefusesNoPanels) { EXPECT_THROW(make_quadrature(Rule::secant, 0), core::Error); }

}  // namespace
}  // namespace amacrine::attribution
