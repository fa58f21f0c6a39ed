// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/model/inference.hpp"

#include <algorithm>
#include <functional>

namespace amacrine::model {

namespace {

using core::View4;
using core::View5;

/// Contrast of one movie frame into Y * X values.
using FrameSource = std::function<void(std::size_t frame, float* contrast)>;

constexpr std::size_t block_windows = 256;  ///< windows predicted at once: bounds the memory

/// Host frames (Y, X, F) of `windows` windows whose first belongs to movie frame `first`: normalised, grey before the movie.
template <class S>
std::vector<S> gather_frames(const InferenceNetwork<S>& network, const FrameSource& source, std::size_t first,
                             std::size_t windows) {
  const Architecture& a = network.architecture;
  const recording::Normalisation& norm = network.normalisation;
  const std::size_t pixels = static_cast<std::size_t>(a.height) * static_cast<std::size_t>(a.width);
  const std::size_t T = static_cast<std::size_t>(a.history), F = windows + T - 1;
  core::require(norm.mean.size() == norm.scale.size() && (norm.mean.size() == 1 || norm.mean.size() == pixels),
                "the model's normalisation holds {} means and {} scales for frames of {} x {} pixels", norm.mean.size(),
                norm.scale.size(), a.height, a.width);
  std::vector<S> frames(pixels * F);
  std::vector<float> contrast(pixels);
  const std::size_t before = T - 1 + static_cast<std::size_t>(network.minimum_lag);  // frames of history before `first`
  for (std::size_t f = 0; f < F; ++f) {
    if (first + f < before) {
      std::fill(contrast.begin(), contrast.end(), 0.0F);
    } else {
      source(first + f - before, contrast.data());
    }
    for (std::size_t p = 0; p < pixels; ++p) {
      const std::size_t k = norm.mean.size() == 1 ? 0 : p;
      frames[p * F + f] = static_cast<S>((static_cast<double>(contrast[p]) - norm.mean[k]) / norm.scale[k]);
    }
  }
  return frames;
}

template <class S>
View4<S> device_frames(const InferenceNetwork<S>& network, const FrameSource& source, std::size_t first, std::size_t windows) {
  const std::vector<S> host = gather_frames(network, source, first, windows);
  const Architecture& a = network.architecture;
  const std::size_t F = windows + static_cast<std::size_t>(a.history) - 1;
  View4<S> frames(core::uninitialised("model::frames"), 1, static_cast<std::size_t>(a.height), static_cast<std::size_t>(a.width),
                  F);
  const Kokkos::View<const S*, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> from(host.data(),
                                                                                                                     host.size());
  Kokkos::deep_copy(core::View1<S>(frames.data(), frames.size()), from);
  return frames;
}

FrameSource movie_source(const core::Array<float, 3>& contrast) {
  return [&contrast](std::size_t frame, float* out) { std::copy(contrast.row(frame).begin(), contrast.row(frame).end(), out); };
}

template <class S>
void check_movie(const InferenceNetwork<S>& network, std::size_t height, std::size_t width, std::size_t frames, std::size_t end) {
  const Architecture& a = network.architecture;
  core::require(height == static_cast<std::size_t>(a.height) && width == static_cast<std::size_t>(a.width),
                "the movie has {} x {} pixels, the model sees {} x {}", height, width, a.height, a.width);
  core::require(end <= frames, "windows up to frame {} were asked of a movie of {} frames", end, frames);
}

/// Rates of `windows` windows from `first`, (N, windows), through reused room for the head.
template <class S>
std::vector<float> predict_block(const InferenceNetwork<S>& network, const FrameSource& source, std::size_t first,
                                 std::size_t windows) {
  const core::Exec exec;
  const View4<S> frames = device_frames(network, source, first, windows);
  const View5<S> z = make_first_layer(network, 1, windows);
  HeadState<S> state = make_head_state(network, 1, windows);
  first_layer(exec, network, frames, z);
  head_forward(exec, network, z, state);
  exec.fence("model::predict_block");
  const std::vector<S> rate = core::to_host(state.rate);
  return {rate.begin(), rate.end()};
}

}  // namespace

template <class S>
View4<S> window_frames(const InferenceNetwork<S>& network, const core::Array<float, 3>& contrast, std::size_t first,
                       std::size_t windows) {
  check_movie(network, contrast.extent(1), contrast.extent(2), contrast.extent(0), first + windows);
  return device_frames(network, movie_source(contrast), first, windows);
}

template <class S>
core::Array<float, 2> predict(const InferenceNetwork<S>& network, const core::Array<float, 3>& contrast) {
  const std::size_t T = contrast.extent(0), N = network.readout.extent(0);
  check_movie(network, contrast.extent(1), contrast.extent(2), T, T);
  core::Array<float, 2> rates({N, T});
  for (std::size_t first = 0; first < T; first += block_windows) {
    const std::size_t windows = std::min(block_windows, T - first);
    const std::vector<float> block = predict_block(network, movie_source(contrast), first, windows);
    for (std::size_t n = 0; n < N; ++n) std::copy_n(block.data() + n * windows, windows, &rates(n, first));
  }
  return rates;
}

core::Array<float, 2> predict(const parallel::Communicator& communicator, const InferenceNetwork<float>& network,
                              const recording::StoredMovie& movie, const recording::ContrastCoding& coding, std::size_t first,
                              std::size_t count) {
  check_movie(network, movie.height(), movie.width(), movie.frames(), first + count);
  const FrameSource source = [&](std::size_t frame, float* out) { movie.contrast(frame, coding, out); };
  const std::size_t blocks = (count + block_windows - 1) / block_windows, N = network.readout.extent(0);
  const parallel::Range mine = communicator.owned(blocks);
  std::vector<float> local;
  local.reserve(mine.size() * block_windows * N);
  for (std::size_t block = mine.begin; block < mine.end; ++block) {
    const std::size_t begin = block * block_windows, windows = std::min(block_windows, count - begin);
    const std::vector<float> rates = predict_block(network, source, first + begin, windows);
    local.insert(local.end(), rates.begin(), rates.end());
  }
  const std::vector<float> all = communicator.gather_all(std::span<const float>(local));
  core::Array<float, 2> rates({N, count});
  for (std::size_t begin = 0; begin < count; begin += block_windows) {
    const std::size_t windows = std::min(block_windows, count - begin);
    for (std::size_t n = 0; n < N; ++n) std::copy_n(all.data() + begin * N + n * windows, windows, &rates(n, begin));
  }
  return rates;
}

#define AMACRINE_INSTANTIATE(S)                                                                                           \
  template View4<S> window_frames<S>(const InferenceNetwork<S>&, const core::Array<float, 3>&, std::size_t, std::size_t); \
  template core::Array<float, 2> predict<S>(const InferenceNetwork<S>&, const core::Array<float, 3>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model
