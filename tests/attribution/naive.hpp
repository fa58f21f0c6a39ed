// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/random.hpp"
#include "amacrine/model/inference.hpp"

#include <cmath>
#include <cstddef>
#include <vector>

/// A second, slow implementation in double: plain loops over one window, the path integral by many midpoints.
namespace amacrine::attribution::naive {

using Values = std::vector<double>;

struct Layer {
  int channels, depth, kernel_y, kernel_x, out_y, out_x;
  Values kernel, gain, offset;
  int units() const { return channels * out_y * out_x; }
  int in_y() const { return out_y + kernel_y - 1; }
  int in_x() const { return out_x + kernel_x - 1; }
  double weight(int c, int d, int j, int i) const {
    return kernel[static_cast<std::size_t>(((c * depth + d) * kernel_y + j) * kernel_x + i)];
  }
};

struct Network {
  int history, height, width, cells;
  std::vector<Layer> layers;  ///< none: an LN model, readout on the window
  Values readout, constant;
  double beta = 1.0;
  int last_units() const { return layers.empty() ? history * height * width : layers.back().units(); }
};

inline Values conv(const Layer& layer, const Values& in) {
  Values out(static_cast<std::size_t>(layer.units()), 0.0);
  for (int c = 0, u = 0; c < layer.channels; ++c)
    for (int y = 0; y < layer.out_y; ++y)
      for (int x = 0; x < layer.out_x; ++x, ++u)
        for (int d = 0; d < layer.depth; ++d)
          for (int j = 0; j < layer.kernel_y; ++j)
            for (int i = 0; i < layer.kernel_x; ++i)
              out[static_cast<std::size_t>(u)] +=
                  layer.weight(c, d, j, i) * in[static_cast<std::size_t>((d * layer.in_y() + y + j) * layer.in_x() + x + i)];
  return out;
}

inline Values conv_transposed(const Layer& layer, const Values& d_out) {
  Values in(static_cast<std::size_t>(layer.depth * layer.in_y() * layer.in_x()), 0.0);
  for (int c = 0, u = 0; c < layer.channels; ++c)
    for (int y = 0; y < layer.out_y; ++y)
      for (int x = 0; x < layer.out_x; ++x, ++u)
        for (int d = 0; d < layer.depth; ++d)
          for (int j = 0; j < layer.kernel_y; ++j)
            for (int i = 0; i < layer.kernel_x; ++i)
              in[static_cast<std::size_t>((d * layer.in_y() + y + j) * layer.in_x() + x + i)] +=
                  layer.weight(c, d, j, i) * d_out[static_cast<std::size_t>(u)];
  return in;
}

struct Gradient {
  double rate = 0;
  Values first;  ///< dF/dz of the first layer (or of the window for LN)
};

/// F and its gradient with respect to the first layer's linear part, which is z.
inline Gradient evaluate(const Network& net, const Values& z, int cell, bool softplus) {
  std::vector<Values> x;
  Values h = z;
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    const Values linear = l == 0 ? z : conv(net.layers[l], h);
    x.emplace_back(linear.size());
    h.assign(linear.size(), 0.0);
    for (std::size_t u = 0; u < linear.size(); ++u) {
      x[l][u] = net.layers[l].gain[u] * linear[u] + net.layers[l].offset[u];
      h[u] = std::max(0.0, x[l][u]);
    }
  }
  double drive = net.constant[static_cast<std::size_t>(cell)];
  const double* const w = net.readout.data() + static_cast<std::size_t>(cell * net.last_units());
  for (std::size_t u = 0; u < h.size(); ++u) drive += w[u] * h[u];
  Gradient out;
  out.rate = softplus ? std::log1p(std::exp(net.beta * drive)) / net.beta : drive;
  const double slope = softplus ? 1.0 / (1.0 + std::exp(-net.beta * drive)) : 1.0;
  out.first.resize(h.size());
  for (std::size_t u = 0; u < h.size(); ++u) out.first[u] = slope * w[u];
  for (std::size_t l = net.layers.size(); l-- > 0;) {
    for (std::size_t u = 0; u < out.first.size(); ++u) out.first[u] *= x[l][u] > 0 ? net.layers[l].gain[u] : 0.0;
    if (l > 0) out.first = conv_transposed(net.layers[l], out.first);
  }
  return out;
}

struct Attribution {
  double rate = 0, grey = 0;
  Values unit, weight, pixel;  ///< A_u, G_u, A_tyx
};

/// window, baseline (T Y X). `steps` midpoints.
inline Attribution attribute(const Network& net, const Values& window, const Values& baseline, int cell, int steps,
                             bool softplus = true) {
  Values difference(window.size());
  for (std::size_t i = 0; i < window.size(); ++i) difference[i] = window[i] - baseline[i];
  const bool linear = net.layers.empty();
  const Values z0 = linear ? baseline : conv(net.layers[0], baseline), dz = linear ? difference : conv(net.layers[0], difference);
  Values z = z0;
  Attribution out;
  out.grey = evaluate(net, z0, cell, softplus).rate;
  out.weight.assign(z.size(), 0.0);
  for (int k = 0; k < steps; ++k) {
    for (std::size_t u = 0; u < z.size(); ++u) z[u] = z0[u] + (k + 0.5) / steps * dz[u];
    const Gradient g = evaluate(net, z, cell, softplus);
    for (std::size_t u = 0; u < z.size(); ++u) out.weight[u] += g.first[u] / steps;
  }
  for (std::size_t u = 0; u < z.size(); ++u) z[u] = z0[u] + dz[u];
  out.rate = evaluate(net, z, cell, softplus).rate;
  out.unit.resize(z.size());
  for (std::size_t u = 0; u < z.size(); ++u) out.unit[u] = dz[u] * out.weight[u];
  out.pixel = linear ? out.weight : conv_transposed(net.layers[0], out.weight);
  for (std::size_t i = 0; i < difference.size(); ++i) out.pixel[i] *= difference[i];
  return out;
}

inline Layer random_layer(core::Random& random, int channels, int depth, int in_y, int in_x, int ky, int kx, bool positive_gain) {
  Layer layer{channels, depth, ky, kx, in_y - ky + 1, in_x - kx + 1, {}, {}, {}};
  const int fan = depth * ky * kx;
  layer.kernel.resize(static_cast<std::size_t>(channels * fan));
  for (double& w : layer.kernel) w = random.normal() / std::sqrt(static_cast<double>(fan));
  for (int u = 0; u < layer.units(); ++u) {
    layer.gain.push_back((positive_gain || u % 5 != 0 ? 1.0 : -1.0) * (0.7 + 0.6 * random.uniform()));
    layer.offset.push_back(0.3 * random.normal());
  }
  return layer;
}

/// History 3 on 7 x 9 pixels; 3 channels of 3 x 4, then (two_layers) 2 channels of 2 x 3; 2 cells. Odd sizes, per-unit gains of
/// both signs.
inline Network random_network(int layers, std::uint64_t seed) {
  core::Random random(seed, core::Stream::test);
  Network net{3, 7, 9, 2, {}, {}, {}, 0.7};
  if (layers > 0) net.layers.push_back(random_layer(random, 3, 3, 7, 9, 3, 4, false));
  if (layers > 1) net.layers.push_back(random_layer(random, 2, 3, net.layers[0].out_y, net.layers[0].out_x, 2, 3, true));
  const double scale = layers == 0 ? 0.3 : 1.0;
  for (int i = 0; i < net.cells * net.last_units(); ++i) net.readout.push_back(scale * random.normal());
  net.constant = {0.4, -0.8};
  return net;
}

template <class S>
core::View3<S> maps(const Layer& layer, const Values& values) {
  core::View3<S> out("naive::maps", static_cast<std::size_t>(layer.channels), static_cast<std::size_t>(layer.out_y),
                     static_cast<std::size_t>(layer.out_x));
  Kokkos::deep_copy(core::View1<S>(out.data(), out.size()),
                    core::to_device("naive::maps", std::vector<S>(values.begin(), values.end())));
  return out;
}

/// The same network as the program holds it.
template <class S>
model::InferenceNetwork<S> inference(const Network& net) {
  model::InferenceNetwork<S> out;
  out.architecture.history = net.history;
  out.architecture.height = net.height;
  out.architecture.width = net.width;
  out.architecture.cells = net.cells;
  out.architecture.softplus_beta = net.beta;
  out.architecture.hidden.clear();
  out.normalisation.kind = "none";
  out.softplus_beta = static_cast<S>(net.beta);
  for (const Layer& layer : net.layers) {
    out.architecture.hidden.push_back({layer.channels, layer.kernel_y, layer.kernel_x});
    model::InferenceLayer<S> l;
    l.kernel = core::View4<S>("naive::kernel", static_cast<std::size_t>(layer.channels), static_cast<std::size_t>(layer.depth),
                              static_cast<std::size_t>(layer.kernel_y), static_cast<std::size_t>(layer.kernel_x));
    Kokkos::deep_copy(core::View1<S>(l.kernel.data(), l.kernel.size()),
                      core::to_device("naive::kernel", std::vector<S>(layer.kernel.begin(), layer.kernel.end())));
    l.gain = maps<S>(layer, layer.gain);
    l.offset = maps<S>(layer, layer.offset);
    l.per_channel = false;
    out.hidden.push_back(l);
  }
  out.readout = core::View2<S>("naive::readout", static_cast<std::size_t>(net.cells), static_cast<std::size_t>(net.last_units()));
  Kokkos::deep_copy(core::View1<S>(out.readout.data(), out.readout.size()),
                    core::to_device("naive::readout", std::vector<S>(net.readout.begin(), net.readout.end())));
  out.constant = core::to_device("naive::constant", std::vector<S>(net.constant.begin(), net.constant.end()));
  return out;
}

/// Random contrast (frames, Y, X).
inline core::Array<float, 3> random_movie(const Network& net, std::size_t frames, std::uint64_t seed, double contrast = 1.0) {
  core::Random random(seed, core::Stream::probe);
  core::Array<float, 3> movie({frames, static_cast<std::size_t>(net.height), static_cast<std::size_t>(net.width)});
  for (float& value : movie.values()) value = static_cast<float>(contrast * random.normal());
  return movie;
}

/// The window of `frame` (T Y X), grey (0) before the movie.
inline Values window_of(const Network& net, const core::Array<float, 3>& movie, int frame) {
  const int pixels = net.height * net.width;
  Values out(static_cast<std::size_t>(net.history * pixels), 0.0);
  for (int l = 0; l < net.history; ++l) {
    const int t = frame - net.history + 1 + l;
    for (int i = 0; i < pixels && t >= 0; ++i)
      out[static_cast<std::size_t>(l * pixels + i)] = movie.values()[static_cast<std::size_t>(t * pixels + i)];
  }
  return out;
}

}  // namespace amacrine::attribution::naive
