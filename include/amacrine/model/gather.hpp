// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/views.hpp"
#include "amacrine/model/spectral.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

/// From a resident movie and its responses to the frames and targets of a batch's segments.
///
/// Frame f of segment g is scale_p movie(t, y, x) + offset_p; scale and offset hold 1 or Y * X values, movie is (T, Y, X).
/// `first` has the first frame of every run, one or several runs for each segment, which share its frames equally; those of
/// windows `spacing` apart lie by their phase (SegmentShape).
namespace amacrine::model {

/// frames (G, Y, X, F).
template <class S, class Pixel>
void gather_frames(const core::Exec& exec, const core::View3<const Pixel>& movie, const core::View1<std::int64_t>& first,
                   const core::View1<S>& scale, const core::View1<S>& offset, const core::View4<S>& frames,
                   std::size_t spacing = 1);

/// The frames of gather_frames, F of each segment, written where a transform needs them. Hosts only; movie, scale and offset must
/// outlive it.
template <class S, class Pixel>
SegmentSource<S> segment_source(const core::View3<const Pixel>& movie, const std::vector<std::int64_t>& first,
                                const core::View1<S>& scale, const core::View1<S>& offset, std::size_t segments,
                                std::size_t frames, std::size_t spacing = 1);

/// target(g, n, 0, 0, b) = response(n, first_g + spacing b). response (N, T).
template <class S>
void gather_targets(const core::Exec& exec, const core::View2<const float>& response, const core::View1<std::int64_t>& first,
                    const core::View5<S>& target, std::size_t spacing = 1);

}  // namespace amacrine::model
