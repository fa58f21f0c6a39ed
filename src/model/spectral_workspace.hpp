// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"
#include "amacrine/model/spectral.hpp"

#include <algorithm>
#include <string>

/// What the spectral convolutions share: their workspaces, and kernels whose lags or channel pairs are lanes.
namespace amacrine::model::spectral {

inline int as_int(std::size_t value) { return static_cast<int>(value); }

/// Segments computed together: as many as there are host threads, so that a thread's spectra stay in its cache; all on a GPU.
inline int chunk_size(std::size_t segments) {
  if (!core::detail::exec_is_host) return as_int(segments);
  return std::max(1, std::min(as_int(segments), core::Exec().concurrency()));
}

/// Where segment `segment` begins; null in a view without extents, whose planes are written on the way.
template <class S>
const S* planes_of(const core::View5<S>& planes, std::size_t segment) {
  return planes.size() == 0 ? nullptr : planes.data() + segment * planes.stride(0);
}

template <class S>
core::View1<S> zeros(const char* name, std::size_t size) {
  auto view = core::workspace<core::View1<S>>(std::string("model::spectral_") + name, size);
  Kokkos::deep_copy(view, S(0));
  return view;
}

/// from (C, R, S) -> to (C, S, R): the lags of a kernel (C, L, J * I) become its lanes, and back. A host's work item writes whole
/// rows.
template <class S>
void transpose_planes(const core::Exec& exec, const char* label, const S* from, S* to, std::size_t planes, std::size_t rows,
                      std::size_t columns) {
  const std::size_t run = core::detail::exec_is_host ? rows : 1, runs = rows / run;
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<core::Exec>(exec, 0, planes * columns * runs), KOKKOS_LAMBDA(std::size_t i) {
        const std::size_t first = i % runs * run, s = i / runs % columns, c = i / runs / columns;
        const S* const in = from + c * rows * columns + s;
        S* const out = to + (c * columns + s) * rows;
        for (std::size_t r = first; r < first + run; ++r) out[r] = in[r * columns];
      });
}

/// kernel (C, L, J, I) -> packed (C, J, I, L).
template <class S>
void pack_lags(const core::Exec& exec, const core::View4<S>& kernel, S* packed) {
  transpose_planes(exec, "model::spectral_pack_lags", static_cast<const S*>(kernel.data()), packed, kernel.extent(0),
                   kernel.extent(1), kernel.extent(2) * kernel.extent(3));
}

/// packed (C, J, I, L) -> gradient (C, L, J, I).
template <class S>
void unpack_lags(const core::Exec& exec, const S* packed, S* gradient, std::size_t channels, std::size_t lags, std::size_t area) {
  transpose_planes(exec, "model::spectral_unpack_lags", packed, gradient, channels, area, lags);
}

}  // namespace amacrine::model::spectral
