// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/metrics.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/core/random.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace amacrine::training {
namespace {

using core::undefined;

/// Where each sum lies. p prediction, a target, n noiseless, m mean of the repeats; the series are centred. Then three per repeat
/// y: y, yy, ym.
enum Feature { f_p, f_a, f_n, f_m, f_pp, f_aa, f_nn, f_mm, f_pa, f_pn, f_pm, f_within, f_repeats };

/// First and second moments over T frames.
double variance(double xx, double x, double frames) { return std::max(0.0, xx / frames - (x / frames) * (x / frames)); }
double covariance(double xy, double x, double y, double frames) { return xy / frames - (x / frames) * (y / frames); }
/// Relative to the mean square a variance this small is rounding: the series does not vary.
bool varies(double var, double mean_square) { return var > 1e-12 * mean_square && var > 0; }

double correlation(double xy, double xx, double yy) {
  return xx > 0 && yy > 0 ? std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0) : undefined;
}

double mean_of(std::span<const float> values) {
  double sum = 0;
  for (float value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

void check_length(std::span<const float> values, std::size_t frames, const char* what) {
  core::require(values.size() == frames, "metrics: the {} has {} frames, the prediction has {}", what, values.size(), frames);
  for (std::size_t t = 0; t < frames; ++t)
    core::require(std::isfinite(values[t]), "metrics: the {} is not finite at kept frame {}", what, t);
}

void check(const CellSeries& series) {
  const std::size_t frames = series.prediction.size();
  core::require(frames > 1, "metrics: {} test frames are left, at least 2 are needed", frames);
  check_length(series.prediction, frames, "prediction");
  check_length(series.target, frames, "recorded response");
  if (!series.noiseless.empty()) check_length(series.noiseless, frames, "noiseless rate");
  for (const auto& repeat : series.repeats) check_length(repeat, frames, "repeat");
}

/// Variance over frames of one series, 0 where it is rounding about a constant.
double spread(std::span<const double> s, Feature xx, Feature x, double frames) {
  const double var = variance(s[xx], s[x], frames);
  return varies(var, s[xx] / frames) ? var : 0.0;
}

}  // namespace

FrameSums::FrameSums(const CellSeries& series)
    : frames_(series.prediction.size()),
      repeats_(series.repeats.size()),
      features_(f_repeats + 3 * series.repeats.size()),
      has_noiseless_(!series.noiseless.empty()) {
  check(series);
  prefix_.assign((frames_ + 1) * features_, 0.0);
  const double p0 = mean_of(series.prediction), a0 = mean_of(series.target),
               n0 = has_noiseless_ ? mean_of(series.noiseless) : 0.0;
  double m0 = 0;
  for (const auto& repeat : series.repeats) m0 += mean_of(repeat) / static_cast<double>(repeats_);
  std::vector<double> now(features_);
  for (std::size_t t = 0; t < frames_; ++t) {
    const double p = series.prediction[t] - p0, a = series.target[t] - a0, n = has_noiseless_ ? series.noiseless[t] - n0 : 0.0;
    double m = 0, within = 0;
    for (const auto& repeat : series.repeats) m += (repeat[t] - m0) / static_cast<double>(repeats_);
    for (std::size_t k = 0; k < repeats_; ++k) {
      const double y = series.repeats[k][t] - m0;
      within += (y - m) * (y - m);
      now[f_repeats + 3 * k] = y;
      now[f_repeats + 3 * k + 1] = y * y;
      now[f_repeats + 3 * k + 2] = y * m;
    }
    const std::array<double, f_repeats> shared{p, a, n, m, p * p, a * a, n * n, m * m, p * a, p * n, p * m, within};
    std::copy(shared.begin(), shared.end(), now.begin());
    for (std::size_t f = 0; f < features_; ++f) prefix_[(t + 1) * features_ + f] = prefix_[t * features_ + f] + now[f];
  }
  offset_target_ = p0 - a0;
  offset_repeats_ = p0 - m0;
}

std::vector<double> FrameSums::sum(std::span<const Block> blocks) const {
  std::vector<double> total(features_, 0.0);
  for (const Block& block : blocks)
    for (std::size_t f = 0; f < features_; ++f)
      total[f] += prefix_[(block.first + block.count) * features_ + f] - prefix_[block.first * features_ + f];
  return total;
}

std::vector<double> FrameSums::sum() const {
  const Block all{0, frames_};
  return sum({&all, 1});
}

Figures FrameSums::model_figures(std::span<const double> s) const {
  const double T = static_cast<double>(frames_), R = static_cast<double>(repeats_);
  const double pp = spread(s, f_pp, f_p, T), aa = spread(s, f_aa, f_a, T), nn = spread(s, f_nn, f_n, T);
  Figures figures{undefined, correlation(covariance(s[f_pa], s[f_p], s[f_a], T), pp, aa), undefined, undefined};
  figures[score] = has_noiseless_ ? correlation(covariance(s[f_pn], s[f_p], s[f_n], T), pp, nn) : figures[pearson_r];
  // mean (p - a)^2 from centred sums, the difference of the means put back.
  const auto mean_square_error = [&](double xx, double px, double x, double offset) {
    return (s[f_pp] - 2 * px + xx) / T + 2 * offset * (s[f_p] - x) / T + offset * offset;
  };
  if (aa > 0) figures[fev] = 1 - mean_square_error(s[f_aa], s[f_pa], s[f_a], offset_target_) / aa;
  if (repeats_ < 2) return figures;
  const double noise = s[f_within] / (R - 1) / T;
  const double total = (s[f_within] + R * T * variance(s[f_mm], s[f_m], T)) / (R * T - 1);
  const double error = mean_square_error(s[f_mm], s[f_pm], s[f_m], offset_repeats_) + s[f_within] / R / T;
  if (total - noise > 1e-12 * total) figures[feve] = 1 - (error - noise) / (total - noise);
  return figures;
}

Figures FrameSums::ceiling_figures(std::span<const double> s) const {
  Figures figures{undefined, undefined, undefined, undefined};
  const double T = static_cast<double>(frames_), R = static_cast<double>(repeats_);
  const double mm = spread(s, f_mm, f_m, T);
  if (repeats_ < 2 || !(mm > 0)) return figures;
  double sum_of_correlations = 0;
  for (std::size_t k = 0; k < repeats_; ++k) {
    const double* y = &s[f_repeats + 3 * k];
    const double yy = variance(y[1], y[0], T), ym = covariance(y[2], y[0], s[f_m], T);
    const double others = (R * R * mm - 2 * R * ym + yy) / ((R - 1) * (R - 1));
    const double both = (R * ym - yy) / (R - 1);
    const bool known = varies(yy, y[1] / T) && others > 1e-12 * mm;
    sum_of_correlations += known ? correlation(both, yy, others) : 0.0;  // an empty repeat predicts nothing
  }
  figures[oracle_jackknife] = sum_of_correlations / R;
  const double noise = s[f_within] / (R - 1) / T;
  const double total = (s[f_within] + R * T * mm) / (R * T - 1);
  figures[oracle_conservative] = mm / std::sqrt(mm * (mm + noise));
  figures[explainable_variance] = (total - noise) / total;
  const double signal = std::max(0.0, mm * T / (T - 1) - noise / R);
  figures[noise_ceiling] = std::sqrt(signal / (signal + noise / R));
  return figures;
}

double pearson(std::span<const double> x, std::span<const double> y) {
  core::require(x.size() == y.size() && x.size() > 1, "a correlation needs two series of equal length, got {} and {}", x.size(),
                y.size());
  const double count = static_cast<double>(x.size());
  double x0 = 0, y0 = 0, xx = 0, yy = 0, xy = 0, largest_x = 0, largest_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x0 += x[i] / count;
    y0 += y[i] / count;
    largest_x = std::max(largest_x, std::abs(x[i]));
    largest_y = std::max(largest_y, std::abs(y[i]));
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - x0) * (x[i] - x0);
    yy += (y[i] - y0) * (y[i] - y0);
    xy += (x[i] - x0) * (y[i] - y0);
  }
  // A constant differs from its mean by rounding only.
  const bool known = xx / count > 1e-24 * largest_x * largest_x && yy / count > 1e-24 * largest_y * largest_y;
  return known ? correlation(xy, xx, yy) : undefined;
}

std::vector<FrameSums::Block> draw_blocks(const Bootstrap& bootstrap, std::size_t frames, int resample) {
  const std::size_t length = std::min<std::size_t>(static_cast<std::size_t>(std::max(1, bootstrap.block_frames)), frames);
  core::Random random(bootstrap.seed, core::Stream::bootstrap, static_cast<std::uint64_t>(resample));
  std::vector<FrameSums::Block> blocks;
  for (std::size_t drawn = 0; drawn < frames; drawn += length)
    blocks.push_back({random.below(static_cast<std::uint32_t>(frames - length + 1)), std::min(length, frames - drawn)});
  return blocks;
}

std::array<double, 2> percentile_interval(std::vector<double> values, double level) {
  const std::size_t asked = values.size();
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty() || 2 * values.size() < asked) return {undefined, undefined};
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double q) {
    const double at = q * static_cast<double>(values.size() - 1);
    const std::size_t low = static_cast<std::size_t>(at), high = std::min(low + 1, values.size() - 1);
    return values[low] + (at - static_cast<double>(low)) * (values[high] - values[low]);
  };
  return {quantile((1 - level) / 2), quantile((1 + level) / 2)};
}

}  // namespace amacrine::training
