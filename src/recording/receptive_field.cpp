// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/receptive_field.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/stop.hpp"
#include "spike_average.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace amacrine::recording {

namespace {

constexpr std::size_t stretch_count = 16;
constexpr double least_consistency = 5.0, largest_error_px = 3.0;

/// A circular Gaussian on the pixel grid.
struct Gaussian {
  double y = 0, x = 0, sigma = 2;
};

/// exp(-(i - centre)^2 / 2 sigma^2) for i = 0 .. count - 1.
std::vector<double> bell(std::size_t count, double centre, double sigma) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double z = (static_cast<double>(i) - centre) / sigma;
    values[i] = std::exp(-0.5 * z * z);
  }
  return values;
}

/// sum_i a_i a_(i+d) for d = 0 .. count - 1.
std::vector<double> autocorrelation(const std::vector<double>& a) {
  std::vector<double> result(a.size());
  for (std::size_t d = 0; d < a.size(); ++d)
    for (std::size_t i = 0; i + d < a.size(); ++i) result[d] += a[i] * a[i + d];
  return result;
}

/// How well the stimulus seen through a Gaussian correlates with the response.
class Match {
 public:
  Match(std::span<const double> average, const core::Array<double, 2>& covariance, std::size_t height, std::size_t width)
      : average_(average), covariance_(covariance), height_(height), width_(width) {}

  double through(const Gaussian& g) const {
    const std::vector<double> gy = bell(height_, g.y, g.sigma), gx = bell(width_, g.x, g.sigma);
    double sum = 0;
    for (std::size_t y = 0; y < height_; ++y) {
      double row = 0;
      for (std::size_t x = 0; x < width_; ++x) row += gx[x] * average_[y * width_ + x];
      sum += gy[y] * row;
    }
    return sum;
  }
  /// (g . average)^2 / (g' C g).
  double score(const Gaussian& g) const {
    const double value = through(g), variance = power(g);
    return variance > 0 ? value * value / variance : 0.0;
  }

 private:
  /// g' C g for a stationary stimulus: exact for a Gaussian cut by the field's border.
  double power(const Gaussian& g) const {
    const std::vector<double> ay = autocorrelation(bell(height_, g.y, g.sigma)), ax = autocorrelation(bell(width_, g.x, g.sigma));
    double sum = 0;
    for (std::size_t i = 0; i < covariance_.extent(0); ++i) {
      double row = 0;
      for (std::size_t j = 0; j < covariance_.extent(1); ++j) row += covariance_(i, j) * ax[distance(j, width_)];
      sum += row * ay[distance(i, height_)];
    }
    return sum;
  }
  static std::size_t distance(std::size_t index, std::size_t count) {
    return index >= count - 1 ? index - (count - 1) : count - 1 - index;
  }

  std::span<const double> average_;
  const core::Array<double, 2>& covariance_;
  std::size_t height_, width_;
};

/// Compass search: steps of half a pixel, halved until they are a 500th.
Gaussian climb(const Match& match, Gaussian best, std::size_t height, std::size_t width) {
  double score = match.score(best);
  for (double step = 0.5; step > 0.002;) {
    Gaussian better = best;
    double better_score = score;
    for (const auto& [dy, dx, ds] :
         std::array<std::array<double, 3>, 6>{{{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}}}) {
      Gaussian trial{best.y + step * dy, best.x + step * dx, best.sigma + step * ds};
      trial.y = std::clamp(trial.y, -0.5, static_cast<double>(height) - 0.5);
      trial.x = std::clamp(trial.x, -0.5, static_cast<double>(width) - 0.5);
      trial.sigma = std::clamp(trial.sigma, 0.4, 6.0);
      const double trial_score = match.score(trial);
      if (trial_score > better_score) {
        better = trial;
        better_score = trial_score;
      }
    }
    if (better_score > score) {
      best = better;
      score = better_score;
    } else {
      step *= 0.5;
    }
  }
  return best;
}

/// The best Gaussian of a coarse grid over the field.
Gaussian coarse_fit(const Match& match, std::size_t height, std::size_t width) {
  Gaussian best;
  double score = -1;
  for (std::size_t y = 0; y < height; y += 2)
    for (std::size_t x = 0; x < width; x += 2)
      for (double sigma : {1.0, 2.0, 4.0}) {
        const Gaussian trial{static_cast<double>(y), static_cast<double>(x), sigma};
        const double trial_score = match.score(trial);
        if (trial_score > score) {
          best = trial;
          score = trial_score;
        }
      }
  return best;
}

/// Sum over the stretches that `use` admits, per pixel.
template <class Use>
std::vector<double> average_over(const core::Array<double, 3>& averages, std::size_t cell, const Use& use) {
  std::vector<double> sum(averages.extent(2));
  for (std::size_t s = 0; s < averages.extent(1); ++s)
    if (use(s))
      for (std::size_t p = 0; p < sum.size(); ++p) sum[p] += averages(cell, s, p);
  return sum;
}

/// Jackknife standard error of a statistic from its values with one stretch left out each.
double jackknife_error(const std::vector<double>& left_out) {
  const auto count = static_cast<double>(left_out.size());
  double mean = 0, squares = 0;
  for (double value : left_out) mean += value / count;
  for (double value : left_out) squares += (value - mean) * (value - mean);
  return std::sqrt((count - 1) / count * squares);
}

/// Mean / standard error over the odd stretches of the average seen through a Gaussian that was fitted to the even ones, in the
/// direction found there: what was fitted is not what is tested.
double held_out_consistency(const core::Array<double, 3>& averages, std::size_t cell, const core::Array<double, 2>& covariance,
                            std::size_t height, std::size_t width) {
  const std::vector<double> even = average_over(averages, cell, [](std::size_t s) { return s % 2 == 0; });
  const Match match(even, covariance, height, width);
  const Gaussian fitted = climb(match, coarse_fit(match, height, width), height, width);
  const double sign = match.through(fitted) < 0 ? -1.0 : 1.0;
  double sum = 0, squares = 0, count = 0;
  for (std::size_t s = 1; s < averages.extent(1); s += 2) {
    const double value = sign * Match({&averages(cell, s, 0), height * width}, covariance, height, width).through(fitted);
    sum += value;
    squares += value * value;
    count += 1;
  }
  const double mean = sum / count, variance = (squares / count - mean * mean) / (count - 1);
  return variance > 0 ? mean / std::sqrt(variance) : 0.0;
}

/// Fits one cell; averages (N, stretches, Y * X).
void fit_cell(const core::Array<double, 3>& averages, std::size_t cell, const core::Array<double, 2>& covariance,
              std::size_t height, std::size_t width, ReceptiveField& field) {
  field.profile = core::Array<double, 2>({height, width}, average_over(averages, cell, [](std::size_t) { return true; }));
  for (double& value : field.profile.values()) value /= static_cast<double>(averages.extent(1));
  const Match whole(field.profile.values(), covariance, height, width);
  const Gaussian best = climb(whole, coarse_fit(whole, height, width), height, width);
  std::vector<double> ys, xs;
  for (std::size_t left = 0; left < averages.extent(1); ++left) {
    parallel::throw_if_stopped();
    const std::vector<double> others = average_over(averages, cell, [left](std::size_t s) { return s != left; });
    const Gaussian fitted = climb(Match(others, covariance, height, width), best, height, width);
    ys.push_back(fitted.y);
    xs.push_back(fitted.x);
  }
  field.centre = {best.y, best.x};
  field.radius_px = best.sigma;
  field.centre_error_px = std::max(jackknife_error(ys), jackknife_error(xs));
  field.polarity = whole.through(best) < 0 ? -1 : 1;
  field.consistency = held_out_consistency(averages, cell, covariance, height, width);
  field.found = field.consistency >= least_consistency && field.centre_error_px <= largest_error_px;
}

/// Every other stretch, from the first.
std::vector<parallel::Range> even_ones(const std::vector<parallel::Range>& stretches) {
  std::vector<parallel::Range> even;
  for (std::size_t s = 0; s < stretches.size(); s += 2) even.push_back(stretches[s]);
  return even;
}

}  // namespace

std::vector<ReceptiveField> fit_receptive_fields(const StoredMovie& movie, const ContrastCoding& coding,
                                                 const core::Array<float, 2>& rates, std::size_t lags, std::size_t max_frames) {
  std::vector<ReceptiveField> fields(rates.extent(0));
  const std::vector<parallel::Range> stretches = spread_stretches(movie.frames(), lags, stretch_count, max_frames);
  if (stretches.empty() || fields.empty()) return fields;
  const double persistence = temporal_persistence(movie, coding, 256);
  const std::vector<std::vector<double>> profiles =
      temporal_profiles(movie, coding, persistence, rates, lags, even_ones(stretches));
  const core::Array<double, 3> averages = spatial_averages(movie, coding, persistence, rates, profiles, stretches);
  const core::Array<double, 2> covariance = autocovariance(movie, coding, persistence, 1000);
  for (std::size_t n = 0; n < fields.size(); ++n) {
    ReceptiveField& field = fields[n];
    field.temporal = profiles[n];
    const auto peak = std::max_element(field.temporal.begin(), field.temporal.end(),
                                       [](double a, double b) { return std::abs(a) < std::abs(b); });
    field.peak_lag = static_cast<int>(peak - field.temporal.begin());
    fit_cell(averages, n, covariance, movie.height(), movie.width(), field);
  }
  return fields;
}

void fit_centres(Recording& recording, const RecordingSettings& settings) {
  std::vector<std::size_t> wanted;
  for (std::size_t n = 0; n < recording.cells.size(); ++n)
    if (settings.centres == "sta" || !recording.cells[n].centre) wanted.push_back(n);
  if (wanted.empty()) return;
  core::Array<float, 2> rates({wanted.size(), recording.train.target.extent(1)});
  for (std::size_t i = 0; i < wanted.size(); ++i)
    std::copy_n(recording.train.target.row(wanted[i]).begin(), rates.extent(1), rates.row(i).begin());
  const std::vector<ReceptiveField> fields = fit_receptive_fields(recording.train.movie, recording.coding, rates);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    Cell& cell = recording.cells[wanted[i]];
    cell.centre.reset();
    if (!fields[i].found) {
      core::warn(
          "{}: cell {} ({}) has no receptive field to be found in its spike-triggered average; to probe it set recording.centres "
          "= "
          "\"given\" with recording.centre_y and recording.centre_x (probe and attribute take them as they are then; the model "
          "need not be trained again)",
          recording.path, cell.id, cell.name);
      continue;
    }
    cell.centre = fields[i].centre;
    cell.centre_error_px = fields[i].centre_error_px;
    cell.radius_px = fields[i].radius_px;
    core::log("cell {} ({}): receptive field at ({:.2f}, {:.2f}) px, standard error {:.2f} px, radius {:.1f} px", cell.id,
              cell.name, cell.centre->y, cell.centre->x, cell.centre_error_px, cell.radius_px);
  }
}

}  // namespace amacrine::recording
