// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/reduce.hpp"
#include "circuit_layer.hpp"

#include <cmath>

#include <gtest/gtest.h>

/// A network with a second rectified layer, seen through moving bars: what the reduction meets in trained models. One dimension
/// of space; OFF excitation and delayed OFF inhibition, each a channel of 36 columns, converge on second-layer units that the
/// cell sums.
namespace amacrine::reduction {
namespace {

constexpr int lags = 20, width = 9, columns = 36, pixels = columns + width - 1, wide = 11, second = columns - wide + 1;

struct TwoLayers {
  FirstLayer layer;
  std::vector<std::vector<double>> weight;  ///< (C, wide)
  double threshold = -0.2, constant = -1.0;
  std::vector<double> readout;  ///< (second)
};

double bump(double x, double centre, double sd) { return std::exp(-0.5 * (x - centre) * (x - centre) / (sd * sd)); }

TwoLayers network() {
  TwoLayers n;
  n.layer.channels = {"excitation", "inhibition"};
  n.layer.kernel = core::Array<float, 4>({2, lags, 1, width});
  n.layer.gain = core::Array<float, 3>({2, 1, columns}, 1.0f);
  n.layer.rest = core::Array<float, 3>({2, 1, columns});
  const double peak[] = {5, 9};
  for (std::size_t c = 0; c < 2; ++c) {
    for (int l = 0; l < lags; ++l)
      for (int x = 0; x < width; ++x)
        n.layer.kernel(c, lags - 1 - l, 0, x) =
            static_cast<float>(-bump(l, peak[c], 2.0) / 5.0 * bump(x, 4, c == 0 ? 1.2 : 2.0) / (c == 0 ? 3.0 : 5.0));
    for (int x = 0; x < columns; ++x) n.layer.rest(c, 0, x) = c == 0 ? -0.05f : -0.1f;
  }
  n.weight.assign(2, std::vector<double>(wide));
  for (int j = 0; j < wide; ++j) {
    n.weight[0][static_cast<std::size_t>(j)] = 1.5 * bump(j, 5, 1.5);
    n.weight[1][static_cast<std::size_t>(j)] = -0.8 * bump(j, 5, 3.0);
  }
  for (int k = 0; k < second; ++k) n.readout.push_back(12 * bump(k, 12.5, 2.0));
  return n;
}

/// Rate for hidden activities (2 x columns), and its gradient by them.
double rate(const TwoLayers& n, const std::vector<double>& h, std::vector<double>* gradient) {
  double u = n.constant;
  std::vector<double> open(second);
  for (int k = 0; k < second; ++k) {
    double x = n.threshold;
    for (int c = 0; c < 2; ++c)
      for (int j = 0; j < wide; ++j)
        x +=
            n.weight[static_cast<std::size_t>(c)][static_cast<std::size_t>(j)] * h[static_cast<std::size_t>(c * columns + k + j)];
    open[static_cast<std::size_t>(k)] = x > 0;
    u += n.readout[static_cast<std::size_t>(k)] * std::max(0.0, x);
  }
  if (gradient != nullptr) {
    gradient->assign(h.size(), 0.0);
    const double slope = 1 / (1 + std::exp(-u));
    for (int k = 0; k < second; ++k)
      for (int c = 0; c < 2; ++c)
        for (int j = 0; j < wide; ++j)
          (*gradient)[static_cast<std::size_t>(c * columns + k + j)] +=
              slope * n.readout[static_cast<std::size_t>(k)] * open[static_cast<std::size_t>(k)] *
              n.weight[static_cast<std::size_t>(c)][static_cast<std::size_t>(j)];
  }
  return testing::softplus(u, 1.0);
}

double hidden(const TwoLayers& n, int c, int x, double drive) {
  return std::max(0.0, drive + static_cast<double>(n.layer.rest(c, 0, x)));
}

using Movie = core::Array<double, 2>;  ///< (T, X) contrast

/// A dark bar, 3 px wide, that walks across, rightward or leftward.
Movie walk(double speed, double contrast, bool rightward) {
  const int frames = static_cast<int>((pixels + 20) / speed) + lags;
  Movie movie({static_cast<std::size_t>(frames), pixels});
  for (int t = 0; t < frames; ++t)
    for (int x = 0; x < pixels; ++x)
      movie(t, rightward ? x : pixels - 1 - x) = contrast * std::clamp(2.0 - std::abs(x - (speed * t - 5)), 0.0, 1.0);
  return movie;
}

/// A full-field flash of a few frames.
Movie flash(double contrast, int frames) {
  Movie movie({60, pixels});
  for (int t = 10; t < 10 + frames; ++t)
    for (int x = 0; x < pixels; ++x) movie(t, x) = contrast;
  return movie;
}

/// Attribution of every unit in every frame, along grey -> stimulus: gradient at the middle of each panel times the change of h
/// in it.
AttributedCondition attribute(const TwoLayers& n, const std::string& name, const Movie& movie) {
  const std::size_t frames = movie.extent(0);
  AttributedCondition condition;
  condition.name = name;
  condition.stimulus = stimulus_of(name);
  condition.drive = condition.attribution = condition.downstream = core::Array<double, 3>({frames, 2, columns});
  for (int t = 0; t < static_cast<int>(frames); ++t) {
    for (int c = 0; c < 2; ++c)
      for (int x = 0; x < columns; ++x)
        for (int l = 0; l < lags && l <= t; ++l)
          for (int i = 0; i < width; ++i)
            condition.drive(t, c, x) += static_cast<double>(n.layer.kernel(c, lags - 1 - l, 0, i)) * movie(t - l, x + i);
    const int panels = 100;
    std::vector<double> before(2 * columns), after(2 * columns), middle(2 * columns), gradient;
    const auto at = [&](double alpha, std::vector<double>& h) {
      for (int c = 0; c < 2; ++c)
        for (int x = 0; x < columns; ++x)
          h[static_cast<std::size_t>(c * columns + x)] = hidden(n, c, x, alpha * condition.drive(t, c, x));
    };
    at(0, before);
    for (int k = 1; k <= panels; ++k) {
      at(static_cast<double>(k) / panels, after);
      at((k - 0.5) / panels, middle);
      rate(n, middle, &gradient);
      for (std::size_t u = 0; u < before.size(); ++u)
        condition.attribution.data()[static_cast<std::size_t>(t) * 2 * columns + u] += gradient[u] * (after[u] - before[u]);
      before = after;
    }
    condition.rate.push_back(rate(n, after, nullptr));
    condition.frames.push_back(t);
  }
  return condition;
}

/// What is stored of a full field: one drive per channel, attributions summed over its units.
AttributedCondition as_full_field(const AttributedCondition& units) {
  AttributedCondition condition = units;
  condition.drive = condition.attribution = condition.downstream = core::Array<double, 3>({units.size(), 2, 1});
  for (std::size_t t = 0; t < units.size(); ++t)
    for (std::size_t c = 0; c < 2; ++c) {
      condition.drive(t, c, 0) = units.drive(t, c, 0);
      for (std::size_t x = 0; x < columns; ++x) condition.attribution(t, c, 0) += units.attribution(t, c, x);
    }
  return condition;
}

AttributedCell moving_bars(const TwoLayers& n) {
  AttributedCell cell;
  cell.name = "two layers";
  cell.centre_x = (pixels - 1) / 2.0;
  cell.rest = rate(n, std::vector<double>(2 * columns, 0.0), nullptr);
  for (double speed : {0.25, 0.35, 0.5})
    for (double contrast : {-1.0, -2.0})
      for (bool rightward : {true, false})
        cell.conditions.push_back(attribute(n, "moving_bar/", walk(speed, contrast, rightward)));
  return cell;
}

TEST(FullTwoLayers, MovingBarsGiveASmallModelThatHoldsOutside) {
  const TwoLayers n = network();
  AttributedCell cell = moving_bars(n);
  const ReductionSettings settings;
  mark_held_out(cell.conditions, settings.held_out_every);
  const auto result = reduce_cell(n.layer, lines_of(n.layer, true), label_channels(n.layer, settings), cell, settings);
  std::fputs(table(result, n.layer).c_str(), stdout);
  const Reduction& motion = result.stimuli.at(0);
  ASSERT_EQ(motion.pathways.size(), 2u) << "one sub-unit a channel";
  for (const Pathway& pathway : motion.pathways) {
    EXPECT_EQ(pathway.polarity, -1);
    EXPECT_EQ(pathway.influence.sign, pathway.channel == 0 ? 1 : -1);
    EXPECT_NEAR(pathway.position_px, 0.0, 0.5);
  }
  EXPECT_GT(motion.fitted.r, 0.95);
  EXPECT_GT(motion.held_out.r, 0.95);
}

TEST(FullTwoLayers, OneSetServesBarsAndFullFields) {
  const TwoLayers n = network();
  AttributedCell cell = moving_bars(n);
  for (double contrast : {-0.3, -0.5, -0.8, -1.0, -1.5, -2.0})
    cell.conditions.push_back(as_full_field(attribute(n, "latency/", flash(contrast, 2))));
  const ReductionSettings settings;
  mark_held_out(cell.conditions, settings.held_out_every);
  const auto result = reduce_cell(n.layer, lines_of(n.layer, true), label_channels(n.layer, settings), cell, settings);
  std::fputs(table(result, n.layer).c_str(), stdout);
  ASSERT_EQ(result.stimuli.size(), 2u);
  EXPECT_EQ(result.stimuli[1].pathways.at(0).column_first, -1) << "a full field tells no columns apart";
  EXPECT_GE(result.joint.pathways.at(0).column_first, 0) << "the joint set has the bars' columns";
  EXPECT_GT(result.stimuli[1].held_out.r, 0.95);
  for (std::size_t s = 0; s < 2; ++s) EXPECT_GT(result.joint_held_out[s].r, 0.9);
  // All attribution of a full field is shared out among the joint set's sub-units.
  const AttributedCondition& condition = cell.conditions.back();
  for (std::size_t t = 0; t < condition.size(); ++t) {
    double sum = 0;
    for (const Pathway& pathway : result.joint.pathways) sum += summed(pathway, condition.attribution, t);
    EXPECT_NEAR(sum, condition.attribution(t, 0, 0) + condition.attribution(t, 1, 0), 1e-9);
  }
}

}  // namespace
}  // namespace amacrine::reduction
