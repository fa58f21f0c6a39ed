// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/vector.hpp"

#include <algorithm>
#include <cstddef>

/// The inner loop of all direct host kernels: a tile of channels x lanes, summed over three nested loops of taps.
namespace amacrine::model::host {

using core::broadcast;
using core::full_width;
using core::load;
using core::store;
using core::Vector;

using Step = std::ptrdiff_t;

/// Three nested loops: lengths, and how far the input and the weights move with each (in elements).
struct Taps {
  std::size_t count[3];
  Step input[3];
  Step weight[3];
  Step channel;  ///< from a weight to the next channel's
};

constexpr int max_channels = 8;  ///< channels of a tile
constexpr int max_vectors = 3;   ///< registers of lanes of a tile

/// result[c * VB * W + lane] = sum over taps of weight[c] * input[start[v] + lane], partial sums per step of the outermost loop,
/// each in the order of the taps: the bits of a lane do not depend on the tile it is in.
template <class S, int W, int CB, int VB>
void tap_sum(const Taps& taps, const S* input, const Step* start, const S* weight, S* result) {
  using V = Vector<S, W>;
  std::fill_n(result, CB * VB * W, S(0));
  for (std::size_t p = 0; p < taps.count[0]; ++p) {
    V sum[CB][VB];
    AMACRINE_UNROLL
    for (int c = 0; c < CB; ++c) {
      AMACRINE_UNROLL
      for (int v = 0; v < VB; ++v) sum[c][v] = V{};
    }
    for (std::size_t q = 0; q < taps.count[1]; ++q) {
      const S* in = input + static_cast<Step>(p) * taps.input[0] + static_cast<Step>(q) * taps.input[1];
      const S* w = weight + static_cast<Step>(p) * taps.weight[0] + static_cast<Step>(q) * taps.weight[1];
      for (std::size_t r = 0; r < taps.count[2]; ++r, in += taps.input[2], w += taps.weight[2]) {
        V x[VB];
        AMACRINE_UNROLL
        for (int v = 0; v < VB; ++v) x[v] = load<S, W>(in + start[v]);
        AMACRINE_UNROLL
        for (int c = 0; c < CB; ++c) {
          const V k = broadcast<S, W>(w[c * taps.channel]);
          AMACRINE_UNROLL
          for (int v = 0; v < VB; ++v) sum[c][v] += k * x[v];
        }
      }
    }
    for (int c = 0; c < CB; ++c) {
      for (int v = 0; v < VB; ++v) store<S, W>(result + (c * VB + v) * W, load<S, W>(result + (c * VB + v) * W) + sum[c][v]);
    }
  }
}

/// A run of lanes [begin, end) out of `lanes`, covered by at most VB registers of W; the last register may reach back over lanes
/// it need not compute, never beyond the end. Needs lanes >= W.
template <int W>
struct LaneRun {
  Step begin, end;
  Step start[max_vectors];
  int vectors;
  LaneRun(std::size_t from, std::size_t to, std::size_t lanes) : begin(static_cast<Step>(from)), end(static_cast<Step>(to)) {
    vectors = static_cast<int>((to - from + W - 1) / W);
    for (int v = 0; v < max_vectors; ++v) start[v] = std::min(begin + v * W, static_cast<Step>(lanes) - W);
  }
  /// Lanes [first(v), W) of register v are new.
  int first(int v) const { return static_cast<int>(begin + v * W - start[v]); }
};

template <class S, int W, int CB>
void tap_sum_vectors(int vectors, const Taps& taps, const S* input, const Step* start, const S* weight, S* result) {
  if (vectors == 1) return tap_sum<S, W, CB, 1>(taps, input, start, weight, result);
  if constexpr (W > 1) {
    if (vectors == 2) return tap_sum<S, W, CB, 2>(taps, input, start, weight, result);
    return tap_sum<S, W, CB, 3>(taps, input, start, weight, result);
  }
}

/// tap_sum for numbers of channels (1 to 8) and registers (1 to 3; only 1 where W = 1) known at run time.
template <class S, int W>
void tap_sum_any(int channels, int vectors, const Taps& taps, const S* input, const Step* start, const S* weight, S* result) {
  switch (channels) {
    case 1:
      return tap_sum_vectors<S, W, 1>(vectors, taps, input, start, weight, result);
    case 2:
      return tap_sum_vectors<S, W, 2>(vectors, taps, input, start, weight, result);
    case 3:
      return tap_sum_vectors<S, W, 3>(vectors, taps, input, start, weight, result);
    case 4:
      return tap_sum_vectors<S, W, 4>(vectors, taps, input, start, weight, result);
    case 5:
      return tap_sum_vectors<S, W, 5>(vectors, taps, input, start, weight, result);
    case 6:
      return tap_sum_vectors<S, W, 6>(vectors, taps, input, start, weight, result);
    case 7:
      return tap_sum_vectors<S, W, 7>(vectors, taps, input, start, weight, result);
    default:
      return tap_sum_vectors<S, W, 8>(vectors, taps, input, start, weight, result);
  }
}

/// Channels in blocks of nearly equal size, at most 8: 30 -> 8 8 7 7.
struct ChannelBlocks {
  std::size_t channels, blocks;
  explicit ChannelBlocks(std::size_t count) : channels(count), blocks((count + max_channels - 1) / max_channels) {}
  std::size_t begin(std::size_t block) const { return block * channels / blocks; }
  std::size_t size(std::size_t block) const { return begin(block + 1) - begin(block); }
};

/// Number of lanes in a register to use for `lanes` lanes.
template <class S>
int width_for(std::size_t lanes) {
  return lanes >= static_cast<std::size_t>(full_width<S>) ? full_width<S> : lanes >= 4 ? 4 : 1;
}
constexpr int run_vectors(int width, int most) { return width == 1 ? 1 : most; }

}  // namespace amacrine::model::host
