// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/sums.hpp"

namespace amacrine::reduction {

namespace {

std::size_t position(stimulus::Symmetry symmetry, std::size_t y, std::size_t x, std::size_t width) {
  switch (symmetry) {
    case stimulus::Symmetry::full_field:
      return 0;
    case stimulus::Symmetry::along_y:
      return x;
    default:
      return y * width + x;
  }
}

std::size_t positions(stimulus::Symmetry symmetry, std::size_t height, std::size_t width) {
  return position(symmetry, height - 1, width - 1, width) + 1;
}

/// Sum over the units `wanted` says yes to.
template <class Wanted>
core::Array<double, 2> sum_units(const core::Array<float, 3>& units, stimulus::Symmetry symmetry, Wanted&& wanted) {
  const auto [channels, height, width] = units.shape();
  core::require(units.size() > 0, "attributions of {} x {} x {} units cannot be summed", channels, height, width);
  core::Array<double, 2> sum({channels, positions(symmetry, height, width)});
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x)
        if (wanted(c, y, x)) sum(c, position(symmetry, y, x, width)) += static_cast<double>(units(c, y, x));
  return sum;
}

}  // namespace

core::Array<double, 2> sum_by_symmetry(const core::Array<float, 3>& units, stimulus::Symmetry symmetry) {
  return sum_units(units, symmetry, [](std::size_t, std::size_t, std::size_t) { return true; });
}

std::array<core::Array<double, 2>, 2> sum_by_gain_and_symmetry(const core::Array<float, 3>& units,
                                                               const core::Array<float, 3>& gain, stimulus::Symmetry symmetry) {
  core::require(units.shape() == gain.shape(), "{} attributions were given {} gains", units.size(), gain.size());
  return {sum_units(units, symmetry, [&](std::size_t c, std::size_t y, std::size_t x) { return gain(c, y, x) > 0; }),
          sum_units(units, symmetry, [&](std::size_t c, std::size_t y, std::size_t x) { return gain(c, y, x) < 0; })};
}

}  // namespace amacrine::reduction
