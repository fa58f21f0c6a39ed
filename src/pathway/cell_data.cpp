// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/cell_data.hpp"

#include "threads.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amacrine::pathway {

namespace {

/// (n, extent) the bumps' values on the pixels of one axis.
core::Array<float, 2> bells(const Bases& bases, double centre, std::size_t extent) {
  const double scale = 1 / (std::sqrt(2 * std::numbers::pi) * bases.bump_px);
  core::Array<float, 2> values({bases.knots_px.size(), extent});
  for (std::size_t i = 0; i < values.extent(0); ++i)
    for (std::size_t p = 0; p < extent; ++p) {
      const double z = (static_cast<double>(p) - centre - bases.knots_px[i]) / bases.bump_px;
      values(i, p) = static_cast<float>(scale * std::exp(-0.5 * z * z));
    }
  return values;
}

/// The pixels of one axis on which any bump is not negligible.
Range pixels_near(const Bases& bases, double centre, std::size_t extent) {
  const double reach = bases.knots_px.back() + 4 * bases.bump_px, last = static_cast<double>(extent);
  const double begin = std::clamp(std::floor(centre - reach), 0.0, last),
               end = std::clamp(std::ceil(centre + reach) + 1, 0.0, last);
  return {static_cast<std::size_t>(begin), static_cast<std::size_t>(end)};
}

/// Sd over the frames of the output of a centred Gaussian with a single lobe.
double common_output(const CellData& data, const Bases& bases) {
  constexpr double sigma_in_bumps = 2, peak_lag = 6;
  const std::vector<double> space = bases.gaussian(0, 0, sigma_in_bumps * bases.bump_px);
  std::vector<double> wanted(bases.lags());
  for (std::size_t l = 0; l < wanted.size(); ++l) {
    const double at = static_cast<double>(l) / peak_lag;
    wanted[l] = std::pow(at, 3) * std::exp(3 * (1 - at));
  }
  const std::vector<double> course = bases.time_course(bases.fitted(wanted));
  double sum = 0, square = 0;
  constexpr std::size_t most = 20000;
  const std::size_t T = bases.lags(), step = std::max<std::size_t>(1, data.frames / most);
  std::size_t count = 0;
  for (std::size_t f = T; f < data.frames; f += step, ++count) {
    double z = 0;
    for (std::size_t l = 0; l < T; ++l) {
      double seen = 0;
      for (std::size_t s = 0; s < data.bumps; ++s) seen += space[s] * static_cast<double>(data.bump(s)[f - l]);
      z += course[l] * seen;
    }
    sum += z, square += z * z;
  }
  const double n = static_cast<double>(std::max<std::size_t>(count, 1));
  return std::sqrt(std::max(square / n - sum * sum / (n * n), 0.0));
}

}  // namespace

std::vector<float> project(const recording::StoredMovie& movie, const recording::ContrastCoding& coding, const Bases& bases,
                           const stimulus::Centre& centre) {
  const std::size_t F = movie.frames(), Y = movie.height(), X = movie.width(), n = bases.knots_px.size();
  const core::Array<float, 2> along_y = bells(bases, centre.y, Y), along_x = bells(bases, centre.x, X);
  const Range rows = pixels_near(bases, centre.y, Y), columns = pixels_near(bases, centre.x, X);
  std::vector<float> projected(n * n * F);
  constexpr std::size_t together = 64;
  for_each_item("pathway::project", (F + together - 1) / together, [&](std::size_t piece) {
    std::vector<float> frame(Y * X), by_row(n * X);
    for (std::size_t f = piece * together; f < std::min(F, (piece + 1) * together); ++f) {
      movie.contrast(f, coding, frame.data());
      std::fill(by_row.begin(), by_row.end(), 0.0F);
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t y = rows.begin; y < rows.end; ++y)
          for (std::size_t x = columns.begin; x < columns.end; ++x) by_row[i * X + x] += along_y(i, y) * frame[y * X + x];
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
          float sum = 0;
          for (std::size_t x = columns.begin; x < columns.end; ++x) sum += along_x(j, x) * by_row[i * X + x];
          projected[(i * n + j) * F + f] = sum;
        }
    }
  });
  return projected;
}

CellData make_cell_data(std::vector<float> projected, std::span<const float> rates, const Bases& bases, double frame_s,
                        std::size_t minimum_lag, double scale) {
  CellData data;
  data.frames = rates.size(), data.bumps = bases.bumps(), data.frame_s = frame_s;
  data.stimulus = std::move(projected);
  data.counts.assign(data.frames, 0.0F);
  for (std::size_t f = 0; f + minimum_lag < data.frames; ++f)
    data.counts[f] = rates[f + minimum_lag] * static_cast<float>(frame_s);
  if (scale == 0) {
    const double sd = common_output(data, bases);
    scale = sd > 0 ? 1 / sd : 1;
  }
  data.scale = scale;
  for (float& value : data.stimulus) value *= static_cast<float>(scale);
  return data;
}

std::vector<Range> half_of(const std::vector<Range>& ranges, int half) {
  std::size_t all = 0, before = 0;
  for (const Range& range : ranges) all += range.size();
  const std::size_t from = half == 0 ? 0 : all / 2, to = half == 0 ? all / 2 : all;
  std::vector<Range> kept;
  for (const Range& range : ranges) {
    const std::size_t begin = std::clamp(from, before, before + range.size()),
                      end = std::clamp(to, before, before + range.size());
    if (begin < end) kept.push_back({range.begin + (begin - before), range.begin + (end - before)});
    before += range.size();
  }
  return kept;
}

std::vector<Range> blocks_of(const std::vector<Range>& ranges, std::size_t length) {
  std::vector<Range> blocks;
  for (const Range& range : ranges)
    for (std::size_t begin = range.begin; begin < range.end; begin += length)
      blocks.push_back({begin, std::min(begin + length, range.end)});
  return blocks;
}

}  // namespace amacrine::pathway
