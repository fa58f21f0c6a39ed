// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/metrics.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/random.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace amacrine::training {
namespace {

using Series = std::vector<float>;
using Block = FrameSums::Block;

/// Poisson trials of a known rate: counts in 10 ms bins times 100, so that the noise variance of frame t is 100 x rate.
struct Simulated {
  Series rate, prediction, mean;
  std::vector<Series> repeats;
  double signal = 0, noise = 0;  ///< true variances: of the rate over frames, of a trial about the rate

  CellSeries cell(const Series& predicted, bool with_noiseless = true) const {
    CellSeries series{predicted, mean, {}, {}};
    if (with_noiseless) series.noiseless = rate;
    for (const auto& repeat : repeats) series.repeats.emplace_back(repeat);
    return series;
  }
};

Simulated simulate(std::uint64_t seed, std::size_t frames, std::size_t repeats) {
  core::Random random(seed, core::Stream::test), spikes(seed, core::Stream::spikes);
  Simulated out;
  double mean = 0, square = 0;
  for (std::size_t t = 0; t < frames; ++t) {
    const float rate = static_cast<float>(40.0 * (1 + std::sin(0.05 * static_cast<double>(t))) * random.uniform(0.5, 1.5));
    out.rate.push_back(rate);
    out.prediction.push_back(static_cast<float>(0.8 * rate + 10 * random.normal()));
    mean += rate / static_cast<double>(frames);
    square += static_cast<double>(rate) * rate / static_cast<double>(frames);
  }
  out.signal = square - mean * mean;
  out.noise = 100 * mean;
  out.mean.assign(frames, 0.0f);
  for (std::size_t k = 0; k < repeats; ++k) {
    Series repeat;
    for (std::size_t t = 0; t < frames; ++t) repeat.push_back(100.0f * static_cast<float>(spikes.poisson(out.rate[t] / 100.0)));
    for (std::size_t t = 0; t < frames; ++t) out.mean[t] += repeat[t] / static_cast<float>(repeats);
    out.repeats.push_back(repeat);
  }
  return out;
}

double mean_of(const std::vector<double>& x) {
  double sum = 0;
  for (double value : x) sum += value;
  return sum / static_cast<double>(x.size());
}
double sum_of_squares(const std::vector<double>& x, double centre) {
  double sum = 0;
  for (double value : x) sum += (value - centre) * (value - centre);
  return sum;
}
double plain_correlation(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - mean_of(x)) * (y[i] - mean_of(y));
  return sum / std::sqrt(sum_of_squares(x, mean_of(x)) * sum_of_squares(y, mean_of(y)));
}
double mean_error(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum / static_cast<double>(x.size());
}
std::vector<double> taken(std::span<const float> x, std::span<const Block> blocks) {
  std::vector<double> out;
  for (const Block& block : blocks)
    for (std::size_t t = 0; t < block.count; ++t) out.push_back(x[block.first + t]);
  return out;
}

/// Every figure straight from its definition in docs/metrics.md, on the frames of `blocks` copied out one by one.
struct Plain {
  Figures model{}, ceiling{};
};
Plain plain_figures(const CellSeries& cell, std::span<const Block> blocks) {
  const auto p = taken(cell.prediction, blocks), a = taken(cell.target, blocks), n = taken(cell.noiseless, blocks);
  const double T = static_cast<double>(p.size()), R = static_cast<double>(cell.repeats.size());
  std::vector<double> all, m(p.size(), 0.0);
  std::vector<std::vector<double>> y;
  for (const auto& repeat : cell.repeats) {
    y.push_back(taken(repeat, blocks));
    all.insert(all.end(), y.back().begin(), y.back().end());
    for (std::size_t t = 0; t < m.size(); ++t) m[t] += y.back()[t] / R;
  }
  double noise = 0, trial_error = 0, jackknife = 0;
  for (const auto& trial : y) {
    std::vector<double> others(m.size());
    for (std::size_t t = 0; t < m.size(); ++t) {
      noise += (trial[t] - m[t]) * (trial[t] - m[t]) / (R - 1) / T;
      others[t] = (R * m[t] - trial[t]) / (R - 1);
    }
    trial_error += mean_error(p, trial) / R;
    jackknife += plain_correlation(trial, others) / R;
  }
  const double total = sum_of_squares(all, mean_of(all)) / (R * T - 1), var_m = sum_of_squares(m, mean_of(m)) / T;
  const double signal = var_m * T / (T - 1) - noise / R;
  return {
      {plain_correlation(p, n), plain_correlation(p, a), 1 - mean_error(p, a) * T / sum_of_squares(a, mean_of(a)),
       1 - (trial_error - noise) / (total - noise)},
      {jackknife, var_m / std::sqrt(var_m * (var_m + noise)), (total - noise) / total, std::sqrt(signal / (signal + noise / R))}};
}

TEST(Metrics, SumsGiveWhatTheDefinitionsGive) {
  const Simulated cell = simulate(3, 300, 4);
  const CellSeries series = cell.cell(cell.prediction);
  const FrameSums sums(series);
  // The whole sequence, and one with repeated, overlapping and cut blocks.
  const std::vector<std::vector<Block>> choices{{{0, 300}}, {{250, 50}, {10, 50}, {30, 50}, {10, 50}, {99, 50}, {0, 50}}};
  for (const auto& blocks : choices) {
    const Plain plain = plain_figures(series, blocks);
    const Figures model = sums.model_figures(sums.sum(blocks)), ceiling = sums.ceiling_figures(sums.sum(blocks));
    for (std::size_t f = 0; f < 4; ++f) {
      EXPECT_NEAR(model[f], plain.model[f], 1e-10) << model_figure_names[f];
      EXPECT_NEAR(ceiling[f], plain.ceiling[f], 1e-10) << ceiling_figure_names[f];
    }
  }
}

TEST(Metrics, FiguresOfAResampleAreThoseOfItsFrames) {
  const Simulated cell = simulate(4, 260, 3);
  const CellSeries series = cell.cell(cell.prediction);
  const FrameSums sums(series);
  for (int i = 0; i < 5; ++i) {
    const auto blocks = draw_blocks({.resamples = 5, .block_frames = 40, .level = 0.95, .seed = 2}, 260, i);
    const Plain plain = plain_figures(series, blocks);
    const Figures model = sums.model_figures(sums.sum(blocks)), ceiling = sums.ceiling_figures(sums.sum(blocks));
    for (std::size_t f = 0; f < 4; ++f) {
      EXPECT_NEAR(model[f], plain.model[f], 1e-9) << model_figure_names[f];
      EXPECT_NEAR(ceiling[f], plain.ceiling[f], 1e-9) << ceiling_figure_names[f];
    }
  }
}

TEST(Metrics, ClosedForms) {
  const Series y{1, 4, 2, 8, 5, 7}, twice{2, 8, 4, 16, 10, 14}, upside_down{-1, -4, -2, -8, -5, -7}, flat(6, 4.5f);
  const auto figures = [&](const Series& p) {
    const FrameSums sums(CellSeries{p, y, {}, {}});
    return sums.model_figures(sums.sum());
  };
  EXPECT_NEAR(figures(y)[pearson_r], 1, 1e-14);
  EXPECT_NEAR(figures(y)[fev], 1, 1e-14);
  EXPECT_NEAR(figures(twice)[pearson_r], 1, 1e-14);
  // mean (2y - y)^2 = mean y^2 = 159/6, var y = 159/6 - 4.5^2.
  EXPECT_NEAR(figures(twice)[fev], 1 - 26.5 / (26.5 - 20.25), 1e-13);
  EXPECT_NEAR(figures(upside_down)[pearson_r], -1, 1e-14);
  EXPECT_TRUE(std::isnan(figures(flat)[pearson_r]));
  EXPECT_NEAR(figures(flat)[fev], 0, 1e-14);
  EXPECT_EQ(figures(y)[score], figures(y)[pearson_r]);  // no noiseless rate: the trial mean is the reference
  EXPECT_TRUE(std::isnan(figures(y)[feve]));
}

TEST(Metrics, SilentCellsAndSingleTrialsHaveNoCeiling) {
  const Simulated cell = simulate(5, 100, 1);
  const FrameSums single(cell.cell(cell.prediction));
  for (double figure : single.ceiling_figures(single.sum())) EXPECT_TRUE(std::isnan(figure));
  EXPECT_TRUE(std::isfinite(single.model_figures(single.sum())[pearson_r]));

  const Series silence(100, 0.0f);
  const FrameSums silent(CellSeries{cell.prediction, silence, silence, {silence, silence, silence}});
  for (double figure : silent.model_figures(silent.sum())) EXPECT_TRUE(std::isnan(figure));
  for (double figure : silent.ceiling_figures(silent.sum())) EXPECT_TRUE(std::isnan(figure));
  const Series constant(100, 0.1f);  // not a binary fraction: its mean is not exact
  const FrameSums dead(CellSeries{constant, cell.mean, cell.rate, {}});
  EXPECT_TRUE(std::isnan(dead.model_figures(dead.sum())[score]));
}

TEST(Metrics, RefusesWhatIsNotFiniteAndUnequalLengths) {
  const Simulated cell = simulate(6, 50, 2);
  Series bad = cell.prediction;
  bad[7] = NAN;
  EXPECT_THROW(FrameSums(cell.cell(bad)), core::Error);
  bad.pop_back();
  EXPECT_THROW(FrameSums(cell.cell(bad)), core::Error);
}

/// Mean over independent simulated cells and its standard error.
struct Estimate {
  double mean = 0, error = 0;
};
template <class Figure>
Estimate estimate(Figure figure, int cells = 24) {
  std::vector<double> values;
  for (int i = 0; i < cells; ++i) values.push_back(figure(simulate(100 + static_cast<std::uint64_t>(i), 4000, 8)));
  const double mean = mean_of(values);
  return {mean, std::sqrt(sum_of_squares(values, mean) / (cells - 1) / cells)};
}
Figures model_of_truth(const Simulated& cell) {
  const FrameSums sums(cell.cell(cell.rate));
  return sums.model_figures(sums.sum());
}
Figures ceiling_of(const Simulated& cell) {
  const FrameSums sums(cell.cell(cell.rate));
  return sums.ceiling_figures(sums.sum());
}

// Known answers on Poisson trials of a known rate. A deviation from the expectation must be within 4 standard errors, and the
// standard error itself small; expectations of ratios carry a bias of order 1/T, far below.
TEST(Metrics, TheTrueRateExplainsAllThatIsExplainable) {
  const Estimate e = estimate([](const Simulated& cell) { return model_of_truth(cell)[feve]; });
  EXPECT_LT(e.error, 5e-3);
  EXPECT_LE(std::abs(e.mean - 1), 4 * e.error);
}

TEST(Metrics, TheTrueRateReachesTheNoiseCeiling) {
  const auto expected = [](const Simulated& cell) { return std::sqrt(cell.signal / (cell.signal + cell.noise / 8)); };
  const Estimate truth = estimate([&](const Simulated& cell) { return model_of_truth(cell)[pearson_r] - expected(cell); });
  EXPECT_LT(truth.error, 2e-3);
  EXPECT_LE(std::abs(truth.mean), 4 * truth.error);
  const Estimate ceiling = estimate([&](const Simulated& cell) { return ceiling_of(cell)[noise_ceiling] - expected(cell); });
  EXPECT_LT(ceiling.error, 2e-3);
  EXPECT_LE(std::abs(ceiling.mean), 4 * ceiling.error);
}

TEST(Metrics, OraclesBracketTheBestModel) {
  const auto best = [](const Simulated& cell) { return std::sqrt(cell.signal / (cell.signal + cell.noise)); };
  const auto below = [](const Simulated& cell) {
    return cell.signal / std::sqrt((cell.signal + cell.noise) * (cell.signal + cell.noise / 7));
  };
  const auto above = [](const Simulated& cell) {
    const double var_m = cell.signal + cell.noise / 8;
    return std::sqrt(var_m / (var_m + cell.noise));
  };
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const Simulated cell = simulate(seed, 4000, 8);
    EXPECT_LT(ceiling_of(cell)[oracle_jackknife], best(cell));
    EXPECT_GT(ceiling_of(cell)[oracle_conservative], best(cell));
  }
  const Estimate low = estimate([&](const Simulated& cell) { return ceiling_of(cell)[oracle_jackknife] - below(cell); });
  EXPECT_LE(std::abs(low.mean), 4 * low.error);
  const Estimate high = estimate([&](const Simulated& cell) { return ceiling_of(cell)[oracle_conservative] - above(cell); });
  EXPECT_LE(std::abs(high.mean), 4 * high.error);
  EXPECT_LT(std::max(low.error, high.error), 3e-3);
}

TEST(Metrics, ExplainableVarianceIsTheSignalsShare) {
  const Estimate e = estimate(
      [](const Simulated& cell) { return ceiling_of(cell)[explainable_variance] - cell.signal / (cell.signal + cell.noise); });
  EXPECT_LT(e.error, 3e-3);
  EXPECT_LE(std::abs(e.mean), 4 * e.error);
}

TEST(Metrics, PearsonOfDoubles) {
  EXPECT_NEAR(pearson(std::vector<double>{1, 2, 3}, std::vector<double>{1, 3, 2}), 0.5, 1e-15);
  EXPECT_TRUE(std::isnan(pearson(std::vector<double>{0.1, 0.1, 0.1}, std::vector<double>{1, 3, 2})));
  EXPECT_THROW(pearson(std::vector<double>{1}, std::vector<double>{1}), core::Error);
}

TEST(Bootstrap, BlocksCoverTheLengthAndDependOnSeedAndNumberOnly) {
  const Bootstrap bootstrap{.resamples = 10, .block_frames = 30, .level = 0.95, .seed = 7};
  std::vector<int> first_hits(71, 0);
  for (int i = 0; i < 2000; ++i) {
    std::size_t total = 0;
    for (const Block& block : draw_blocks(bootstrap, 100, i)) {
      ASSERT_LE(block.first + block.count, 100u);
      total += block.count;
      ++first_hits[block.first];
    }
    ASSERT_EQ(total, 100u);
  }
  // 8000 draws over 71 starts: 113 each, sd 10.5.
  for (int hits : first_hits) EXPECT_NEAR(hits, 8000.0 / 71, 5 * 10.5);
  const auto again = draw_blocks(bootstrap, 100, 3), once = draw_blocks(bootstrap, 100, 3);
  for (std::size_t b = 0; b < once.size(); ++b) EXPECT_EQ(again[b].first, once[b].first);
  Bootstrap other = bootstrap;
  other.seed = 8;
  bool differs = false;
  for (std::size_t b = 0; b < once.size(); ++b) differs = differs || draw_blocks(other, 100, 3)[b].first != once[b].first;
  EXPECT_TRUE(differs);
}

TEST(Bootstrap, PercentilesAreLinearBetweenOrderStatistics) {
  std::vector<double> values;
  for (int i = 0; i <= 100; ++i) values.push_back(100 - i);
  const auto interval = percentile_interval(values, 0.9);
  EXPECT_NEAR(interval[0], 5, 1e-12);
  EXPECT_NEAR(interval[1], 95, 1e-12);
  const auto two = percentile_interval({1.0, 2.0}, 0.5);
  EXPECT_NEAR(two[0], 1.25, 1e-12);
  EXPECT_NEAR(two[1], 1.75, 1e-12);
  EXPECT_TRUE(std::isnan(percentile_interval({1.0, NAN, NAN}, 0.9)[0]));
  EXPECT_TRUE(std::isnan(percentile_interval({}, 0.9)[1]));
}

/// Two series of unit variance and correlation rho, each with correlation `memory` between neighbouring frames.
std::pair<Series, Series> correlated(std::uint64_t seed, std::size_t frames, double rho, double memory) {
  core::Random random(seed, core::Stream::test, 1);
  const double drive = std::sqrt(1 - memory * memory);
  double x = random.normal(), z = random.normal();
  std::pair<Series, Series> out;
  for (std::size_t t = 0; t < frames; ++t) {
    out.first.push_back(static_cast<float>(x));
    out.second.push_back(static_cast<float>(rho * x + std::sqrt(1 - rho * rho) * z));
    x = memory * x + drive * random.normal();
    z = memory * z + drive * random.normal();
  }
  return out;
}

double coverage(double memory, int block, std::size_t frames = 1000, double level = 0.95) {
  const Bootstrap bootstrap{.resamples = 400, .block_frames = block, .level = level, .seed = 5};
  const int sets = 300;
  int covered = 0;
  for (int i = 0; i < sets; ++i) {
    const auto [x, y] = correlated(static_cast<std::uint64_t>(i), frames, 0.7, memory);
    const FrameSums sums(CellSeries{x, y, {}, {}});
    std::vector<double> values;
    for (int k = 0; k < bootstrap.resamples; ++k)
      values.push_back(sums.model_figures(sums.sum(draw_blocks(bootstrap, frames, k)))[pearson_r]);
    const auto interval = percentile_interval(values, bootstrap.level);
    covered += interval[0] <= 0.7 && 0.7 <= interval[1] ? 1 : 0;
  }
  return covered / static_cast<double>(sets);
}

// 95 % intervals: 300 sets give a standard error of 1.3 %. A percentile bootstrap of 1000 frames falls a few percent short.
TEST(Bootstrap, IntervalsCoverTheTruthAsOftenAsTheySay) {
  const double independent = coverage(0.0, 1);
  EXPECT_GT(independent, 0.90);
  EXPECT_LT(independent, 0.99);
}

TEST(Bootstrap, ShortSequencesHaveShorterBlocksAndWiderIntervalsOrNone) {
  const IntervalPlan usual = plan_intervals(6000, 10, 100, 0.95);
  EXPECT_EQ(usual.block_frames, 100);
  EXPECT_EQ(usual.told, "");
  // 60 blocks: t of 59 degrees of freedom is 2.001, times sqrt(60 / 59); 97.83 % of a normal distribution lie within 2.018.
  EXPECT_NEAR(usual.level, std::erf(2.001 * std::sqrt(60.0 / 59) / std::sqrt(2.0)), 1e-4);
  const IntervalPlan shorter = plan_intervals(120, 10, 100, 0.95);
  EXPECT_EQ(shorter.block_frames, 20);
  EXPECT_NEAR(shorter.level, std::erf(2.5706 * std::sqrt(6.0 / 5) / std::sqrt(2.0)), 5e-4);  // t of 5
  EXPECT_NE(shorter.told.find("20 frames"), std::string::npos);
  const IntervalPlan none = plan_intervals(89, 10, 100, 0.95);  // six blocks of 150 ms are 90
  EXPECT_EQ(none.block_frames, 0);
  EXPECT_NE(none.told.find("no intervals"), std::string::npos);
  EXPECT_EQ(plan_intervals(89, 10, 1, 0.95).block_frames, 1) << "who asks for single frames gets them";
  EXPECT_EQ(plan_intervals(60, 1000.0 / 60, 100, 0.95).block_frames, 10);
  EXPECT_EQ(plan_intervals(53, 1000.0 / 60, 100, 0.95).block_frames, 0);
}

TEST(Bootstrap, IntervalsOfShortSequencesCoverTheTruthToo) {
  const IntervalPlan plan = plan_intervals(90, 10, 100, 0.95);
  const double wider = coverage(0.7, plan.block_frames, 90, plan.level), usual = coverage(0.7, plan.block_frames, 90);
  EXPECT_GT(wider, 0.92);
  EXPECT_LT(wider, 0.99);
  EXPECT_LT(usual, wider - 0.02) << "without the wider percentiles they claim too much";
  EXPECT_EQ(coverage(0.7, 100, 90), 0.0) << "one block is no sample";
}

TEST(Bootstrap, BlocksRespectCorrelationOverTime) {
  const double single_frames = coverage(0.9, 1), blocks = coverage(0.9, 60);
  EXPECT_LT(single_frames, 0.70);  // neighbours are alike: drawing frames one by one pretends to know too much
  EXPECT_GT(blocks, 0.84);
}

}  // namespace
}  // namespace amacrine::training
