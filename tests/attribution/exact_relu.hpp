// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attribution/second_naive.hpp"

#include <algorithm>

/// Path integrals of ReLU networks without a quadrature: along a straight path every unit's pre-activation is piecewise linear,
/// so that the places where ReLUs flip cut it into pieces on which every activity and the output's drive are linear.
namespace amacrine::attribution::naive {

/// Pre-activations of layer `layer` at z0 + alpha dz.
inline Values inputs_of_layer(const Network& net, const Values& z0, const Values& dz, double alpha, std::size_t layer) {
  Values x;
  for (std::size_t l = 0; l <= layer; ++l) {
    Values h = x;
    for (double& value : h) value = std::max(0.0, value);
    x = l == 0 ? z0 : conv(net.layers[l], h);
    for (std::size_t u = 0; u < x.size(); ++u) {
      if (l == 0) x[u] += alpha * dz[u];
      x[u] = net.layers[l].gain[u] * x[u] + net.layers[l].offset[u];
    }
  }
  return x;
}

/// 0, where any ReLU flips, and 1, ascending: layer by layer, each linear between the flips of those below it.
inline Values flip_points(const Network& net, const Values& z0, const Values& dz) {
  Values points{0.0, 1.0};
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    Values found;
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      const double a = points[i], b = points[i + 1];
      const Values from = inputs_of_layer(net, z0, dz, a, l), to = inputs_of_layer(net, z0, dz, b, l);
      for (std::size_t u = 0; u < from.size(); ++u)
        if ((from[u] > 0) != (to[u] > 0)) found.push_back(a + (b - a) * from[u] / (from[u] - to[u]));
    }
    points.insert(points.end(), found.begin(), found.end());
    std::sort(points.begin(), points.end());
  }
  return points;
}

struct Exact {
  Values first, second;  ///< A_u and A_v
  std::size_t pieces = 0;
};

/// From grey. On a piece the drive runs from u_a to u_b, and the mean slope of the output is that of its secant.
inline Exact attribute_exactly(const Network& net, const Values& window, int cell, bool softplus) {
  const Values dz = conv(net.layers[0], window), z0(dz.size(), 0.0), points = flip_points(net, z0, dz);
  const auto output = [&](double u) { return std::log1p(std::exp(net.beta * u)) / net.beta; };
  Exact out;
  out.first.assign(dz.size(), 0.0);
  out.second.assign(static_cast<std::size_t>(net.layers[1].units()), 0.0);
  Values z(dz.size());
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const double a = points[i], b = points[i + 1], middle = 0.5 * (a + b);
    if (!(b > a)) continue;
    const double from = second_point(net, z0, dz, a, cell, false).rate, to = second_point(net, z0, dz, b, cell, false).rate;
    const bool apart = std::abs(to - from) > 1e-5;
    const double slope =
        apart ? (output(to) - output(from)) / (to - from) : 1.0 / (1.0 + std::exp(-net.beta * 0.5 * (from + to)));
    const double length = (b - a) * (softplus ? slope : 1.0);
    for (std::size_t u = 0; u < z.size(); ++u) z[u] = z0[u] + middle * dz[u];
    const Gradient gradient = evaluate(net, z, cell, false);
    const SecondPoint point = second_point(net, z0, dz, middle, cell, false);
    for (std::size_t u = 0; u < z.size(); ++u) out.first[u] += length * gradient.first[u] * dz[u];
    for (std::size_t v = 0; v < out.second.size(); ++v) out.second[v] += length * point.gradient[v] * point.speed[v];
    ++out.pieces;
  }
  return out;
}

}  // namespace amacrine::attribution::naive
