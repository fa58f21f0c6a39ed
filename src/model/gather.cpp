// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/gather.hpp"

#include "amacrine/core/transpose_lanes.hpp"
#include "amacrine/core/vector.hpp"

#include <algorithm>
#include <type_traits>

namespace amacrine::model {

using core::broadcast;
using core::converted;
using core::Exec;
using core::from_bytes;
using core::lane_count;
using core::load;
using core::prefetch;
using core::store;
using core::store_part;
using core::Vector;
using core::View1;
using core::View2;
using core::View3;
using core::View4;
using core::View5;

namespace gathering {

/// In which order a segment's frames lie: run after run, phase after phase.
struct FrameOrder {
  std::size_t runs, run_frames, spacing, phase_frames;
  FrameOrder(std::size_t segments, std::size_t all_runs, std::size_t frames, std::size_t apart)
      : runs(all_runs / segments), run_frames(frames / runs), spacing(apart), phase_frames(run_frames / apart) {}
  /// Frame of the movie that is frame f of segment g.
  KOKKOS_INLINE_FUNCTION std::size_t operator()(const std::int64_t* first, std::size_t g, std::size_t f) const {
    const std::size_t i = f % run_frames;
    return static_cast<std::size_t>(first[g * runs + f / run_frames]) + i % phase_frames * spacing + i / phase_frames;
  }
};

/// How pixels become input: a value for each, or one for all.
template <class S>
struct PixelScale {
  const S *scale, *offset;
  std::size_t each;  ///< 1, or 0 where all share the first
  PixelScale(const View1<S>& a, const View1<S>& b) : scale(a.data()), offset(b.data()), each(a.extent(0) > 1 ? 1 : 0) {}
};

/// A pixel of W frames.
template <int W, class S, class Pixel>
inline void normalise(const Pixel* values, const PixelScale<S>& by, std::size_t p, std::size_t count, S* out) {
  const Vector<Pixel, W> pixels = load<Pixel, W>(values);
  Vector<S, W> wide;
  if constexpr (std::is_same_v<Pixel, std::uint8_t>) {
    wide = from_bytes<S, W>(pixels);
  } else {
    wide = converted<S, Pixel, W>(pixels);
  }
  const Vector<S, W> result = broadcast<S, W>(by.scale[p * by.each]) * wide + broadcast<S, W>(by.offset[p * by.each]);
  count == static_cast<std::size_t>(W) ? store<S, W>(out, result) : store_part<S, W>(out, result, count);
}

/// A register's frames, `count` of them meant: out (pixels, stride), W pixels of W frames turned at a time, the last square over
/// the one before it.
template <class S, class Pixel, int W = lane_count<S>>
inline void gather_register(const Pixel* const (&frames)[W], std::size_t count, std::size_t pixels, const PixelScale<S>& by,
                            S* out, std::size_t stride) {
  constexpr std::size_t side = W, line = 64 / sizeof(Pixel), ahead = 4 * line;
  Pixel square[W * W] = {};
  for (std::size_t p = 0; p < pixels; p += side) {
    if (p % line == 0 && p + ahead < pixels)
      for (const Pixel* const frame : frames) prefetch(frame + p + ahead);
    const std::size_t at = pixels < side ? 0 : std::min(p, pixels - side), some = std::min(pixels, side);
    if (some == side) {
      core::transpose_rows<Pixel, W>(frames, at, square);
    } else {
      for (std::size_t i = 0; i < some; ++i)
        for (std::size_t f = 0; f < side; ++f) square[i * side + f] = frames[f][at + i];
    }
    for (std::size_t i = 0; i < some; ++i) normalise<W>(square + i * side, by, at + i, count, out + (at + i) * stride);
  }
}

/// The frames of one register of segment g from frame `begin` on; beyond the segment's last of `all`, that once more.
template <int W, class Pixel>
inline void find_frames(const Pixel* movie, std::size_t pixels, const FrameOrder& order, const std::int64_t* first, std::size_t g,
                        std::size_t begin, std::size_t all, const Pixel* (&frames)[W]) {
  for (std::size_t f = 0; f < static_cast<std::size_t>(W); ++f)
    frames[f] = movie + order(first, g, std::min(begin + f, all - 1)) * pixels;
}

/// On a host a work item is a register of frames of a segment.
template <class S, class Pixel>
void gather_on_host(const Exec& exec, const View3<const Pixel>& movie, const View1<std::int64_t>& first, const FrameOrder& order,
                    const PixelScale<S>& by, const View4<S>& frames) {
  constexpr std::size_t W = lane_count<S>;
  const std::size_t pixels = frames.extent(1) * frames.extent(2), all = frames.extent(3), registers = (all + W - 1) / W;
  Kokkos::parallel_for(
      "model::gather_frames", Kokkos::RangePolicy<Exec>(exec, 0, frames.extent(0) * registers), [&](const std::size_t item) {
        const std::size_t g = item / registers, begin = item % registers * W;
        const Pixel* found[W];
        find_frames<W>(movie.data(), pixels, order, first.data(), g, begin, all, found);
        gather_register<S, Pixel>(found, std::min(W, all - begin), pixels, by, frames.data() + g * pixels * all + begin, all);
      });
}

/// On a GPU it is a pixel of a segment, neighbouring pixels side by side.
template <class S, class Pixel>
void gather_on_device(const Exec& exec, const View3<const Pixel>& movie, const View1<std::int64_t>& first,
                      const FrameOrder& order, const PixelScale<S>& by, const View4<S>& frames) {
  const std::size_t pixels = frames.extent(1) * frames.extent(2), all = frames.extent(3);
  const Pixel* const from = movie.data();
  S* const to = frames.data();
  Kokkos::parallel_for(
      "model::gather_frames", Kokkos::RangePolicy<Exec>(exec, 0, frames.extent(0) * order.runs * pixels),
      KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t p = item % pixels, run = item / pixels, g = run / order.runs,
                          begin = run % order.runs * order.run_frames;
        for (std::size_t f = begin; f < begin + order.run_frames; ++f)
          to[(g * pixels + p) * all + f] =
              by.scale[p * by.each] * static_cast<S>(from[order(first.data(), g, f) * pixels + p]) + by.offset[p * by.each];
      });
}

}  // namespace gathering

template <class S, class Pixel>
void gather_frames(const Exec& exec, const View3<const Pixel>& movie, const View1<std::int64_t>& first, const View1<S>& scale,
                   const View1<S>& offset, const View4<S>& frames, std::size_t spacing) {
  const gathering::FrameOrder order(frames.extent(0), first.extent(0), frames.extent(3), spacing);
  const gathering::PixelScale<S> by(scale, offset);
  if constexpr (core::detail::exec_is_host) {
    gathering::gather_on_host(exec, movie, first, order, by, frames);
  } else {
    gathering::gather_on_device(exec, movie, first, order, by, frames);
  }
}

template <class S, class Pixel>
SegmentSource<S> segment_source(const View3<const Pixel>& movie, const std::vector<std::int64_t>& first, const View1<S>& scale,
                                const View1<S>& offset, std::size_t segments, std::size_t frames, std::size_t spacing) {
  const gathering::FrameOrder order(segments, first.size(), frames, spacing);
  const gathering::PixelScale<S> by(scale, offset);
  const std::size_t pixels = movie.extent(1) * movie.extent(2);
  return {segments, [=](std::size_t g, std::size_t begin, S* values) {
            constexpr std::size_t W = lane_count<S>;
            const Pixel* found[W];
            gathering::find_frames<W>(movie.data(), pixels, order, first.data(), g, begin, frames, found);
            gathering::gather_register<S, Pixel>(found, W, pixels, by, values, W);
          }};
}

template <class S>
void gather_targets(const Exec& exec, const View2<const float>& response, const View1<std::int64_t>& first,
                    const View5<S>& target, std::size_t spacing) {
  const std::size_t cells = target.extent(1), windows = target.extent(4), runs = first.extent(0) / target.extent(0),
                    run = windows / runs;
  Kokkos::parallel_for(
      "model::gather_targets", Kokkos::RangePolicy<Exec>(exec, 0, target.extent(0) * cells * windows),
      KOKKOS_LAMBDA(const std::size_t item) {
        const std::size_t b = item % windows, n = item / windows % cells, g = item / windows / cells;
        target(g, n, 0, 0, b) =
            static_cast<S>(response(n, static_cast<std::size_t>(first(g * runs + b / run)) + b % run * spacing));
      });
}

#define AMACRINE_INSTANTIATE_PIXEL(S, Pixel)                                                                                 \
  template void gather_frames<S, Pixel>(const Exec&, const View3<const Pixel>&, const View1<std::int64_t>&, const View1<S>&, \
                                        const View1<S>&, const View4<S>&, std::size_t);                                      \
  template SegmentSource<S> segment_source<S, Pixel>(const View3<const Pixel>&, const std::vector<std::int64_t>&,            \
                                                     const View1<S>&, const View1<S>&, std::size_t, std::size_t, std::size_t);
#define AMACRINE_INSTANTIATE(S)                                                                                        \
  AMACRINE_INSTANTIATE_PIXEL(S, std::uint8_t)                                                                          \
  AMACRINE_INSTANTIATE_PIXEL(S, float)                                                                                 \
  template void gather_targets<S>(const Exec&, const View2<const float>&, const View1<std::int64_t>&, const View5<S>&, \
                                  std::size_t);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE
#undef AMACRINE_INSTANTIATE_PIXEL

}  // namespace amacrine::model
