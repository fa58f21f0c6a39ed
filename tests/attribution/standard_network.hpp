// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attribution/naive.hpp"

namespace amacrine::attribution::naive {

/// The standard network at its full size: 40 x 50 x 50 -> 8 @ 15 x 15 -> 8 @ 11 x 11 -> 2 cells, random weights, gains and
/// offsets per unit.
inline const Network& standard_network() {
  static const Network network = [] {
    core::Random random(41, core::Stream::test);
    Network net{40, 50, 50, 2, {}, {}, {}, 1.0};
    net.layers.push_back(random_layer(random, 8, 40, 50, 50, 15, 15, false));
    net.layers.push_back(random_layer(random, 8, 8, 36, 36, 11, 11, true));
    for (int i = 0; i < net.cells * net.last_units(); ++i) net.readout.push_back(random.normal() / std::sqrt(5408.0));
    net.constant = {0.2, -0.3};
    return net;
  }();
  return network;
}

inline const core::Array<float, 3>& standard_movie() {
  static const core::Array<float, 3> frames = random_movie(standard_network(), 46, 42);
  return frames;
}

}  // namespace amacrine::attribution::naive
