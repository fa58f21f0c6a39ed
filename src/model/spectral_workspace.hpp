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

/// Lags of a kernel as lanes, by their phase (SegmentShape): lane p * each + m is lag phases * m + p, or none.
struct LagLanes {
  std::size_t lags, phases, each;
  LagLanes(std::size_t all, std::size_t apart = 1) : lags(all), phases(apart), each((all + apart - 1) / apart) {}
  KOKKOS_INLINE_FUNCTION std::size_t lanes() const { return phases * each; }
  KOKKOS_INLINE_FUNCTION std::size_t lag(std::size_t lane) const { return lane % each * phases + lane / each; }
};

/// kernel (C, L, J, I) -> packed (C, J, I, lanes), zeros in lanes without a lag. A host's work item writes whole rows.
template <class S>
void pack_lags(const core::Exec& exec, const LagLanes& order, const core::View4<S>& kernel, S* packed) {
  const std::size_t area = kernel.extent(2) * kernel.extent(3), lanes = order.lanes();
  const std::size_t run = core::detail::exec_is_host ? lanes : 1, runs = lanes / run;
  const S* const from = kernel.data();
  Kokkos::parallel_for(
      "model::spectral_pack_lags", Kokkos::RangePolicy<core::Exec>(exec, 0, kernel.extent(0) * area * runs),
      KOKKOS_LAMBDA(std::size_t i) {
        const std::size_t first = i % runs * run, s = i / runs % area, c = i / runs / area;
        const S* const in = from + c * order.lags * area + s;
        S* const out = packed + (c * area + s) * lanes;
        for (std::size_t lane = first; lane < first + run; ++lane)
          out[lane] = order.lag(lane) < order.lags ? in[order.lag(lane) * area] : S(0);
      });
}

/// One lane of packed (J * I, lanes) -> its lag of a gradient (L, J * I), from tap `first` on.
template <class S>
KOKKOS_INLINE_FUNCTION void unpack_lane(const LagLanes& order, std::size_t lane, const S* packed, S* gradient, std::size_t area,
                                        std::size_t first, std::size_t count) {
  if (order.lag(lane) >= order.lags) return;
  S* const to = gradient + order.lag(lane) * area;
  for (std::size_t t = first; t < first + count; ++t) to[t] = packed[t * order.lanes() + lane];
}

/// packed (C, J, I, lanes) -> gradient (C, L, J, I), area = J * I.
template <class S>
void unpack_lags(const core::Exec& exec, const LagLanes& order, const S* packed, S* gradient, std::size_t channels,
                 std::size_t area) {
  const std::size_t run = core::detail::exec_is_host ? area : 1, runs = area / run, lanes = order.lanes();
  Kokkos::parallel_for(
      "model::spectral_unpack_lags", Kokkos::RangePolicy<core::Exec>(exec, 0, channels * lanes * runs),
      KOKKOS_LAMBDA(std::size_t i) {
        const std::size_t lane = i / runs % lanes, c = i / runs / lanes;
        unpack_lane(order, lane, packed + c * area * lanes, gradient + c * order.lags * area, area, i % runs * run, run);
      });
}

}  // namespace amacrine::model::spectral
