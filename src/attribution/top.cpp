// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/top.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/views.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace amacrine::attribution {
namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

/// The places of the `kept` largest of a row of `size` values, and the sum of the others.
float select_row(const float* values, std::size_t size, std::size_t kept, std::int32_t* index) {
  std::vector<std::int32_t> place(size);
  std::iota(place.begin(), place.end(), 0);
  const auto height = [values](std::int32_t i) { return std::isfinite(values[i]) ? std::abs(values[i]) : -1.0F; };
  const auto first = [&](std::int32_t a, std::int32_t b) { return height(a) != height(b) ? height(a) > height(b) : a < b; };
  const auto middle = place.begin() + static_cast<std::ptrdiff_t>(kept);
  if (kept < size) std::nth_element(place.begin(), middle, place.end(), first);
  std::sort(place.begin(), middle, first);
  std::sort(middle, place.end());
  std::copy(place.begin(), middle, index);
  return static_cast<float>(std::accumulate(
      middle, place.end(), 0.0, [values](double sum, std::int32_t i) { return sum + static_cast<double>(values[i]); }));
}

}  // namespace

TopRows select_top(const std::vector<float>& values, std::size_t rows, std::size_t kept) {
  const std::size_t size = rows == 0 ? 0 : values.size() / rows;
  core::require(kept <= size || rows == 0, "internal: {} of {} values cannot be kept", kept, size);
  TopRows top{rows, kept, std::vector<std::int32_t>(rows * kept), std::vector<float>(rows)};
  const float* from = values.data();
  std::int32_t* index = top.index.data();
  float* rest = top.rest.data();
  Kokkos::parallel_for("attribution::select_top", Kokkos::RangePolicy<Host>(0, rows),
                       [=](std::size_t r) { rest[r] = select_row(from + r * size, size, kept, index + r * kept); });
  Kokkos::fence("attribution::select_top");
  return top;
}

std::vector<float> take_top(const std::vector<float>& values, const TopRows& top) {
  if (values.empty() || top.rows == 0) return {};
  const std::size_t size = values.size() / top.rows;
  std::vector<float> out(top.rows * top.kept);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = values[i / top.kept * size + static_cast<std::size_t>(top.index[i])];
  return out;
}

}  // namespace amacrine::attribution
