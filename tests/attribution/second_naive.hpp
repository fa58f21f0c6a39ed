// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attribution/naive.hpp"

/// The second layer's attributions by plain loops in double.
namespace amacrine::attribution::naive {

/// A network at one place of a path, and how fast its second layer moves there.
struct SecondPoint {
  double rate = 0;
  Values activity, speed, gradient;  ///< h_v, dh_v/dalpha and dF/dh_v
};

/// z0 + alpha dz: the first layer's linear part.
inline SecondPoint second_point(const Network& net, const Values& z0, const Values& dz, double alpha, int cell, bool softplus) {
  SecondPoint out;
  std::vector<Values> x;
  Values h, speed;
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    const Layer& layer = net.layers[l];
    Values z = l == 0 ? z0 : conv(layer, h), rise = l == 0 ? dz : conv(layer, speed);
    for (std::size_t u = 0; u < z.size(); ++u) {
      if (l == 0) z[u] += alpha * dz[u];
      z[u] = layer.gain[u] * z[u] + layer.offset[u];
      rise[u] = z[u] > 0 ? layer.gain[u] * rise[u] : 0.0;
    }
    x.push_back(z);
    h = z;
    for (double& value : h) value = std::max(0.0, value);
    speed = rise;
    if (l == 1) {
      out.activity = h;
      out.speed = speed;
    }
  }
  double drive = net.constant[static_cast<std::size_t>(cell)];
  out.gradient.resize(h.size());
  for (std::size_t u = 0; u < h.size(); ++u) {
    out.gradient[u] = net.readout[static_cast<std::size_t>(cell) * h.size() + u];
    drive += out.gradient[u] * h[u];
  }
  out.rate = softplus ? std::log1p(std::exp(net.beta * drive)) / net.beta : drive;
  for (double& value : out.gradient) value *= softplus ? 1.0 / (1.0 + std::exp(-net.beta * drive)) : 1.0;
  for (std::size_t l = net.layers.size() - 1; l > 1; --l) {
    for (std::size_t u = 0; u < out.gradient.size(); ++u) out.gradient[u] *= x[l][u] > 0 ? net.layers[l].gain[u] : 0.0;
    out.gradient = conv_transposed(net.layers[l], out.gradient);
  }
  return out;
}

/// Int dF/dh_v (dh_v/dalpha) dalpha from grey, by midpoints of `steps` steps.
inline Values attribute_second(const Network& net, const Values& window, int cell, int steps, bool softplus) {
  const Values dz = conv(net.layers[0], window), z0(dz.size(), 0.0);
  Values out(static_cast<std::size_t>(net.layers[1].units()), 0.0);
  for (int k = 0; k < steps; ++k) {
    const SecondPoint point = second_point(net, z0, dz, (k + 0.5) / steps, cell, softplus);
    for (std::size_t v = 0; v < out.size(); ++v) out[v] += point.gradient[v] * point.speed[v] / steps;
  }
  return out;
}

/// Three hidden layers: a third of 2 channels on random_network(2).
inline Network random_deep_network(std::uint64_t seed) {
  Network net = random_network(2, seed);
  core::Random random(seed + 7, core::Stream::test);
  net.layers.push_back(random_layer(random, 2, 2, net.layers[1].out_y, net.layers[1].out_x, 2, 2, true));
  net.readout.clear();
  for (int i = 0; i < net.cells * net.last_units(); ++i) net.readout.push_back(random.normal());
  return net;
}

}  // namespace amacrine::attribution::naive
