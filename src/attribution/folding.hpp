// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"
#include "amacrine/stimulus/stimulus.hpp"

#include <cstddef>
#include <vector>

/// Kernels and maps summed along the axes on which a stimulus is uniform.
namespace amacrine::attribution {

using stimulus::Symmetry;

/// Largest departure of s - s0 from a symmetry, in normalised contrast.
constexpr double symmetry_tolerance = 1e-6;

/// Values of a (A, Y, X) on the host, and the same with one or both axes folded.
struct Maps {
  std::size_t count = 0, height = 1, width = 1;
  std::vector<double> values;
  double at(std::size_t a, std::size_t y, std::size_t x) const { return values[(a * height + y) * width + x]; }
};

template <class V>
Maps to_maps(const V& view, std::size_t height, std::size_t width) {
  const auto host = core::to_host(view);
  return {host.size() / (height * width), height, width, std::vector<double>(host.begin(), host.end())};
}

/// Sums (or with `first` the values at index 0) over y, and over x for full fields: (A, 1, X) or (A, 1, 1).
inline Maps folded(const Maps& maps, Symmetry symmetry, bool first = false) {
  Maps out{maps.count, 1, symmetry == Symmetry::full_field ? 1 : maps.width, {}};
  out.values.assign(out.count * out.width, 0.0);
  for (std::size_t a = 0; a < maps.count; ++a)
    for (std::size_t y = 0; y < (first ? 1 : maps.height); ++y)
      for (std::size_t x = 0; x < (first ? out.width : maps.width); ++x)
        out.values[a * out.width + (out.width == 1 ? 0 : x)] += maps.at(a, y, x);
  return out;
}

template <class V, class... Extents>
V on_device(const std::vector<double>& values, Extents... extents) {
  using S = typename V::non_const_value_type;
  V view(core::uninitialised("attribution::folded"), extents...);
  Kokkos::deep_copy(core::View1<S>(view.data(), view.size()),
                    core::to_device("attribution::folded", std::vector<S>(values.begin(), values.end())));
  return view;
}

}  // namespace amacrine::attribution
