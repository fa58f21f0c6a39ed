// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/evaluation.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace amacrine::training {
namespace {

using core::undefined;
constexpr std::size_t figure_count = 4;

/// The last frames of each row of (N, T), the first `discard` left out.
core::Array<float, 2> kept(const core::Array<float, 2>& series, std::size_t discard) {
  if (series.empty()) return {};
  core::Array<float, 2> out({series.extent(0), series.extent(1) - discard});
  for (std::size_t n = 0; n < out.extent(0); ++n)
    std::copy(series.row(n).begin() + static_cast<std::ptrdiff_t>(discard), series.row(n).end(), out.row(n).begin());
  return out;
}

void copy_series(const recording::Part& test, const std::vector<Prediction>& predictions, std::size_t discard, Evaluation& out) {
  const std::size_t cells = out.cells.size(), frames = test.target.extent(1) - discard;
  out.noiseless = kept(test.noiseless, discard);
  out.target = kept(test.target, discard);
  out.rate = core::Array<float, 3>({predictions.size(), cells, frames});
  for (std::size_t m = 0; m < predictions.size(); ++m) {
    const auto& rates = predictions[m].rates;
    core::require(rates.extent(0) == cells && rates.extent(1) == frames + discard,
                  "the prediction of '{}' is {} cells x {} frames, the test part has {} x {}", predictions[m].model,
                  rates.extent(0), rates.extent(1), cells, frames + discard);
    const auto block = kept(rates, discard);
    std::copy(block.values().begin(), block.values().end(), out.rate.row(m).begin());
  }
  if (test.repeats.empty()) return;
  out.repeats = core::Array<float, 3>({test.repeats.extent(0), cells, frames});
  for (std::size_t r = 0; r < out.repeats.extent(0); ++r)
    for (std::size_t n = 0; n < cells; ++n) std::copy_n(&test.repeats(r, n, discard), frames, &out.repeats(r, n, std::size_t{0}));
}

/// The kept series of one cell; repeats padded with NaN (cells with fewer of them) are left out.
CellSeries series_of(const Evaluation& evaluation, std::size_t model, std::size_t cell) {
  const std::size_t frames = evaluation.target.extent(1);
  CellSeries series{{&evaluation.rate(model, cell, std::size_t{0}), frames}, evaluation.target.row(cell), {}, {}};
  if (!evaluation.noiseless.empty()) series.noiseless = evaluation.noiseless.row(cell);
  for (std::size_t r = 0; r < (evaluation.repeats.empty() ? 0 : evaluation.repeats.extent(0)); ++r) {
    const std::span<const float> repeat{&evaluation.repeats(r, cell, std::size_t{0}), frames};
    if (std::none_of(repeat.begin(), repeat.end(), [](float value) { return std::isnan(value); }))
      series.repeats.push_back(repeat);
  }
  return series;
}

double spikes_of(std::span<const float> rate, double frame_ms) {
  return std::accumulate(rate.begin(), rate.end(), 0.0) * frame_ms / 1000.0;
}

/// Repeats without a spike, of cells with another of more than 20, and the ceiling without them.
void find_empty_repeats(Evaluation& evaluation) {
  constexpr double many_spikes = 20;
  const std::size_t cells = evaluation.cells.size();
  evaluation.empty_repeats.assign(cells, 0);
  evaluation.ceiling_without_empty.assign(cells, undefined);
  for (std::size_t n = 0; n < cells; ++n) {
    CellSeries series = series_of(evaluation, 0, n);
    const std::size_t all = series.repeats.size();
    const auto spikes = [&](const std::span<const float>& repeat) { return spikes_of(repeat, evaluation.frame_ms); };
    if (std::none_of(series.repeats.begin(), series.repeats.end(), [&](const auto& r) { return spikes(r) > many_spikes; }))
      continue;
    std::erase_if(series.repeats, [&](const auto& repeat) { return spikes(repeat) == 0; });
    evaluation.empty_repeats[n] = all - series.repeats.size();
    if (evaluation.empty_repeats[n] == 0) continue;
    const FrameSums sums(series);
    evaluation.ceiling_without_empty[n] = sums.ceiling_figures(sums.sum())[noise_ceiling];
  }
}

void flag_cells(Evaluation& evaluation) {
  const std::size_t cells = evaluation.cells.size();
  evaluation.silent.assign(cells, false);
  evaluation.no_ceiling.assign(cells, false);
  for (std::size_t n = 0; n < cells; ++n) {
    const auto row = evaluation.target.row(n);
    const auto [low, high] = std::minmax_element(row.begin(), row.end());
    evaluation.silent[n] = evaluation.cells[n].silent || *low == *high;
    evaluation.no_ceiling[n] = evaluation.cells[n].no_ceiling || series_of(evaluation, 0, n).repeats.size() < 2;
  }
  const bool any_ceiling =
      std::find(evaluation.no_ceiling.begin(), evaluation.no_ceiling.end(), false) != evaluation.no_ceiling.end();
  evaluation.counted.resize(cells);
  for (std::size_t n = 0; n < cells; ++n)
    evaluation.counted[n] = !evaluation.silent[n] && !(any_ceiling && evaluation.no_ceiling[n]);
}

/// Figures of all models and cells for one set of blocks: (F, M, N).
using Figure = Figures (FrameSums::*)(std::span<const double>) const;
core::Array<double, 3> figures_of(const std::vector<std::vector<FrameSums>>& sums, Figure figure,
                                  std::span<const FrameSums::Block> blocks) {
  core::Array<double, 3> values({figure_count, sums.size(), sums[0].size()});
  for (std::size_t m = 0; m < sums.size(); ++m)
    for (std::size_t n = 0; n < sums[m].size(); ++n) {
      const Figures of_cell = (sums[m][n].*figure)(sums[m][n].sum(blocks));
      for (std::size_t f = 0; f < figure_count; ++f) values(f, m, n) = of_cell[f];
    }
  return values;
}

/// Mean over counted cells. A prediction that does not vary has no correlation and counts as 0 (zero_where_undefined).
double mean_of(const core::Array<double, 3>& values, std::size_t f, std::size_t m, const std::vector<bool>& counted,
               bool zero_where_undefined) {
  double sum = 0, count = 0;
  for (std::size_t n = 0; n < counted.size(); ++n) {
    const double value = values(f, m, n);
    if (!counted[n] || (!std::isfinite(value) && !zero_where_undefined)) continue;
    sum += std::isfinite(value) ? value : 0.0;
    count += 1;
  }
  return count > 0 ? sum / count : undefined;
}

FigureTable make_table(const std::vector<std::vector<FrameSums>>& sums, Figure figure, const Evaluation& evaluation,
                       bool of_model) {
  const std::size_t models = sums.size(), cells = sums[0].size();
  const EvaluationSettings& settings = evaluation.settings;
  const auto zero_where_undefined = [&](std::size_t f) { return of_model && (f == score || f == pearson_r); };
  const FrameSums::Block all{0, sums[0][0].frames()};
  FigureTable table{figures_of(sums, figure, {&all, 1}), core::Array<double, 4>({figure_count, models, cells, 2}, undefined),
                    core::Array<double, 2>({figure_count, models}), core::Array<double, 3>({figure_count, models, 2}, undefined)};
  const IntervalPlan& plan = evaluation.intervals;
  const Bootstrap bootstrap{plan.block_frames > 0 ? static_cast<int>(settings.bootstrap_samples) : 0, plan.block_frames,
                            plan.level, settings.seed};
  std::vector<core::Array<double, 3>> resampled;
  resampled.reserve(settings.bootstrap_samples);
  for (int i = 0; i < bootstrap.resamples; ++i) {
    parallel::throw_if_stopped();
    resampled.push_back(figures_of(sums, figure, draw_blocks(bootstrap, sums[0][0].frames(), i)));
  }

  std::vector<double> values(resampled.size());
  for (std::size_t f = 0; f < figure_count; ++f)
    for (std::size_t m = 0; m < models; ++m) {
      table.mean(f, m) = mean_of(table.value, f, m, evaluation.counted, zero_where_undefined(f));
      for (std::size_t i = 0; i < resampled.size(); ++i)
        values[i] = mean_of(resampled[i], f, m, evaluation.counted, zero_where_undefined(f));
      const auto of_mean = percentile_interval(std::isfinite(table.mean(f, m)) ? values : std::vector<double>{}, bootstrap.level);
      for (std::size_t b = 0; b < 2; ++b) table.mean_interval(f, m, b) = of_mean[b];
      for (std::size_t n = 0; n < cells; ++n) {
        if (!std::isfinite(table.value(f, m, n))) continue;
        for (std::size_t i = 0; i < resampled.size(); ++i) values[i] = resampled[i](f, m, n);
        const auto interval = percentile_interval(values, bootstrap.level);
        for (std::size_t b = 0; b < 2; ++b) table.interval(f, m, n, b) = interval[b];
      }
    }
  return table;
}

}  // namespace

Evaluation evaluate_predictions(const recording::Recording& recording, const std::vector<Prediction>& predictions,
                                const EvaluationSettings& settings) {
  const recording::Part& test = recording.test;
  core::require(!predictions.empty() && !recording.cells.empty(), "an evaluation needs at least one model and one cell");
  core::require<core::InputError>(test.target.extent(1) >= settings.discard_frames + 2,
                                  "{}: the test part has {} frames; evaluation.discard_frames = {} leaves too few to score",
                                  recording.path, test.target.extent(1), settings.discard_frames);
  Evaluation evaluation;
  evaluation.cells = recording.cells;
  evaluation.settings = settings;
  evaluation.target_kind = recording.target_kind;
  evaluation.frame_ms = recording.screen.frame_ms;
  copy_series(test, predictions, settings.discard_frames, evaluation);
  flag_cells(evaluation);
  evaluation.intervals = plan_intervals(evaluation.target.extent(1), evaluation.frame_ms,
                                        static_cast<int>(settings.bootstrap_block), settings.confidence);
  find_empty_repeats(evaluation);

  std::vector<std::vector<FrameSums>> sums(predictions.size());
  for (std::size_t m = 0; m < predictions.size(); ++m) {
    evaluation.models.push_back(predictions[m].model);
    for (std::size_t n = 0; n < recording.cells.size(); ++n) sums[m].emplace_back(series_of(evaluation, m, n));
  }
  evaluation.model_figures = make_table(sums, &FrameSums::model_figures, evaluation, true);
  sums.resize(1);
  evaluation.ceiling_figures = make_table(sums, &FrameSums::ceiling_figures, evaluation, false);
  return evaluation;
}

}  // namespace amacrine::training
