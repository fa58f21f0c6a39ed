// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/lanes.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/model/spectral.hpp"
#include "spectral_multiply.hpp"
#include "spectral_time.hpp"
#include "spectral_transform.hpp"

#include <algorithm>
#include <utility>

namespace amacrine::model {

using core::Exec;
using core::lane_count;
using core::padded_to_lanes;
using core::View1;
using core::View4;
using core::View5;

namespace {

int as_int(std::size_t value) { return static_cast<int>(value); }

/// Segments computed together: as many as there are host threads, so that a thread's spectra stay in its cache; all on a GPU. A
/// multiple of those whose gradients are summed.
int chunk_size(std::size_t segments, std::size_t together = 1) {
  if (!core::detail::exec_is_host) return as_int(segments);
  const int each = as_int(together), wanted = std::max(1, std::min(as_int(segments), Exec().concurrency()));
  return (wanted + each - 1) / each * each;
}

/// Where segment `segment` begins; null in a view without extents, whose planes are written on the way.
template <class S>
const S* planes_of(const View5<S>& planes, std::size_t segment) {
  return planes.size() == 0 ? nullptr : planes.data() + segment * planes.stride(0);
}

template <class S>
View1<S> zeros(const char* name, std::size_t size) {
  auto view = core::workspace<View1<S>>(std::string("model::spectral_") + name, size);
  Kokkos::deep_copy(view, S(0));
  return view;
}

}  // namespace

/// from (C, R, S) -> to (C, S, R): the lags of a kernel (C, L, J * I) become its lanes, and back. A host's work item writes whole
/// rows.
template <class S>
void transpose_planes(const Exec& exec, const char* label, const S* from, S* to, std::size_t planes, std::size_t rows,
                      std::size_t columns) {
  const std::size_t run = core::detail::exec_is_host ? rows : 1, runs = rows / run;
  Kokkos::parallel_for(
      label, Kokkos::RangePolicy<Exec>(exec, 0, planes * columns * runs), KOKKOS_LAMBDA(std::size_t i) {
        const std::size_t first = i % runs * run, s = i / runs % columns, c = i / runs / columns;
        const S* const in = from + c * rows * columns + s;
        S* const out = to + (c * columns + s) * rows;
        for (std::size_t r = first; r < first + run; ++r) out[r] = in[r * columns];
      });
}

/// kernel (C, L, J, I) -> packed (C, J, I, L).
template <class S>
void pack_lags(const Exec& exec, const View4<S>& kernel, S* packed) {
  transpose_planes(exec, "model::spectral_pack_lags", static_cast<const S*>(kernel.data()), packed, kernel.extent(0),
                   kernel.extent(1), kernel.extent(2) * kernel.extent(3));
}

/// packed (C, J, I, L) -> gradient (C, L, J, I).
template <class S>
void unpack_lags(const Exec& exec, const S* packed, S* gradient, std::size_t channels, std::size_t lags, std::size_t area) {
  transpose_planes(exec, "model::spectral_unpack_lags", packed, gradient, channels, area, lags);
}

PlaneWork from_plane(PlaneWork work, std::size_t first) {
  if (!work) return work;
  return {work.label, [all = std::move(work.run), first](std::size_t plane) { all(first + plane); }};
}

std::size_t gradient_segments(std::size_t segments, std::size_t history, std::size_t windows) {
  if (!spectral::TimeBlocks(as_int(history), as_int(windows))) return 1;
  // About 64 windows share a transform back, so that their spectra still fit the cache.
  constexpr std::size_t shared_windows = 64, least_lanes = 16, parts = 8;
  std::size_t together = std::max<std::size_t>(1, std::min(shared_windows / std::max(windows, least_lanes), segments / parts));
  while (segments % together != 0) --together;
  return together;
}

template <class S>
PlaneSource<S> from_plane(PlaneSource<S> source, std::size_t first) {
  if (!source) return source;
  return {source.label, [all = std::move(source.write), first](std::size_t plane, S* values) { all(first + plane, values); }};
}
template PlaneSource<float> from_plane(PlaneSource<float>, std::size_t);
template PlaneSource<double> from_plane(PlaneSource<double>, std::size_t);

bool spectral_possible(int height, int width) { return spectral::smallest_length(std::max(height, width)) > 0; }

bool spectral_pays(int height, int width, int kernel_y, int kernel_x, std::size_t channels) {
  const int n = spectral::smallest_length(std::max(height, width));
  if (n == 0 || channels < 2) return false;
  const double direct = double(kernel_y) * kernel_x * (height - kernel_y + 1) * (width - kernel_x + 1);
  return direct > 40.0 * static_cast<double>(spectral::frequencies(n));
}

/// Values of the workspaces, and the lanes of their spectra.
template <class S>
struct SpectralTemporalConv<S>::Sizes {
  int n, window_lanes, lag_lanes, frame_lanes, chunk;
  spectral::TimeBlocks time;
  std::size_t frames, kernel, product, gradient, packed;

  Sizes(std::size_t segments, std::size_t channels, std::size_t history, std::size_t kernel_area, std::size_t side,
        std::size_t windows, SpectralUse use, std::size_t summed) {
    const int w = lane_count<S>, lags = as_int(history), all = as_int(windows);
    const bool gradients = use == SpectralUse::gradients;
    if (gradients) time = spectral::TimeBlocks(lags, all);
    n = spectral::smallest_length(as_int(side));
    chunk = chunk_size(segments, summed);
    lag_lanes = padded_to_lanes(lags, w);
    window_lanes = padded_to_lanes(time ? time.windows_touched(w) : all, w);
    // A tile reads two registers of windows behind every lag, and three registers of lags behind every window.
    frame_lanes = padded_to_lanes(
        time ? time.frames_touched(w) : std::max(padded_to_lanes(all, 2 * w) + lags, padded_to_lanes(lags, 3 * w) + all), w);
    const std::size_t f = spectral::frequencies(n), pair = 2 * f, together = static_cast<std::size_t>(chunk);
    const std::size_t plane = pair * static_cast<std::size_t>(frame_lanes);
    frames = time ? segments * spectral::time_spectrum<S>(time, f, time.blocks) : (gradients ? segments : together) * plane;
    kernel = channels * (time ? spectral::time_spectrum<S>(time, f, 1) : pair * static_cast<std::size_t>(lag_lanes));
    product = together * std::max(channels * pair * static_cast<std::size_t>(window_lanes), time ? plane : 0);
    const std::size_t kernels = gradients ? together / summed : 0;
    gradient = kernels * channels * pair * static_cast<std::size_t>(lag_lanes);
    packed = std::max<std::size_t>(kernels, 1) * channels * history * kernel_area;
  }
};

template <class S>
SpectralTemporalConv<S>::SpectralTemporalConv(std::size_t segments, std::size_t channels, std::size_t history,
                                              std::size_t kernel_y, std::size_t kernel_x, std::size_t height, std::size_t width,
                                              std::size_t windows, SpectralUse use, std::size_t gradient_segments)
    : use_(use),
      segments_(as_int(segments)),
      channels_(as_int(channels)),
      history_(as_int(history)),
      kernel_y_(as_int(kernel_y)),
      kernel_x_(as_int(kernel_x)),
      height_(as_int(height)),
      width_(as_int(width)),
      windows_(as_int(windows)) {
  const Sizes sizes(segments, channels, history, kernel_y * kernel_x, std::max(height, width), windows, use, gradient_segments);
  core::require(segments % gradient_segments == 0 && (gradient_segments == 1 || sizes.time),
                "{} segments with {} windows cannot sum the gradients of {}", segments, windows, gradient_segments);
  n_ = sizes.n, chunk_ = sizes.chunk, together_ = as_int(gradient_segments);
  window_lanes_ = sizes.window_lanes, lag_lanes_ = sizes.lag_lanes, frame_lanes_ = sizes.frame_lanes, time_ = sizes.time;
  frame_spectra_ = zeros<S>("frames", sizes.frames);
  kernel_spectra_ = zeros<S>("kernel", sizes.kernel);
  product_ = zeros<S>("product", sizes.product);
  gradient_spectra_ = zeros<S>("gradient", sizes.gradient);
  packed_ = zeros<S>("packed", sizes.packed);
}

template <class S>
void SpectralTemporalConv<S>::set_kernel(const Exec& exec, const View4<S>& kernel) {
  pack_lags(exec, kernel, packed_.data());
  // Before the transform over time the spectra lie where those of gradients will.
  S* const plane = time_ ? gradient_spectra_.data() : kernel_spectra_.data();
  spectral::forward(exec, n_, static_cast<const S*>(packed_.data()), channels_, kernel_y_, kernel_x_, history_, plane,
                    lag_lanes_);
  if (time_)
    spectral::transform_lags(exec, time_, spectral::frequencies(n_), channels_, static_cast<const S*>(plane), lag_lanes_,
                             kernel_spectra_.data());
}

/// Spectra of `count` segments' frames, from segment `first` of those kept on.
template <class S>
void SpectralTemporalConv<S>::transform_frames(const Exec& exec, const S* frames, int count, S* spectra) {
  S* const plane = time_ ? product_.data() : spectra;
  spectral::forward(exec, n_, frames, count, height_, width_, windows_ + history_ - 1, plane, frame_lanes_);
  if (time_)
    spectral::transform_frames(exec, time_, spectral::frequencies(n_), count, static_cast<const S*>(plane), frame_lanes_,
                               spectra);
}

template <class S>
std::size_t SpectralTemporalConv<S>::frame_spectrum() const {
  const std::size_t f = spectral::frequencies(n_);
  return time_ ? spectral::time_spectrum<S>(time_, f, time_.blocks) : f * 2 * static_cast<std::size_t>(frame_lanes_);
}

template <class S>
void SpectralTemporalConv<S>::forward(const Exec& exec, const View4<S>& frames, const View5<S>& out, FrameSpectra kept,
                                      const PlaneWork& after) {
  const bool gradients = use_ == SpectralUse::gradients;
  core::require(gradients || kept == FrameSpectra::fresh, "an engine made for forward passes keeps no spectra of its frames");
  const std::size_t f = spectral::frequencies(n_);
  const int segments = as_int(frames.extent(0));
  core::require(segments <= segments_, "{} segments were given to an engine made for {}", segments, segments_);
  for (int g = 0; g < segments; g += chunk_) {
    const int count = std::min(chunk_, segments - g);
    const std::size_t first = static_cast<std::size_t>(g);
    S* const spectra = frame_spectra_.data() + (gradients ? first * frame_spectrum() : 0);
    if (kept == FrameSpectra::fresh) transform_frames(exec, frames.data() + first * frames.stride(0), count, spectra);
    const S *const s = spectra, *const w = kernel_spectra_.data();
    time_ ? spectral::correlate_spectra(exec, time_, f, count, channels_, s, w, product_.data(), window_lanes_)
          : spectral::correlate_in_time(exec, f, count, channels_, history_, windows_, s, frame_lanes_, w, lag_lanes_,
                                        product_.data(), window_lanes_);
    spectral::inverse(exec, n_, product_.data(), window_lanes_, count * channels_, out.data() + first * out.stride(0),
                      height_ - kernel_y_ + 1, width_ - kernel_x_ + 1, windows_, from_plane(after, core::as_size(g * channels_)));
  }
}

template <class S>
void SpectralTemporalConv<S>::kernel_gradient(const Exec& exec, const View5<S>& d_out, const View5<S>& d_kernel,
                                              const PlaneSource<S>& source) {
  core::require(use_ == SpectralUse::gradients, "an engine made for forward passes has no gradients");
  const std::size_t f = spectral::frequencies(n_), area = core::as_size(kernel_y_ * kernel_x_);
  for (int g = 0; g < segments_; g += chunk_) {
    const int count = std::min(chunk_, segments_ - g);
    const std::size_t first = static_cast<std::size_t>(g);
    spectral::forward(exec, n_, planes_of(d_out, first), count * channels_, height_ - kernel_y_ + 1, width_ - kernel_x_ + 1,
                      windows_, product_.data(), window_lanes_, from_plane(source, core::as_size(g * channels_)));
    const S *const s = frame_spectra_.data() + first * frame_spectrum(), *const d = product_.data();
    S* const sums = gradient_spectra_.data();
    const int kernels = count / together_;
    time_
        ? spectral::correlate_window_spectra(exec, time_, f, kernels, together_, channels_, s, d, window_lanes_, sums, lag_lanes_)
        : spectral::correlate_windows(exec, f, count, channels_, history_, windows_, s, frame_lanes_, d, window_lanes_, sums,
                                      lag_lanes_);
    spectral::inverse(exec, n_, sums, lag_lanes_, kernels * channels_, packed_.data(), kernel_y_, kernel_x_, history_);
    unpack_lags(exec, static_cast<const S*>(packed_.data()), d_kernel.data() + core::as_size(g / together_) * d_kernel.stride(0),
                core::as_size(kernels * channels_), static_cast<std::size_t>(history_), area);
  }
}

template <class S>
double SpectralTemporalConv<S>::bytes(std::size_t segments, std::size_t channels, std::size_t history, std::size_t kernel_y,
                                      std::size_t kernel_x, std::size_t height, std::size_t width, std::size_t windows,
                                      SpectralUse use, std::size_t gradient_segments) {
  const Sizes n(segments, channels, history, kernel_y * kernel_x, std::max(height, width), windows, use, gradient_segments);
  return static_cast<double>(sizeof(S)) * static_cast<double>(n.frames + n.kernel + n.product + n.gradient + n.packed);
}

/// Values of the workspaces, and the lanes of their spectra.
template <class S>
struct SpectralConv<S>::Sizes {
  int n, lanes, pair_lanes, chunk;
  std::size_t in, kernel, out, mixed, pairs, packed;

  Sizes(std::size_t segments, std::size_t in_channels, std::size_t out_channels, std::size_t kernel_area, std::size_t side,
        std::size_t windows, SpectralUse use) {
    const int w = lane_count<S>;
    n = spectral::smallest_length(as_int(side));
    lanes = padded_to_lanes(as_int(windows), w);
    pair_lanes = padded_to_lanes(as_int(in_channels * out_channels), w);
    chunk = chunk_size(segments);
    const bool gradients = use == SpectralUse::gradients;
    const std::size_t pair = spectral::frequencies(n) * 2, maps = pair * static_cast<std::size_t>(lanes),
                      together = static_cast<std::size_t>(chunk);
    in = (gradients ? segments : together) * in_channels * maps;
    kernel = pair * static_cast<std::size_t>(pair_lanes);
    out = together * out_channels * maps;
    mixed = gradients ? together * in_channels * maps : 0;
    pairs = gradients ? together * pair * static_cast<std::size_t>(pair_lanes) : 0;
    packed = (gradients ? together : 1) * in_channels * out_channels * kernel_area;
  }
};

template <class S>
SpectralConv<S>::SpectralConv(std::size_t segments, std::size_t in_channels, std::size_t out_channels, std::size_t kernel_y,
                              std::size_t kernel_x, std::size_t height, std::size_t width, std::size_t windows, SpectralUse use)
    : use_(use),
      segments_(as_int(segments)),
      in_channels_(as_int(in_channels)),
      out_channels_(as_int(out_channels)),
      kernel_y_(as_int(kernel_y)),
      kernel_x_(as_int(kernel_x)),
      height_(as_int(height)),
      width_(as_int(width)),
      windows_(as_int(windows)) {
  const Sizes sizes(segments, in_channels, out_channels, kernel_y * kernel_x, std::max(height, width), windows, use);
  n_ = sizes.n, lanes_ = sizes.lanes, pair_lanes_ = sizes.pair_lanes, chunk_ = sizes.chunk;
  in_spectra_ = zeros<S>("in", sizes.in);
  kernel_spectra_ = zeros<S>("kernel", sizes.kernel);
  out_spectra_ = zeros<S>("out", sizes.out);
  mixed_ = zeros<S>("mixed", sizes.mixed);
  pairs_ = zeros<S>("pairs", sizes.pairs);
  packed_ = zeros<S>("packed", sizes.packed);
}

template <class S>
void SpectralConv<S>::set_kernel(const Exec& exec, const View4<S>& kernel) {
  // The kernel as one plane whose lanes are channel pairs: (1, KY, KX, C * D).
  const View4<S> pairs(kernel.data(), 1, core::as_size(in_channels_ * out_channels_), static_cast<std::size_t>(kernel_y_),
                       static_cast<std::size_t>(kernel_x_));
  pack_lags(exec, pairs, packed_.data());
  spectral::forward(exec, n_, static_cast<const S*>(packed_.data()), 1, kernel_y_, kernel_x_, in_channels_ * out_channels_,
                    kernel_spectra_.data(), pair_lanes_);
}

template <class S>
void SpectralConv<S>::forward(const Exec& exec, const View5<S>& in, const View5<S>& out, const PlaneSource<S>& source,
                              const PlaneWork& after) {
  const std::size_t f = spectral::frequencies(n_), maps = f * 2 * static_cast<std::size_t>(lanes_);
  for (int g = 0; g < segments_; g += chunk_) {
    const int count = std::min(chunk_, segments_ - g);
    const std::size_t first = static_cast<std::size_t>(g);
    S* spectra =
        in_spectra_.data() + (use_ == SpectralUse::gradients ? first * static_cast<std::size_t>(in_channels_) * maps : 0);
    spectral::forward(exec, n_, planes_of(in, first), count * in_channels_, height_, width_, windows_, spectra, lanes_,
                      from_plane(source, first * static_cast<std::size_t>(in_channels_)));
    spectral::mix_channels(exec, f, count, in_channels_, out_channels_, lanes_, static_cast<const S*>(spectra),
                           static_cast<const S*>(kernel_spectra_.data()), pair_lanes_, out_spectra_.data());
    spectral::inverse(exec, n_, out_spectra_.data(), lanes_, count * out_channels_, out.data() + first * out.stride(0),
                      height_ - kernel_y_ + 1, width_ - kernel_x_ + 1, windows_,
                      from_plane(after, first * static_cast<std::size_t>(out_channels_)));
  }
}

template <class S>
void SpectralConv<S>::backward(const Exec& exec, const View5<S>& d_out, const View5<S>& d_in, const View5<S>& d_kernel,
                               const PlaneSource<S>& source, const PlaneWork& after) {
  core::require(use_ == SpectralUse::gradients, "an engine made for forward passes has no gradients");
  const std::size_t f = spectral::frequencies(n_), maps = f * 2 * static_cast<std::size_t>(lanes_);
  const std::size_t area = core::as_size(kernel_y_ * kernel_x_), pairs = core::as_size(in_channels_ * out_channels_);
  for (int g = 0; g < segments_; g += chunk_) {
    const int count = std::min(chunk_, segments_ - g);
    const std::size_t first = static_cast<std::size_t>(g);
    spectral::forward(exec, n_, planes_of(d_out, first), count * out_channels_, height_ - kernel_y_ + 1, width_ - kernel_x_ + 1,
                      windows_, out_spectra_.data(), lanes_, from_plane(source, first * static_cast<std::size_t>(out_channels_)));
    if (d_in.size() > 0) {
      spectral::mix_channels_back(exec, f, count, in_channels_, out_channels_, lanes_, static_cast<const S*>(out_spectra_.data()),
                                  static_cast<const S*>(kernel_spectra_.data()), pair_lanes_, mixed_.data());
      spectral::inverse(exec, n_, mixed_.data(), lanes_, count * in_channels_, d_in.data() + first * d_in.stride(0), height_,
                        width_, windows_, from_plane(after, first * static_cast<std::size_t>(in_channels_)));
    }
    if (d_kernel.size() == 0) continue;
    spectral::pair_channels(exec, f, count, in_channels_, out_channels_, windows_, lanes_,
                            static_cast<const S*>(in_spectra_.data() + first * static_cast<std::size_t>(in_channels_) * maps),
                            static_cast<const S*>(out_spectra_.data()), pairs_.data(), pair_lanes_);
    spectral::inverse(exec, n_, pairs_.data(), pair_lanes_, count, packed_.data(), kernel_y_, kernel_x_, as_int(pairs));
    unpack_lags(exec, static_cast<const S*>(packed_.data()), d_kernel.data() + first * d_kernel.stride(0),
                static_cast<std::size_t>(count), pairs, area);
  }
}

template <class S>
double SpectralConv<S>::bytes(std::size_t segments, std::size_t in_channels, std::size_t out_channels, std::size_t kernel_y,
                              std::size_t kernel_x, std::size_t height, std::size_t width, std::size_t windows, SpectralUse use) {
  const Sizes n(segments, in_channels, out_channels, kernel_y * kernel_x, std::max(height, width), windows, use);
  return static_cast<double>(sizeof(S)) * static_cast<double>(n.in + n.kernel + n.out + n.mixed + n.pairs + n.packed);
}

template class SpectralTemporalConv<float>;
template class SpectralTemporalConv<double>;
template class SpectralConv<float>;
template class SpectralConv<double>;

}  // namespace amacrine::model
