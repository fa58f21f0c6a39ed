// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/lesion/masked_head.hpp"
#include "attribution/naive.hpp"

#include <numeric>
#include <vector>

/// A second, slow implementation in double of a network past its first layer: plain loops over one window.
namespace amacrine::lesion::dense {

using attribution::naive::Network;
using attribution::naive::Values;

inline Values rectified(const attribution::naive::Layer& layer, const Values& z) {
  Values h(z.size());
  for (std::size_t u = 0; u < z.size(); ++u) h[u] = std::max(0.0, layer.gain[u] * z[u] + layer.offset[u]);
  return h;
}

/// h of the first layer for a window (T Y X).
inline Values activity(const Network& net, const Values& window) {
  return rectified(net.layers[0], attribution::naive::conv(net.layers[0], window));
}

/// The response of a cell to first-layer activity h.
inline double response(const Network& net, Values h, int cell, bool softplus) {
  for (std::size_t l = 1; l < net.layers.size(); ++l) h = rectified(net.layers[l], attribution::naive::conv(net.layers[l], h));
  double drive = net.constant[static_cast<std::size_t>(cell)];
  for (std::size_t u = 0; u < h.size(); ++u) drive += net.readout[static_cast<std::size_t>(cell) * h.size() + u] * h[u];
  return softplus ? std::log1p(std::exp(net.beta * drive)) / net.beta : drive;
}

/// Three windows of a random movie, a baseline, and two orders of the units, as both implementations take them.
struct Example {
  Network net;
  std::vector<Values> h;
  Values rest;
  std::vector<std::vector<int>> position;

  explicit Example(int layers) : net(attribution::naive::random_network(layers, 5)) {
    const auto movie = attribution::naive::random_movie(net, 9, 11);
    for (int frame : {4, 6, 8}) h.push_back(activity(net, attribution::naive::window_of(net, movie, frame)));
    rest = activity(net, Values(static_cast<std::size_t>(net.history * net.height * net.width), 0.0));
    for (std::size_t step : {std::size_t{1}, std::size_t{5}}) {
      std::vector<int> places(rest.size());
      for (std::size_t u = 0; u < places.size(); ++u) places[u] = static_cast<int>(u * step % places.size());
      position.push_back(places);
    }
  }
  std::size_t all() const { return rest.size(); }

  /// The activity of a lane.
  Values masked(const Lane& lane) const {
    Values out(all());
    for (std::size_t u = 0; u < all(); ++u) {
      const auto place = static_cast<std::size_t>(position[lane.order][u]);
      const bool inside = place >= lane.first && place < lane.end;
      out[u] = inside == lane.kept ? h[lane.window][u] : rest[u];
    }
    return out;
  }

  template <class S>
  Units<S> units() const {
    std::vector<S> activity;
    for (const Values& row : h) activity.insert(activity.end(), row.begin(), row.end());
    std::vector<int> places;
    for (const auto& row : position) places.insert(places.end(), row.begin(), row.end());
    const core::View1<S> flat = core::to_device("dense::activity", activity);
    const core::View1<int> flat_places = core::to_device("dense::position", places);
    core::View2<S> activities("dense::activity", h.size(), all());
    core::View2<int> positions("dense::position", position.size(), all());
    Kokkos::deep_copy(core::View1<S>(activities.data(), activities.size()), flat);
    Kokkos::deep_copy(core::View1<int>(positions.data(), positions.size()), flat_places);
    return {activities, core::to_device("dense::rest", std::vector<S>(rest.begin(), rest.end())), positions};
  }
};

}  // namespace amacrine::lesion::dense
