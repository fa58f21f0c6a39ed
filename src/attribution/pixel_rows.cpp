// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/pixel_rows.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/model/kernels.hpp"
#include "window_lanes.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

using core::View1;
using core::View2;
using core::View3;
using core::View5;

constexpr std::size_t group_rows = 32;  ///< rows that share a launch where they do not lie in registers

/// The first layer's sizes as the spectral engines take them.
struct TransposeSizes {
  int height, width, kernel_y, kernel_x, channels, history;
  template <class S>
  explicit TransposeSizes(const PathNetwork<S>& network)
      : height(network.height),
        width(network.width),
        kernel_y(static_cast<int>(network.first().kernel.extent(2))),
        kernel_x(static_cast<int>(network.first().kernel.extent(3))),
        channels(network.first().channels),
        history(network.history) {}
  std::size_t window() const { return core::as_size(history) * core::as_size(height) * core::as_size(width); }
};

/// s - s0 frame by frame: (Y X, F) -> (F, Y X).
template <class S>
std::vector<S> by_time(const JoinedFrames<S>& frames) {
  const std::size_t pixels = frames.values.size() / frames.count;
  std::vector<S> out(frames.values.size());
  for (std::size_t f = 0; f < frames.count; ++f)
    for (std::size_t i = 0; i < pixels; ++i) out[f * pixels + i] = frames.values[i * frames.count + f];
  return out;
}

/// g(u, b) = G_u of row first + b = window * M + cell, rows as lanes; zeros beyond the last.
template <class S>
void weights_as_lanes(const core::Exec& exec, const PathLayer<S>& layer, const View3<S>& push, std::size_t first,
                      const View2<S>& g) {
  const std::size_t cells = push.extent(0), rows = cells * push.extent(1), units = push.extent(2), lanes = g.extent(1);
  const View1<S> gain = layer.gain;
  Kokkos::parallel_for(
      "attribution::weights_as_lanes", Kokkos::RangePolicy<core::Exec>(exec, 0, units * lanes),
      KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t u = i / lanes, b = i % lanes, row = first + b;
        g(u, b) = row < rows ? gain(u) * push(row % cells, row / cells, u) : S(0);
      });
}

/// rows(b, l, y, x) = gradient(l, y, x, b) scale frames(at(window) + l, y, x) for the rows from `first` on that there are.
template <class S>
void times_frames(const core::Exec& exec, const View5<S>& gradient, const View3<S>& frames, const View1<std::size_t>& at,
                  std::size_t cells, std::size_t first, S scale, const View2<float>& rows) {
  const std::size_t height = gradient.extent(2), width = gradient.extent(3), count = rows.extent(0);
  Kokkos::parallel_for(
      "attribution::times_frames", Kokkos::RangePolicy<core::Exec>(exec, 0, gradient.extent(1) * height * count),
      KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t b = i % count, y = i / count % height, l = i / count / height;
        const std::size_t frame = at((first + b) / cells) + l;
        for (std::size_t x = 0; x < width; ++x)
          rows(b, (l * height + y) * width + x) = static_cast<float>(gradient(0, l, y, x, b) * scale * frames(frame, y, x));
      });
}

/// Rows on the device that a kernel fills, and their way to the host: the host's own memory where the kernel runs there.
View2<float> device_rows(float* rows, std::size_t count, std::size_t size) {
  if constexpr (core::detail::exec_is_host) return View2<float>(rows, count, size);
  return View2<float>(core::uninitialised("attribution::pixel_rows"), count, size);
}
void fetch_rows(const View2<float>& device, float* rows) {
  if constexpr (!core::detail::exec_is_host) {
    const std::vector<float> values = core::to_host(device);
    std::copy(values.begin(), values.end(), rows);
  }
}

}  // namespace

const char* to_string(PixelWay way) { return way == PixelWay::taps ? "tap by tap" : "by spectra"; }

template <class S>
PixelWay PixelRows<S>::way(const PathNetwork<S>& network) {
  const TransposeSizes n(network);
  if (!model::spectral_pays(n.height, n.width, n.kernel_y, n.kernel_x, core::as_size(n.channels))) return PixelWay::taps;
  const bool lanes = model::LaneConv<S>::pays(n.height, n.width, n.kernel_y, n.kernel_x, core::as_size(n.channels));
  return lanes ? PixelWay::lanes : PixelWay::planes;
}

template <class S>
double PixelRows<S>::multiply_adds(const PathNetwork<S>& network) {
  const TransposeSizes n(network);
  if (way(network) != PixelWay::taps)
    return model::LaneConv<S>::multiply_adds(n.height, n.width, core::as_size(n.history), core::as_size(n.channels));
  return static_cast<double>(network.first().units()) * n.history * n.kernel_y * n.kernel_x;
}

template <class S>
double PixelRows<S>::bytes(const PathNetwork<S>& network) {
  const TransposeSizes n(network);
  const std::size_t channels = core::as_size(n.channels), history = core::as_size(n.history);
  const PixelWay chosen = way(network);
  if (chosen == PixelWay::lanes)
    return model::LaneConv<S>::bytes(n.height, n.width, history, channels, core::as_size(core::Exec().concurrency()));
  const double group = sizeof(S) * static_cast<double>(group_rows * (network.first().units() + n.window()));
  if (chosen == PixelWay::taps) return group;
  return group + model::SpectralConv<S>::bytes(1, history, channels, core::as_size(n.kernel_y), core::as_size(n.kernel_x),
                                               core::as_size(n.height), core::as_size(n.width), group_rows,
                                               model::SpectralUse::gradients);
}

template <class S>
PixelRows<S>::PixelRows(const core::Exec& exec, const PathNetwork<S>& network, PixelWay way)
    : exec_(exec),
      layer_(network.first()),
      history_(core::as_size(network.history)),
      height_(core::as_size(network.height)),
      width_(core::as_size(network.width)),
      way_(way) {
  const TransposeSizes n(network);
  if (way == PixelWay::lanes) {
    lanes_ = model::LaneConv<S>(exec, layer_.kernel, n.height, n.width);
    scratch_ = core::workspace<View2<S>>("attribution::pixel_scratch", exec.concurrency(), lanes_.scratch());
    return;
  }
  weights_ = core::workspace<View1<S>>("attribution::pixel_weights", group_rows * layer_.units());
  gradients_ = core::workspace<View1<S>>("attribution::pixel_gradients", group_rows * n.window());
  if (way == PixelWay::taps) return;
  planes_ = model::SpectralConv<S>(1, history_, layer_.kernel.extent(0), layer_.kernel.extent(2), layer_.kernel.extent(3),
                                   height_, width_, group_rows);
  planes_.set_kernel(exec, layer_.kernel);
}

template <class S>
void PixelRows<S>::attribute(const JoinedFrames<S>& frames, const std::vector<std::size_t>& at, S scale,
                             const core::View3<S>& push, std::vector<float>& rows) {
  core::require(push.extent(1) == at.size() && push.extent(2) == layer_.units(),
                "internal: pixels of {} windows were given weights of {} windows and {} units", at.size(), push.extent(1),
                push.extent(2));
  rows.resize(push.extent(0) * at.size() * history_ * height_ * width_);
  const std::vector<S> in_time = by_time(frames);
  if (way_ == PixelWay::lanes) return by_lanes(in_time, at, scale, push, rows.data());
  by_groups(in_time, at, scale, push, rows.data());
}

template <class S>
void PixelRows<S>::by_lanes(const std::vector<S>& frames, const std::vector<std::size_t>& at, S scale, const core::View3<S>& push,
                            float* rows) {
  const std::size_t M = push.extent(0), count = M * at.size(), L = static_cast<std::size_t>(model::LaneConv<S>::lanes);
  const auto units_y = core::as_size(layer_.height), units_x = core::as_size(layer_.width);
  for_items("attribution::pixel_rows", (count + L - 1) / L, scratch_, [&](std::size_t group, S* scratch) {
    const std::size_t first = group * L, here = std::min(L, count - first);
    const auto fill = [&](int c, int y, S* row) {
      const std::size_t u = (core::as_size(c) * units_y + core::as_size(y)) * units_x;
      for (std::size_t l = 0; l < here; ++l) {
        const S* const pushed = &push((first + l) % M, (first + l) / M, u);
        for (std::size_t x = 0; x < units_x; ++x) row[x * L + l] = layer_.gain(u + x) * pushed[x];
      }
      for (std::size_t x = 0; x < units_x; ++x) std::fill(row + x * L + here, row + (x + 1) * L, S(0));
    };
    const auto take = [&](int lag, int y, const S* row) {
      const auto t = core::as_size(lag), line = core::as_size(y);
      for (std::size_t l = 0; l < here; ++l) {
        const std::size_t b = first + l;
        const S* const frame = frames.data() + ((at[b / M] + t) * height_ + line) * width_;
        float* const to = rows + ((b * history_ + t) * height_ + line) * width_;
        for (std::size_t x = 0; x < width_; ++x) to[x] = static_cast<float>(row[x * L + l] * scale * frame[x]);
      }
    };
    lanes_.backward(fill, take, scratch);
  });
}

template <class S>
void PixelRows<S>::by_groups(const std::vector<S>& frames, const std::vector<std::size_t>& at, S scale,
                             const core::View3<S>& push, float* rows) {
  const std::size_t M = push.extent(0), count = M * at.size(), size = history_ * height_ * width_;
  const View1<S> flat = core::to_device("attribution::pixel_frames", frames);
  const View3<S> movie(flat.data(), frames.size() / (height_ * width_), height_, width_);
  const View1<std::size_t> starts = core::to_device("attribution::pixel_starts", at);
  for (std::size_t first = 0; first < count; first += group_rows) {
    const std::size_t here = std::min(group_rows, count - first), lanes = way_ == PixelWay::planes ? group_rows : here;
    const View5<S> g(weights_.data(), 1, core::as_size(layer_.channels), core::as_size(layer_.height),
                     core::as_size(layer_.width), lanes),
        d(gradients_.data(), 1, history_, height_, width_, lanes);
    weights_as_lanes(exec_, layer_, push, first, View2<S>(g.data(), layer_.units(), lanes));
    if (way_ == PixelWay::planes) {
      planes_.backward(exec_, g, d, View5<S>());
    } else {
      model::temporal_conv_transpose(exec_, g, layer_.kernel, d);
    }
    const View2<float> out = device_rows(rows + first * size, here, size);
    times_frames(exec_, d, movie, starts, M, first, scale, out);
    exec_.fence("attribution::pixel_rows");
    fetch_rows(out, rows + first * size);
  }
}

template class PixelRows<float>;
template class PixelRows<double>;

}  // namespace amacrine::attribution
