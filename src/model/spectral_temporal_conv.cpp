// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/lanes.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/model/spectral.hpp"
#include "spectral_multiply.hpp"
#include "spectral_time.hpp"
#include "spectral_transform.hpp"
#include "spectral_workspace.hpp"

#include <algorithm>

namespace amacrine::model {

using core::Exec;
using core::lane_count;
using core::padded_to_lanes;
using core::View1;
using core::View4;
using core::View5;

std::size_t gradient_segments(std::size_t segments, std::size_t history, const SegmentShape& shape, std::size_t owners) {
  if (!spectral::TimeBlocks(spectral::as_int(history), shape)) return 1;
  constexpr std::size_t least_lanes = 16;  // so that their spectra fit the cache
  return sharing_neighbours(segments, std::max(shape.windows, least_lanes), owners);
}

std::size_t runs_side_by_side(const Batch& batch, std::size_t history) {
  constexpr std::size_t lanes = 16;  // also where registers are narrower, so that ranks share a batch alike everywhere
  const WindowRun& run = batch.run;
  for (std::size_t some = std::min(batch.runs / batch.owners(), lanes / std::max<std::size_t>(run.windows, 1)); some > 1; --some)
    if (batch.runs % some == 0 &&
        spectral::TimeBlocks(spectral::as_int(history), SegmentShape(some * run.windows, some, run.spacing)))
      return some;
  return 1;
}

/// What a host's thread takes at a time where it works by planes. Spectra over time are read from beyond its own cache, those of
/// the frames once for all channels of an item, the kernel's once for all its segments; its planes, of 128 windows together at
/// most, stay in its cache. With several phases there is so much more to read that planes that do not quite stay are less.
struct ItemShape {
  std::size_t segments, channels;
  ItemShape(int window_lanes, std::size_t all_channels, int phases)
      : segments(window_lanes <= 32 ? 2 : 1),
        channels(std::min(all_channels, core::as_size(std::max(1, (phases > 1 ? 256 : 128) / window_lanes)) / segments)) {}
};
/// Channels of an item of the gradient, `together` segments each.
inline std::size_t gradient_channels(std::size_t channels, int phases) {
  return std::min<std::size_t>(channels, phases > 1 ? 4 : 2);
}

/// Values of the workspaces, and the lanes of their spectra.
template <class S>
struct SpectralTemporalConv<S>::Sizes {
  int n, lags, window_lanes, lag_lanes, frame_lanes, chunk;
  spectral::TimeBlocks time;
  std::size_t room = 0;  ///< of a thread that works by planes
  std::size_t frames, kernel, product, gradient, packed;

  Sizes(std::size_t segments, std::size_t channels, std::size_t history, std::size_t kernel_area, std::size_t side,
        const SegmentShape& shape, SpectralUse use, std::size_t summed) {
    const int w = lane_count<S>, all = spectral::as_int(shape.windows);
    const bool gradients = use == SpectralUse::gradients;
    if (gradients) time = spectral::TimeBlocks(spectral::as_int(history), shape);
    core::require(shape.runs == 1 || time, "{} runs of {} windows cannot be computed side by side", shape.runs, shape.run());
    core::require(shape.spacing == 1 || time, "{} windows {} frames apart have no transform over time", all, shape.spacing);
    lags = spectral::as_int(spectral::LagLanes(history, shape.spacing).lanes());
    n = spectral::smallest_length(spectral::as_int(side));
    chunk = spectral::chunk_size(segments);
    lag_lanes = padded_to_lanes(time ? time.lags_touched(w) : lags, w);
    window_lanes = padded_to_lanes(time ? time.windows_touched(w) : all, w);
    // A tile reads two registers of windows behind every lag, and three registers of lags behind every window. Columns of time
    // are read in whole registers, the last ones perhaps from the row behind: beyond the last there is a register more.
    frame_lanes = padded_to_lanes(time ? spectral::as_int(shape.frames(history))
                                       : std::max(padded_to_lanes(all, 2 * w) + lags, padded_to_lanes(lags, 3 * w) + all),
                                  w);
    const std::size_t f = spectral::frequencies(n), pair = 2 * f, together = static_cast<std::size_t>(chunk);
    const std::size_t plane = pair * static_cast<std::size_t>(frame_lanes), read = plane + (time ? core::as_size(w) : 0);
    frames = time ? segments * spectral::time_spectrum<S>(time, f, time.blocks) : (gradients ? segments : together) * plane;
    kernel = channels * (time ? spectral::time_spectrum<S>(time, f, 1) : pair * static_cast<std::size_t>(lag_lanes));
    const std::size_t window_plane = pair * static_cast<std::size_t>(window_lanes),
                      lag_plane = pair * static_cast<std::size_t>(lag_lanes);
    const bool planes = planes_fuse && time;
    if (planes) {
      const ItemShape item(window_lanes, channels, time.phases);
      const std::size_t back =
          gradient_channels(channels, time.phases) * (summed * window_plane + lag_plane) + core::as_size(lags) * kernel_area;
      room = core::as_size(
          padded_to_lanes(spectral::as_int(std::max({read, item.segments * item.channels * window_plane, back})), w));
    }
    const std::size_t products = planes ? core::as_size(Exec().concurrency()) * room : together * channels * window_plane;
    product = std::max(products, time && !planes ? together * plane + core::as_size(w) : 0);
    const std::size_t kernels = planes ? 1 : gradients ? together / summed : 0;
    gradient = kernels * channels * lag_plane;
    packed = std::max<std::size_t>(kernels, 1) * channels * core::as_size(lags) * kernel_area;
  }
};

template <class S>
SpectralTemporalConv<S>::SpectralTemporalConv(std::size_t segments, std::size_t channels, std::size_t history,
                                              std::size_t kernel_y, std::size_t kernel_x, std::size_t height, std::size_t width,
                                              const SegmentShape& shape, SpectralUse use, std::size_t gradient_segments)
    : use_(use),
      segments_(spectral::as_int(segments)),
      channels_(spectral::as_int(channels)),
      history_(spectral::as_int(history)),
      kernel_y_(spectral::as_int(kernel_y)),
      kernel_x_(spectral::as_int(kernel_x)),
      height_(spectral::as_int(height)),
      width_(spectral::as_int(width)),
      windows_(spectral::as_int(shape.windows)),
      frames_(spectral::as_int(shape.frames(history))) {
  const Sizes sizes(segments, channels, history, kernel_y * kernel_x, std::max(height, width), shape, use, gradient_segments);
  core::require(segments % gradient_segments == 0 && (gradient_segments == 1 || sizes.time),
                "{} segments with {} windows cannot sum the gradients of {}", segments, shape.windows, gradient_segments);
  n_ = sizes.n, lags_ = sizes.lags, chunk_ = sizes.chunk, together_ = spectral::as_int(gradient_segments);
  window_lanes_ = sizes.window_lanes, lag_lanes_ = sizes.lag_lanes, frame_lanes_ = sizes.frame_lanes, time_ = sizes.time,
  room_ = sizes.room;
  frame_spectra_ = spectral::zeros<S>("frames", sizes.frames);
  kernel_spectra_ = spectral::zeros<S>("kernel", sizes.kernel);
  product_ = spectral::zeros<S>("product", sizes.product);
  gradient_spectra_ = spectral::zeros<S>("gradient", sizes.gradient);
  packed_ = spectral::zeros<S>("packed", sizes.packed);
}

template <class S>
void SpectralTemporalConv<S>::set_kernel(const Exec& exec, const View4<S>& kernel) {
  spectral::pack_lags(exec, lag_order(), kernel, packed_.data());
  // Before the transform over time the spectra lie where those of gradients will.
  S* const plane = time_ ? gradient_spectra_.data() : kernel_spectra_.data();
  spectral::forward(exec, n_, static_cast<const S*>(packed_.data()), channels_, kernel_y_, kernel_x_, lags_, plane, lag_lanes_);
  if (time_)
    spectral::transform_lags(exec, time_, spectral::frequencies(n_), channels_, static_cast<const S*>(plane), lag_lanes_,
                             kernel_spectra_.data());
}

/// Spectra of `count` segments' frames, from segment `first` of those kept on.
template <class S>
void SpectralTemporalConv<S>::transform_frames(const Exec& exec, const S* frames, int count, S* spectra) {
  S* const plane = time_ ? product_.data() : spectra;
  spectral::forward(exec, n_, frames, count, height_, width_, frames_, plane, frame_lanes_);
  if (time_)
    spectral::transform_frames(exec, time_, spectral::frequencies(n_), count, static_cast<const S*>(plane), frame_lanes_,
                               spectra);
}

/// transform_frames on a host with a transform over time, a segment at a time. transform_plane(g, spectrum): the transform in
/// space of segment g.
template <class S>
template <class Planes>
void SpectralTemporalConv<S>::transform_segments(const Exec& exec, int segments, const Planes& transform_plane) {
  const std::size_t f = spectral::frequencies(n_), spectrum = frame_spectrum();
  const spectral::TimeTwiddles<S> in_time = spectral::time_twiddles<S>(time_.length);
  const Kokkos::Experimental::UniqueToken<Exec> token(exec);
  Kokkos::parallel_for("model::spectral_frames", spectral::long_items(exec, static_cast<std::size_t>(segments)), [&](long item) {
    const std::size_t g = static_cast<std::size_t>(item);
    const int thread = token.acquire();
    S* const room = product_.data() + static_cast<std::size_t>(thread) * room_;
    transform_plane(g, room);
    spectral::transform_frames_here(time_, in_time, f, static_cast<const S*>(room), frame_lanes_,
                                    frame_spectra_.data() + g * spectrum);
    token.release(thread);
  });
}

template <class S>
spectral::LagLanes SpectralTemporalConv<S>::lag_order() const {
  return {core::as_size(history_), core::as_size(time_ ? time_.phases : 1)};
}

template <class S>
std::size_t SpectralTemporalConv<S>::frame_spectrum() const {
  const std::size_t f = spectral::frequencies(n_);
  return time_ ? spectral::time_spectrum<S>(time_, f, time_.blocks) : f * 2 * static_cast<std::size_t>(frame_lanes_);
}

template <class S>
std::size_t SpectralTemporalConv<S>::output_area() const {
  return core::as_size((height_ - kernel_y_ + 1) * (width_ - kernel_x_ + 1) * windows_);
}

template <class S>
void SpectralTemporalConv<S>::require_room(std::size_t segments, FrameSpectra kept) const {
  core::require(use_ == SpectralUse::gradients || kept == FrameSpectra::fresh,
                "an engine made for forward passes keeps no spectra of its frames");
  core::require(segments <= core::as_size(segments_), "{} segments were given to an engine made for {}", segments, segments_);
}

template <class S>
void SpectralTemporalConv<S>::forward(const Exec& exec, const SegmentSource<S>& source, const View5<S>& out, FrameSpectra kept,
                                      const PlaneEpilogue& epilogue) {
  require_room(source.segments, kept);
  core::require(takes_source() && source, "only a host's transform over time takes frames that are written as it reads them");
  if constexpr (planes_fuse) {
    constexpr int W = lane_count<S>;
    const View1<S> in_space = spectral::twiddles<S>(n_);
    const spectral::PlaneLayout<S> at{in_space.data(), height_, width_, W, frame_lanes_};
    const std::size_t area = core::as_size(height_ * width_ * W);
    const int segments = spectral::as_int(source.segments);
    if (kept == FrameSpectra::fresh)
      transform_segments(exec, segments, [&](std::size_t g, S* spectrum) {
        S* const values = spectral::thread_plane<S>(area);
        for (int lane = 0; lane < frame_lanes_; lane += W) {
          source.write(g, core::as_size(lane), values);
          spectral::forward_lanes_here(n_, at, static_cast<const S*>(values), W, spectrum + lane);
        }
      });
    correlate_by_planes(exec, segments, out.data(), epilogue);
  }
}

template <class S>
void SpectralTemporalConv<S>::forward(const Exec& exec, const View4<S>& frames, const View5<S>& out, FrameSpectra kept,
                                      const PlaneEpilogue& epilogue) {
  require_room(frames.extent(0), kept);
  const bool gradients = use_ == SpectralUse::gradients;
  const int segments = spectral::as_int(frames.extent(0));
  if constexpr (planes_fuse) {
    if (by_planes()) {
      const View1<S> in_space = spectral::twiddles<S>(n_);
      const spectral::PlaneLayout<S> at{in_space.data(), height_, width_, frames_, frame_lanes_};
      if (kept == FrameSpectra::fresh)
        transform_segments(exec, segments, [&](std::size_t g, S* spectrum) {
          spectral::forward_here(n_, at, static_cast<const S*>(frames.data() + g * frames.stride(0)), spectrum);
        });
      return correlate_by_planes(exec, segments, out.data(), epilogue);
    }
  }
  for (int g = 0; g < segments; g += chunk_) {
    const int count = std::min(chunk_, segments - g);
    const std::size_t first = static_cast<std::size_t>(g);
    S* const spectra = frame_spectra_.data() + (gradients ? first * frame_spectrum() : 0);
    if (kept == FrameSpectra::fresh) transform_frames(exec, frames.data() + first * frames.stride(0), count, spectra);
    correlate(exec, spectra, count, out.data() + first * out.stride(0), from_plane(epilogue, first * channels()));
  }
}

/// The sums over lags of `count` segments, and their way back from the frequency domain.
template <class S>
void SpectralTemporalConv<S>::correlate(const Exec& exec, const S* spectra, int count, S* out, const PlaneEpilogue& epilogue) {
  const std::size_t f = spectral::frequencies(n_);
  const S* const w = kernel_spectra_.data();
  time_ ? spectral::correlate_spectra(exec, time_, f, count, channels_, spectra, w, product_.data(), window_lanes_)
        : spectral::correlate_in_time(exec, f, count, channels_, history_, windows_, spectra, frame_lanes_, w, lag_lanes_,
                                      product_.data(), window_lanes_);
  spectral::inverse(exec, n_, product_.data(), window_lanes_, count * channels_, out, height_ - kernel_y_ + 1,
                    width_ - kernel_x_ + 1, windows_, epilogue);
}

/// correlate() on a host with a transform over time, an item at a time, whose products stay in the cache of the thread that
/// transforms them back.
template <class S>
void SpectralTemporalConv<S>::correlate_by_planes(const Exec& exec, int segments, S* out, const PlaneEpilogue& epilogue) {
  if constexpr (planes_fuse) {
    const std::size_t f = spectral::frequencies(n_), plane = f * 2 * static_cast<std::size_t>(window_lanes_);
    const std::size_t kernel = spectral::time_spectrum<S>(time_, f, 1), frames = frame_spectrum(), area = output_area();
    const spectral::TimeTwiddles<S> in_time = spectral::time_twiddles<S>(time_.length);
    const View1<S> in_space = spectral::twiddles<S>(n_);
    const spectral::PlaneLayout<S> at{in_space.data(), height_ - kernel_y_ + 1, width_ - kernel_x_ + 1, windows_, window_lanes_};
    const ItemShape shape(window_lanes_, channels(), time_.phases);
    const std::size_t wide = shape.channels, groups = (channels() + wide - 1) / wide, all = core::as_size(segments),
                      each = shape.segments;
    const Kokkos::Experimental::UniqueToken<Exec> token(exec);
    Kokkos::parallel_for(epilogue ? epilogue.label : "model::spectral_correlate_planes",
                         spectral::long_items(exec, (all + each - 1) / each * groups), [&](long item) {
                           const std::size_t g = static_cast<std::size_t>(item) / groups * each,
                                             c = static_cast<std::size_t>(item) % groups * wide;
                           const std::size_t some = std::min(wide, channels() - c), count = std::min(each, all - g);
                           const int thread = token.acquire();
                           S* const room = product_.data() + static_cast<std::size_t>(thread) * room_;
                           spectral::correlate_here(time_, in_time, f, spectral::as_int(count), spectral::as_int(some),
                                                    static_cast<const S*>(frame_spectra_.data() + g * frames),
                                                    static_cast<const S*>(kernel_spectra_.data() + c * kernel), room,
                                                    window_lanes_);
                           for (std::size_t i = 0; i < count * some; ++i) {
                             const std::size_t p = (g + i / some) * channels() + c + i % some;
                             spectral::inverse_here(n_, at, room + i * plane, out + p * area);
                             if (epilogue) epilogue.run(p);
                           }
                           token.release(thread);
                         });
  }
}

template <class S>
void SpectralTemporalConv<S>::kernel_gradient(const Exec& exec, const View5<S>& d_out, const View5<S>& d_kernel,
                                              const PlanePrologue<S>& prologue) {
  core::require(use_ == SpectralUse::gradients, "an engine made for forward passes has no gradients");
  if (by_planes()) return gradient_by_planes(exec, d_out, d_kernel, prologue);
  const std::size_t f = spectral::frequencies(n_), area = core::as_size(kernel_y_ * kernel_x_);
  for (int g = 0; g < segments_; g += chunk_) {
    const int count = std::min(chunk_, segments_ - g), kernels = count / together_;
    const std::size_t first = static_cast<std::size_t>(g);
    spectral::forward(exec, n_, spectral::planes_of(d_out, first), count * channels_, height_ - kernel_y_ + 1,
                      width_ - kernel_x_ + 1, windows_, product_.data(), window_lanes_, from_plane(prologue, first * channels()));
    const S *const s = frame_spectra_.data() + first * frame_spectrum(), *const d = product_.data();
    S* const sums = gradient_spectra_.data();
    time_
        ? spectral::correlate_window_spectra(exec, time_, f, kernels, together_, channels_, s, d, window_lanes_, sums, lag_lanes_)
        : spectral::correlate_windows(exec, f, count, channels_, history_, windows_, s, frame_lanes_, d, window_lanes_, sums,
                                      lag_lanes_);
    spectral::inverse(exec, n_, sums, lag_lanes_, kernels * channels_, packed_.data(), kernel_y_, kernel_x_, lags_);
    spectral::unpack_lags(exec, lag_order(), static_cast<const S*>(packed_.data()),
                          d_kernel.data() + core::as_size(g / together_) * d_kernel.stride(0), core::as_size(kernels * channels_),
                          area);
  }
}

/// kernel_gradient() on a host with a transform over time, two channels of the segments that share a gradient at a time: from d
/// to taps in one go, in the cache of a thread.
template <class S>
void SpectralTemporalConv<S>::gradient_by_planes(const Exec& exec, const View5<S>& d_out, const View5<S>& d_kernel,
                                                 const PlanePrologue<S>& prologue) {
  if constexpr (planes_fuse) {
    const std::size_t f = spectral::frequencies(n_), plane = f * 2 * static_cast<std::size_t>(window_lanes_);
    const std::size_t kernel = f * 2 * static_cast<std::size_t>(lag_lanes_), taps = core::as_size(kernel_y_ * kernel_x_);
    const std::size_t together = core::as_size(together_), area = output_area(), frames = frame_spectrum();
    const spectral::LagLanes order = lag_order();
    const std::size_t wide = gradient_channels(channels(), time_.phases), groups = (channels() + wide - 1) / wide;
    const spectral::TimeTwiddles<S> in_time = spectral::time_twiddles<S>(time_.length);
    const View1<S> in_space = spectral::twiddles<S>(n_);
    const spectral::PlaneLayout<S> at{in_space.data(), height_ - kernel_y_ + 1, width_ - kernel_x_ + 1, windows_, window_lanes_},
        at_taps{in_space.data(), kernel_y_, kernel_x_, lags_, lag_lanes_};
    const Kokkos::Experimental::UniqueToken<Exec> token(exec);
    Kokkos::parallel_for(
        prologue ? prologue.label : "model::spectral_gradient_planes",
        spectral::long_items(exec, core::as_size(segments_) / together * groups), [&](long item) {
          const std::size_t k = static_cast<std::size_t>(item) / groups, c = static_cast<std::size_t>(item) % groups * wide,
                            some = std::min(wide, channels() - c);
          const int thread = token.acquire();
          S* const room = product_.data() + static_cast<std::size_t>(thread) * room_;
          S *const sums = room + some * together * plane, *const packed = sums + some * kernel;
          for (std::size_t i = 0; i < some * together; ++i) {
            const std::size_t p = (k * together + i % together) * channels() + c + i / together;
            S* const written = prologue ? spectral::thread_plane<S>(area) : nullptr;
            if (prologue) prologue.write(p, written);
            spectral::forward_here(n_, at, prologue ? static_cast<const S*>(written) : d_out.data() + p * area, room + i * plane);
          }
          spectral::correlate_windows_here(time_, in_time, f, together_, spectral::as_int(some),
                                           static_cast<const S*>(frame_spectra_.data() + k * together * frames),
                                           static_cast<const S*>(room), window_lanes_, sums, lag_lanes_);
          for (std::size_t i = 0; i < some; ++i) {
            spectral::inverse_here(n_, at_taps, sums + i * kernel, packed);
            for (std::size_t lane = 0; lane < order.lanes(); ++lane)
              spectral::unpack_lane(order, lane, static_cast<const S*>(packed),
                                    d_kernel.data() + k * d_kernel.stride(0) + (c + i) * order.lags * taps, taps, 0, taps);
          }
          token.release(thread);
        });
  }
}

template <class S>
double SpectralTemporalConv<S>::bytes(std::size_t segments, std::size_t channels, std::size_t history, std::size_t kernel_y,
                                      std::size_t kernel_x, std::size_t height, std::size_t width, const SegmentShape& shape,
                                      SpectralUse use, std::size_t gradient_segments) {
  const Sizes n(segments, channels, history, kernel_y * kernel_x, std::max(height, width), shape, use, gradient_segments);
  return static_cast<double>(sizeof(S)) * static_cast<double>(n.frames + n.kernel + n.product + n.gradient + n.packed);
}

template class SpectralTemporalConv<float>;
template class SpectralTemporalConv<double>;

}  // namespace amacrine::model
