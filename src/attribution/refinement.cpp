// SPDX-License-Identifier: Apache-2.0
#include "refinement.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::attribution {
namespace {

constexpr double smallest_row_hz = 0.1;
constexpr double fewest_units = 25.0;
constexpr double single_precision = 4e-6;  ///< of a row, in the measure of its error

/// Calls f(a.values, b.values) for every field that has windows as its first axis.
template <class A, class B, class F>
void for_fields(A& a, B& b, const F& f) {
  f(a.rate.values(), b.rate.values());
  f(a.baseline_rate.values(), b.baseline_rate.values());
  f(a.residual.values(), b.residual.values());
  f(a.error_estimate.values(), b.error_estimate.values());
  f(a.distance.values(), b.distance.values());
  f(a.panels.values(), b.panels.values());
  f(a.flag.values(), b.flag.values());
  f(a.attribution.values(), b.attribution.values());
  f(a.weight.values(), b.weight.values());
  f(a.push.values(), b.push.values());
  f(a.drive.values(), b.drive.values());
  f(a.share.values(), b.share.values());
  f(a.change.values(), b.change.values());
  f(a.unit_attribution, b.unit_attribution);
  f(a.unit_weight, b.unit_weight);
  f(a.unit_drive, b.unit_drive);
  f(a.unit_change, b.unit_change);
  f(a.pixels, b.pixels);
  f(a.second.attribution.values(), b.second.attribution.values());
  f(a.second.change.values(), b.second.change.values());
  f(a.second.residual.values(), b.second.residual.values());
  f(a.second.units, b.second.units);
  f(a.second.unit_change, b.second.unit_change);
}

template <class T, std::size_t R>
void shape_like(const core::Array<T, R>& like, std::size_t windows, core::Array<T, R>& out) {
  auto shape = like.shape();
  shape[0] = windows;
  out = core::Array<T, R>(shape);
}

/// One row's sums over groups of `span` columns (or units): sum|a - b| and sum|a|.
template <class T>
std::pair<double, double> compare(const T* a, const T* b, std::size_t count, std::size_t span) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < count; i += span) {
    double x = 0, y = 0;
    for (std::size_t k = i; k < i + span; ++k) {
      x += static_cast<double>(a[k]);
      y += static_cast<double>(b[k]);
    }
    difference += std::abs(x - y);
    size += std::abs(x);
  }
  return {difference, size};
}

}  // namespace

Block room_for(const Block& like, std::size_t windows) {
  Block out;
  out.windows = windows;
  out.cells = like.cells;
  out.channels = like.channels;
  out.height = like.height;
  out.width = like.width;
  shape_like(like.rate, windows, out.rate);
  out.baseline_rate = out.residual = out.error_estimate = out.distance = out.rate;
  shape_like(like.panels, windows, out.panels);
  shape_like(like.flag, windows, out.flag);
  shape_like(like.attribution, windows, out.attribution);
  if (like.weight.size() > 0) out.weight = out.push = out.attribution;
  shape_like(like.drive, windows, out.drive);
  out.change = out.drive;
  if (like.share.size() > 0) out.share = out.drive;
  const auto sized = [&](const std::vector<float>& values) { return std::vector<float>(values.size() / like.windows * windows); };
  out.unit_attribution = sized(like.unit_attribution);
  out.unit_weight = sized(like.unit_weight);
  out.unit_drive = sized(like.unit_drive);
  out.unit_change = sized(like.unit_change);
  out.pixels = sized(like.pixels);
  if (like.second.attribution.size() > 0) {
    shape_like(like.second.attribution, windows, out.second.attribution);
    shape_like(like.second.change, windows, out.second.change);
    out.second.residual = out.residual;
  }
  out.second.units = sized(like.second.units);
  out.second.unit_change = sized(like.second.unit_change);
  return out;
}

void put_windows(const Block& from, const std::vector<std::size_t>& at, Block& into) {
  for_fields(from, into, [&](const auto& source, auto& target) {
    const std::size_t size = source.size() / from.windows;
    for (std::size_t w = 0; w < from.windows; ++w)
      std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(w * size), size,
                  target.begin() + static_cast<std::ptrdiff_t>(at[w] * size));
  });
}

Block pick_windows(const Block& from, const std::vector<std::size_t>& windows) {
  Block out = room_for(from, windows.size());
  for_fields(from, out, [&](const auto& source, auto& target) {
    const std::size_t size = source.size() / from.windows;
    for (std::size_t w = 0; w < windows.size(); ++w)
      std::copy_n(source.begin() + static_cast<std::ptrdiff_t>(windows[w] * size), size,
                  target.begin() + static_cast<std::ptrdiff_t>(w * size));
  });
  return out;
}

core::Array<double, 2> row_distance(const Block& fine, const Block& coarse, Level level) {
  core::Array<double, 2> out({fine.windows, fine.cells});
  const auto fill = [&](const auto& a, const auto& b, std::size_t span) {
    const std::size_t count = a.size() / out.size();
    for (std::size_t row = 0; row < out.size(); ++row) {
      const auto [difference, size] = compare(a.data() + row * count, b.data() + row * count, count, span);
      out.values()[row] = difference / std::max(size, smallest_row_hz);
    }
  };
  switch (level) {
    case Level::channel:
      fill(fine.attribution, coarse.attribution, fine.width);
      break;
    case Level::position:
      fill(fine.attribution, coarse.attribution, 1);
      break;
    case Level::channel2:
      fill(fine.second.attribution, coarse.second.attribution, 1);
      break;
    case Level::unit2:
      fill(fine.second.units, coarse.second.units, 1);
      break;
    default:
      fill(fine.unit_attribution, coarse.unit_attribution, 1);
  }
  return out;
}

std::size_t row_values(const Block& block, Level level) {
  const std::size_t rows = block.rate.size();
  switch (level) {
    case Level::channel:
      return block.channels;
    case Level::position:
      return block.channels * block.width;
    case Level::channel2:
      return block.second.attribution.size() / rows;
    case Level::unit2:
      return block.second.units.size() / rows;
    default:
      return block.unit_attribution.size() / rows;
  }
}

double worst_distance(double distance, double coarser) { return std::max(distance, 0.25 * coarser); }

double estimated_error(double worst, std::size_t later_units, std::size_t values) {
  const double flips = 1.0 + 10.0 / std::sqrt(std::max(fewest_units, static_cast<double>(later_units)));
  const auto count = static_cast<double>(values);
  return flips * (1.0 + 6.0 / (count * count)) * worst + single_precision;
}

std::vector<bool> judge_windows(Block& block, double tolerance, bool last) {
  std::vector<bool> good(block.windows, true);
  for (std::size_t w = 0; w < block.windows; ++w)
    for (std::size_t n = 0; n < block.cells; ++n) {
      if (block.error_estimate(w, n) <= tolerance) continue;
      good[w] = false;
      if (last && block.flag(w, n) == 0) block.flag(w, n) = 1;
    }
  return good;
}

}  // namespace amacrine::attribution
