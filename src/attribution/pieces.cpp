// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/pieces.hpp"

#include "amacrine/core/numbers.hpp"
#include "sums.hpp"

#include <algorithm>

namespace amacrine::attribution {

template <class S>
JoinedFrames<S> join_frames(const PathNetwork<S>& network, const std::vector<Piece>& pieces,
                            const std::vector<double>& baseline) {
  const std::size_t lead = core::as_size(network.history) - 1, pixels = baseline.size();
  JoinedFrames<S> joined;
  for (const Piece& piece : pieces) {
    for (std::size_t frame : piece.frames) joined.at.push_back(joined.count + frame - piece.frames.front());
    joined.count += piece.frames.back() - piece.frames.front() + 1 + lead;
  }
  joined.values.resize(pixels * joined.count);
  std::size_t begin = 0;
  for (const Piece& piece : pieces) {
    const std::size_t span = piece.frames.back() - piece.frames.front() + 1, frames = span + lead;
    const std::vector<S> values = difference_frames(network, piece.contrast, piece.frames.front(), span, baseline);
    for (std::size_t i = 0; i < pixels; ++i)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * frames), frames,
                  joined.values.begin() + static_cast<std::ptrdiff_t>(i * joined.count + begin));
    begin += frames;
  }
  return joined;
}

template <class S>
core::View2<S> apply_first_layer(const core::Exec& exec, const PathNetwork<S>& network, const JoinedFrames<S>& frames) {
  const std::size_t places = frames.count - core::as_size(network.history) + 1;
  const core::View2<S> all = apply_first_layer(exec, network, frames.values, places);
  return frames.at.size() == places ? all : take_windows(exec, all, frames.at, S(1));
}

#define AMACRINE_INSTANTIATE(S)                                                                                       \
  template JoinedFrames<S> join_frames(const PathNetwork<S>&, const std::vector<Piece>&, const std::vector<double>&); \
  template core::View2<S> apply_first_layer(const core::Exec&, const PathNetwork<S>&, const JoinedFrames<S>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
