// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/model/inference.hpp"
#include "amacrine/parallel/stop.hpp"
#include "block_predictor.hpp"

#include <algorithm>

namespace amacrine::model {

namespace {

constexpr std::size_t lanes = 16;  ///< blocks are whole registers of windows

/// Windows predicted at once: few enough that a core's cache holds their activations, enough to share the work on kernels.
template <class S>
std::size_t most_windows(const InferenceNetwork<S>& network) {
  const bool large = !network.hidden.empty() && network.architecture.units(0) > 1000;
  return large ? 64 : 256;
}

/// `count` windows in blocks of nearly equal length, the last one perhaps shorter: depends on `count` and the network
/// alone.
struct Blocks {
  std::size_t count, windows, blocks;
  Blocks(std::size_t all, std::size_t most) : count(all), windows(0), blocks((all + most - 1) / most) {
    if (blocks == 0) return;
    windows = ((count + blocks - 1) / blocks + lanes - 1) / lanes * lanes;
    blocks = (count + windows - 1) / windows;
  }
  std::size_t begin(std::size_t block) const { return block * windows; }
  std::size_t size(std::size_t block) const { return std::min(windows, count - begin(block)); }
};

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

}  // namespace

template <class S>
core::View4<S> window_frames(const InferenceNetwork<S>& network, const core::Array<float, 3>& contrast, std::size_t first,
                             std::size_t windows) {
  check_movie(network, contrast.extent(1), contrast.extent(2), contrast.extent(0), first + windows);
  return frames_of(core::Exec(), network, movie_source(contrast), first, windows, contrast.extent(0));
}

template <class S>
core::Array<float, 2> predict(const InferenceNetwork<S>& network, const core::Array<float, 3>& contrast) {
  const std::size_t T = contrast.extent(0), N = network.readout.extent(0);
  check_movie(network, contrast.extent(1), contrast.extent(2), T, T);
  core::Array<float, 2> rates({N, T});
  const Blocks blocks(T, most_windows(network));
  if (T == 0) return rates;
  BlockPredictor<S> predictor(network, blocks.windows);
  for (std::size_t block = 0; block < blocks.blocks; ++block) {
    const std::vector<float> found = predictor.rates(movie_source(contrast), blocks.begin(block), T);
    for (std::size_t n = 0; n < N; ++n)
      std::copy_n(found.data() + n * blocks.windows, blocks.size(block), rates.row(n).data() + blocks.begin(block));
  }
  return rates;
}

core::Array<float, 2> predict(const parallel::Communicator& communicator, const InferenceNetwork<float>& network,
                              const recording::StoredMovie& movie, const recording::ContrastCoding& coding, std::size_t first,
                              std::size_t count) {
  check_movie(network, movie.height(), movie.width(), movie.frames(), first + count);
  const std::size_t N = network.readout.extent(0), end = movie.frames();
  core::Array<float, 2> rates({N, count});
  if (count == 0) return rates;
  const FrameSource source = [&](std::size_t frame, float* out) { movie.contrast(frame, coding, out); };
  const Blocks blocks(count, most_windows(network));
  const parallel::Range mine = communicator.owned(blocks.blocks);
  std::vector<float> local;
  local.reserve(mine.size() * blocks.windows * N);
  if (mine.size() > 0) {
    BlockPredictor<float> predictor(network, blocks.windows);
    for (std::size_t block = mine.begin; block < mine.end && !parallel::stop_asked(); ++block) {
      const std::vector<float> found = predictor.rates(source, first + blocks.begin(block), end);
      local.insert(local.end(), found.begin(), found.end());
    }
  }
  parallel::throw_if_stopped(communicator);
  const std::vector<float> all = communicator.gather_all(std::span<const float>(local));
  for (std::size_t block = 0; block < blocks.blocks; ++block) {
    for (std::size_t n = 0; n < N; ++n)
      std::copy_n(all.data() + (block * N + n) * blocks.windows, blocks.size(block), rates.row(n).data() + blocks.begin(block));
  }
  return rates;
}

#define AMACRINE_INSTANTIATE(S)                                                                                                 \
  template core::View4<S> window_frames<S>(const InferenceNetwork<S>&, const core::Array<float, 3>&, std::size_t, std::size_t); \
  template core::Array<float, 2> predict<S>(const InferenceNetwork<S>&, const core::Array<float, 3>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model
