// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/screening.hpp"

#include "made_cell.hpp"

#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

/// OFF excitation in the middle, OFF inhibition that is later and to the side.
test::MadeCell two_pathways(std::size_t frames = 14000) {
  test::MadeCell cell(frames, 21);
  cell.plant(-1, 0, 0, 3, 0.5, 0.9);
  cell.plant(-1, 1, 0, 7, 0.3, -0.8);
  cell.spike(21);
  return cell;
}

/// Mean of w h, Hz, over frames enough.
double contribution(const test::MadeCell& cell, std::size_t k) {
  double sum = 0;
  const std::size_t frames = 3000;
  for (std::size_t f = 15; f < 15 + frames; ++f)
    sum += std::max(0.0, test::unit_input(cell.shape, cell.bases, cell.data, cell.truth, k, f));
  return sum / static_cast<double>(frames) * cell.truth.weight(cell.shape, k) * 30;
}

void expect_planted(const test::MadeCell& cell, const Model& without, std::size_t planted) {
  const std::vector<Candidate> found = screen(cell.problem(), without, 4);
  ASSERT_EQ(found.size(), 4u);
  ASSERT_EQ(found[0].pathway.size(), cell.shape.pathway_size());
  EXPECT_GT(found[0].pathway.back() * cell.truth.weight(cell.shape, planted), 0);
  EXPECT_GT(cell.likeness(found[0].pathway, planted), 0.6);
}

TEST(Screening, FindsTheExcitationThatAModelLacks) {
  const test::MadeCell cell = two_pathways();
  expect_planted(cell, without_pathway(cell.shape, cell.truth, 0, contribution(cell, 0)), 0);
}

TEST(Screening, FindsTheInhibitionThatAModelLacks) {
  const test::MadeCell cell = two_pathways();
  expect_planted(cell, without_pathway(cell.shape, cell.truth, 1, contribution(cell, 1)), 1);
}

// What a rest or a weight can mend is no reason for a pathway.
TEST(Screening, IsNotMisledByAWrongRest) {
  const test::MadeCell cell = two_pathways();
  for (double wrong_hz : {-5.0, 5.0})
    expect_planted(cell, without_pathway(cell.shape, cell.truth, 1, contribution(cell, 1) + wrong_hz), 1);
}

TEST(Screening, IsNotMisledByAWrongWeight) {
  const test::MadeCell cell = two_pathways();
  for (double factor : {0.8, 1.2}) {
    Model model = without_pathway(cell.shape, cell.truth, 1, contribution(cell, 1));
    model.values.back() *= factor;
    expect_planted(cell, model, 1);
  }
}

// Scores are squares of normal deviates of variance 1 where nothing is lacking; some hundred of them, many alike, are drawn.
TEST(Screening, ScoresAreSmallWhereNothingIsLacking) {
  const test::MadeCell cell = two_pathways();
  const Problem problem = cell.problem();
  const std::vector<Candidate> none = screen(problem, cell.truth, 3),
                               lacking = screen(problem, without_pathway(cell.shape, cell.truth, 1, contribution(cell, 1)), 3);
  for (const Candidate& candidate : none) EXPECT_LT(candidate.score, 25.0);
  EXPECT_GT(lacking[0].score, 100.0);
}

/// Sum over frames of a w b.
double product(const std::vector<double>& a, const std::vector<double>& w, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * w[i] * b[i];
  return sum;
}

// Both by hand, in double, from the candidate's own parameters; the model's h and its rest are taken out of the candidate's.
TEST(Screening, ScoreAndWeightAreThoseOfRaosTest) {
  const test::MadeCell cell = two_pathways(4000);
  const Model model = without_pathway(cell.shape, cell.truth, 1, -4);
  const Problem problem = cell.problem();
  const Candidate best = screen(problem, model, 1).at(0);
  const Model both = with_pathway(model, best.pathway);
  std::vector<double> own, h, slope, curvature;
  for (std::size_t f = problem.fitted[0].begin; f < problem.fitted[0].end; ++f) {
    own.push_back(std::max(0.0, test::unit_input(cell.shape, cell.bases, cell.data, both, 0, f)));
    h.push_back(std::max(0.0, test::unit_input(cell.shape, cell.bases, cell.data, both, 1, f)));
    const double rate = test::rate_of(cell.shape, cell.bases, cell.data, model, f), open = 1 - std::exp(-0.3 * rate);
    slope.push_back(open * (0.01 - static_cast<double>(cell.data.counts[f]) / rate));
    curvature.push_back(open * open * 0.01 / rate);
  }
  const std::vector<double> ones(h.size(), 1.0);
  // h - a own - b, orthogonal to own and to ones.
  const double oo = product(own, curvature, own), o1 = product(own, curvature, ones), n = product(ones, curvature, ones);
  const double ho = product(h, curvature, own), h1 = product(h, curvature, ones), determinant = oo * n - o1 * o1;
  const double a = (ho * n - h1 * o1) / determinant, b = (h1 * oo - ho * o1) / determinant;
  std::vector<double> left = h;
  for (std::size_t i = 0; i < left.size(); ++i) left[i] -= a * own[i] + b;
  const double by_weight = product(slope, ones, left), square = product(left, curvature, left);
  EXPECT_NEAR(best.score, by_weight * by_weight / square, 1e-3 * best.score);
  const double newton = -by_weight / square / 30;  // half of it is taken
  EXPECT_NEAR(best.pathway.back(), std::clamp(0.5 * newton, -1.0, 1.0), 1e-3 * std::abs(newton));
}

TEST(Screening, CandidatesDifferAndComeBestFirst) {
  const test::MadeCell cell = two_pathways(8000);
  const std::vector<Candidate> found = screen(cell.problem(), constant_model(cell.shape, 9), 6);
  ASSERT_EQ(found.size(), 6u);
  const std::size_t S = cell.shape.bumps, J = cell.shape.courses;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::span<const double> own = found[i].pathway;
    EXPECT_NE(own.back(), 0.0);
    for (std::size_t j = 0; j < i; ++j) {
      const std::span<const double> better = found[j].pathway;
      EXPECT_GE(found[j].score, found[i].score);
      const double alike = test::cosine(own.first(S), better.first(S)) * test::cosine(own.subspan(S, J), better.subspan(S, J));
      EXPECT_TRUE(alike < 0.8 || (own.back() > 0) != (better.back() > 0)) << i << " and " << j;
    }
  }
}

TEST(Screening, ACandidateRaisesTheLikelihood) {
  const test::MadeCell cell = two_pathways(8000);
  const Problem problem = cell.problem();
  const Model constant = constant_model(cell.shape, 9);
  const Candidate best = screen(problem, constant, 1).at(0);
  // A small part of the weight, so that the slope holds.
  std::vector<double> part = best.pathway;
  part.back() *= 0.05;
  PathwaySettings free = cell.settings;
  free.spatial_prior = free.temporal_prior = 0;
  const Problem plain{free, cell.bases, cell.data, cell.shape, problem.fitted, problem.held_out};
  const std::vector<double> loss = fitted_loss(plain, {constant, with_pathway(constant, part)});
  EXPECT_LT(loss[1], loss[0]);
}

}  // namespace
}  // namespace amacrine::pathway
