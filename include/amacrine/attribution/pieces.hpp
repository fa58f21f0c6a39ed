// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/path_network.hpp"

#include <vector>

namespace amacrine::attribution {

/// Windows that need not follow one another: the windows of `frames` (rising) of contrast (T, Y, X).
struct Piece {
  core::Array<float, 3> contrast;
  std::vector<std::size_t> frames;
};

/// s - s0 of pieces of a movie, one after another, and where each window begins.
template <class S>
struct JoinedFrames {
  std::vector<S> values;        ///< (Y X, count), host
  std::size_t count = 0;        ///< frames
  std::vector<std::size_t> at;  ///< (W) first frame of each window
};

/// The frames that the pieces' windows need, each once within a piece.
template <class S>
JoinedFrames<S> join_frames(const PathNetwork<S>& network, const std::vector<Piece>& pieces, const std::vector<double>& baseline);

/// The first layer's linear part of the windows alone: (W, units) on the device.
template <class S>
core::View2<S> apply_first_layer(const core::Exec& exec, const PathNetwork<S>& network, const JoinedFrames<S>& frames);

}  // namespace amacrine::attribution
