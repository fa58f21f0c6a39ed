// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/lanes.hpp"
#include "amacrine/core/views.hpp"
#include "amacrine/model/spectral.hpp"

/// Real two-dimensional Fourier transforms of planes whose last axis are lanes (frames, windows, lags): the same transform of
/// every lane at once. A plane (H, W, lanes) becomes half a spectrum (N, N/2 + 1, 2, lanes): ky, kx, re and im.
namespace amacrine::model::spectral {

/// Transform lengths there is code for, ascending; smallest_length() picks the first that holds `size`, 0 when none does.
int smallest_length(int size);

/// cos and sin of 2 pi k / N on the device, interleaved; kept for the life of the process' execution space.
template <class S>
core::View1<S> twiddles(int n);

/// spectrum (P, N, K, 2, Lp) of planes (P, H, W, L), zero beyond H, W and L. planes and spectrum are dense. `prologue`,
/// where there is one, writes planes 0 ... P - 1 instead.
template <class S>
void forward(const core::Exec& exec, int n, const S* planes, int count, int height, int width, int lanes, S* spectrum,
             int lanes_padded, const PlanePrologue<S>& prologue = {});

/// planes (P, H, W, L): the first H rows and W columns of the inverse, scaled by 1 / N^2. The spectrum is overwritten. `epilogue`
/// is called with 0 ... P - 1.
template <class S>
void inverse(const core::Exec& exec, int n, S* spectrum, int lanes_padded, int count, S* planes, int height, int width, int lanes,
             const PlaneEpilogue& epilogue = {});

/// Where things lie: planes (P, H, W, L) and spectra (P, N, K, 2, Lp). twiddle: of their length.
template <class S>
struct PlaneLayout {
  const S* twiddle;
  int height, width, lanes, padded;
};

/// One plane and its spectrum, by the host thread that calls.
template <class S>
void forward_here(int n, const PlaneLayout<S>& at, const S* plane, S* spectrum);
/// One register of lanes of it, of which `left` are in the plane.
template <class S>
void forward_lanes_here(int n, const PlaneLayout<S>& at, const S* plane, int left, S* spectrum);
template <class S>
void inverse_here(int n, const PlaneLayout<S>& at, S* spectrum, S* plane);

/// Room for a plane's values, a host thread's own, from a cache line on.
template <class S>
S* thread_plane(std::size_t size);

/// Items of a launch that are long and few, dealt out one by one.
using LongItems = Kokkos::RangePolicy<core::Exec, Kokkos::Schedule<Kokkos::Dynamic>>;
inline LongItems long_items(const core::Exec& exec, std::size_t count) {
  return {exec, 0, static_cast<LongItems::index_type>(count), Kokkos::ChunkSize(1)};
}

/// Numbers of a spectrum of one plane and lane pair: N * (N/2 + 1).
inline std::size_t frequencies(int n) { return static_cast<std::size_t>(n) * (n / 2 + 1); }

}  // namespace amacrine::model::spectral
