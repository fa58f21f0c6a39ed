// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/network_evidence.hpp"

#include "amacrine/core/random.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace amacrine::pathway {
namespace {

double output(const OutputOfPathways& o, const std::vector<double>& z, double a) {
  double u = o.rest_hz;
  for (std::size_t k = 0; k < z.size(); ++k) u += o.weight_hz[k] * std::max(0.0, o.threshold[k] + a * z[k]);
  return o.linear ? u : std::log1p(std::exp(o.beta_per_hz * u)) / o.beta_per_hz;
}

TEST(NetworkEvidence, PathwaysAreAttributedAsByAFineQuadrature) {
  const OutputOfPathways o{-3, 0.4, false, {40, -25, 12}, {-0.2, 0.1, 0.3}};
  const std::vector<double> z{0.9, -0.7, 0.5};
  const std::vector<double> found = attribute_pathways(o, z);
  constexpr int nodes = 20000;
  std::vector<double> expected(3, 0.0);
  for (int i = 0; i < nodes; ++i) {
    const double a = (i + 0.5) / nodes;
    double u = o.rest_hz;
    for (std::size_t k = 0; k < 3; ++k) u += o.weight_hz[k] * std::max(0.0, o.threshold[k] + a * z[k]);
    const double slope = 1 / (1 + std::exp(-o.beta_per_hz * u));
    for (std::size_t k = 0; k < 3; ++k)
      if (o.threshold[k] + a * z[k] > 0) expected[k] += slope * o.weight_hz[k] * z[k] / nodes;
  }
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(found[k], expected[k], 2e-3) << k;
  EXPECT_NEAR(std::accumulate(found.begin(), found.end(), 0.0), output(o, z, 1) - output(o, z, 0), 1e-9);
}

TEST(NetworkEvidence, TheDriveIsAttributedExactly) {
  const OutputOfPathways o{-3, 0.4, true, {40, -25}, {-0.2, 0.1}};
  const std::vector<double> found = attribute_pathways(o, std::vector<double>{0.9, -0.7});
  EXPECT_NEAR(found[0], 40 * 0.7, 1e-12);
  EXPECT_NEAR(found[1], 25 * 0.1, 1e-12);
  EXPECT_EQ(attribute_pathways(o, std::vector<double>{0, 0}), (std::vector<double>{0, 0}));
}

/// Pathways of noise, and five groups of a network: two follow the first, one the second, one turns the first round, one is
/// noise.
StimulusTraces planted() {
  constexpr std::size_t windows = 400;
  StimulusTraces traces{"made", core::Array<double, 2>({2, windows}), core::Array<double, 3>({5, 1, windows})};
  core::Random random(3, core::Stream::test, 1);
  for (std::size_t t = 0; t < windows; ++t) {
    const double a = random.normal(), b = random.normal();
    traces.pathways(0, t) = a, traces.pathways(1, t) = b;
    traces.network(0, 0, t) = 2 * a, traces.network(1, 0, t) = 0.5 * a, traces.network(2, 0, t) = 3 * b;
    traces.network(3, 0, t) = -a - 0.5 * b, traces.network(4, 0, t) = random.normal();
  }
  return traces;
}

TEST(NetworkEvidence, GroupsGoToThePathwayTheyFollowSignsIncluded) {
  const StimulusTraces traces = planted();
  const Following found = follow(traces);
  EXPECT_EQ(found.group(0, 0), 0);
  EXPECT_EQ(found.group(1, 0), 0);
  EXPECT_EQ(found.group(2, 0), 1);
  EXPECT_EQ(found.group(3, 0), -1);
  EXPECT_EQ(found.group(4, 0), -1);
  EXPECT_NEAR(found.correlation[0], 1, 1e-9);
  EXPECT_NEAR(found.correlation[1], 1, 1e-9);
  std::vector<double> absolute(5, 0.0);
  for (std::size_t l = 0; l < 5; ++l)
    for (std::size_t t = 0; t < traces.network.extent(2); ++t) absolute[l] += std::abs(traces.network(l, 0, t));
  const double all = std::accumulate(absolute.begin(), absolute.end(), 0.0);
  EXPECT_NEAR(found.share[0], (absolute[0] + absolute[1]) / all, 1e-12);
  EXPECT_NEAR(found.share[1], absolute[2] / all, 1e-12);
  EXPECT_NEAR(found.rest, (absolute[3] + absolute[4]) / all, 1e-12);
  EXPECT_NE(words({found}).find("1: 1.00, "), std::string::npos) << words({found});
}

TEST(NetworkEvidence, ANetworkThatDoesNotRespondHasNone) {
  StimulusTraces traces = planted();
  std::fill(traces.network.values().begin(), traces.network.values().end(), 0.0);
  const Following found = follow(traces);
  EXPECT_TRUE(std::isnan(found.rest));
  EXPECT_TRUE(std::isnan(found.correlation[0]));
  EXPECT_EQ(found.share[0], 0);
  EXPECT_EQ(found.group(0, 0), -1);
  EXPECT_NE(words({found}).find("does not respond"), std::string::npos);
}

/// A cell of two pathways, an OFF excitation and a later OFF inhibition 2 px to the right.
struct Planted {
  PathwaySettings settings;
  Bases bases;
  CellFit fit;
  Model model;

  Planted() {
    settings.radius_px = 4, settings.spacing_px = 2;
    bases = make_bases(settings, 12);
    fit.shape = {bases.bumps(), bases.courses(), 20, 0.01};
    model = constant_model(fit.shape, 10);
    add(0, -1, 3, -0.02, 1.5);
    add(2, -1, 6, -0.05, -0.8);
  }
  void add(double dx, double sign, std::size_t basis, double threshold, double weight) {
    std::vector<double> pathway = bases.gaussian(0, dx, 1.5), time(bases.courses(), 0.0);
    time[basis] = sign;
    pathway.insert(pathway.end(), time.begin(), time.end());
    pathway.insert(pathway.end(), {threshold, weight});
    model = with_pathway(model, pathway);
  }
  FittedModel fitted() const { return {bases, fit, model, {0, 1}, {10, 10}}; }
  /// z of a pathway, pixel by pixel: the frame is the newest one seen, the world before the movie grey.
  std::vector<double> output(std::size_t k, const core::Array<float, 3>& movie) const {
    const std::size_t F = movie.extent(0), Y = movie.extent(1), X = movie.extent(2);
    std::vector<double> profile;
    for (std::size_t i = 0; i < Y * X; ++i)
      profile.push_back(
          bases.profile(model.space(fit.shape, k), static_cast<double>(i / X) - 10, static_cast<double>(i % X) - 10));
    const std::vector<double> course = bases.time_course(model.time(fit.shape, k));
    std::vector<double> z(F, 0.0);
    for (std::size_t f = 0; f < F; ++f)
      for (std::size_t l = 0; l < course.size() && l <= f; ++l)
        for (std::size_t i = 0; i < Y * X; ++i) z[f] += course[l] * profile[i] * static_cast<double>(movie(f - l, i / X, i % X));
    return z;
  }
};

/// Full-field flashes and a bar, and the attributions of a network of three channels that is this cell: channels 0 and 2 share
/// the excitation, channel 1 is the inhibition. Of the bar it has two columns; the channels have theirs in the second.
TEST(NetworkEvidence, ANetworkThatIsTheCellFollowsItsPathways) {
  const Planted planted;
  const stimulus::Screen screen{21, 21, 55, 10};
  Shown shown{{}, screen, {10, 10}, 1, true};
  shown.catalogue = stimulus::conditions(stimulus::OsrProbe{.periods_ms = {60, 100}}, screen);
  const auto bars = stimulus::conditions(stimulus::AnticipationProbe{.half_path = 3, .flash_positions_px = {0}}, screen);
  shown.catalogue.insert(shown.catalogue.end(), bars.begin(), bars.begin() + 2);
  reduction::AttributedCell cell;
  for (const stimulus::Condition& condition : shown.catalogue) {
    const core::Array<float, 3> movie = stimulus::render(condition, screen, shown.centre).contrast;
    const std::size_t columns = condition.bar_px.empty() ? 1 : 2, windows = movie.extent(0) - 20;
    reduction::AttributedCondition a;
    a.name = condition.name, a.stimulus = reduction::stimulus_of(condition.name), a.rate.assign(windows, 0.0);
    a.attribution = core::Array<double, 3>({windows, 3, columns});
    const std::vector<double> first = planted.output(0, movie), second = planted.output(1, movie);
    for (std::size_t t = 0; t < windows; ++t) {
      a.frames.push_back(static_cast<int>(t + 20));
      // A minimum lag of one frame; the drive is attributed, so A = w (h - h at grey).
      const double early = 30 * std::max(0.0, first[t + 19] - 0.02), late = -16 * std::max(0.0, second[t + 19] - 0.05);
      a.attribution(t, 0, columns - 1) = 0.25 * early, a.attribution(t, 2, columns - 1) = 0.75 * early;
      a.attribution(t, 1, columns - 1) = late;
    }
    cell.conditions.push_back(a);
  }
  const std::vector<StimulusTraces> traces = traces_of(planted.fitted(), shown, cell);
  ASSERT_EQ(traces.size(), 2u);
  for (const StimulusTraces& each : traces) {
    const std::size_t last = each.network.extent(1) - 1, T = each.network.extent(2);
    double largest = 0, apart = 0;
    for (std::size_t t = 0; t < T; ++t) {
      largest = std::max(largest, std::abs(each.pathways(0, t)));
      apart = std::max({apart, std::abs(each.pathways(0, t) - each.network(0, last, t) - each.network(2, last, t)),
                        std::abs(each.pathways(1, t) - each.network(1, last, t))});
    }
    EXPECT_GT(largest, 1);
    EXPECT_TRUE(apart <= 1e-3 * largest) << apart;
    const Following found = follow(each);
    EXPECT_EQ(found.group(0, last), 0);
    EXPECT_EQ(found.group(2, last), 0);
    EXPECT_EQ(found.group(1, last), 1);
    EXPECT_NEAR(found.correlation[0], 1, 1e-5);
    EXPECT_NEAR(found.correlation[1], 1, 1e-5);
    EXPECT_NEAR(found.share[0] + found.share[1], 1, 1e-12);
    EXPECT_EQ(found.rest, 0);
  }
  EXPECT_EQ(traces[1].network.extent(1), 2u);
}

}  // namespace
}  // namespace amacrine::pathway
