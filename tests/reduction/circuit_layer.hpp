// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/circuit.hpp"
#include "amacrine/reduction/attributed.hpp"
#include "amacrine/stimulus/catalogue.hpp"

#include <cmath>
#include <string>
#include <vector>

/// Planted circuits as first layers, with exact attributions: the truth the reduction is held against.
namespace amacrine::reduction::testing {

/// The unit's kernel on the whole canvas: (T, Y, X), oldest frame first.
inline core::Array<float, 3> kernel_of(const recording::CircuitUnit& unit) {
  const stimulus::Screen screen;
  const auto time = unit.temporal();
  const auto space = unit.spatial(screen, stimulus::Centre{});
  core::Array<float, 3> kernel({time.size(), 50, 50});
  for (std::size_t lag = 0; lag < time.size(); ++lag)
    for (std::size_t p = 0; p < space.size(); ++p)
      kernel.data()[(time.size() - 1 - lag) * space.size() + p] = static_cast<float>(time[lag] * space[p]);
  return kernel;
}

/// x_u = drive + bias: gain 1, the pre-activation on grey is the bias.
inline FirstLayer layer_of(const recording::Circuit& circuit) {
  FirstLayer layer;
  const std::size_t units = circuit.units.size();
  layer.kernel = core::Array<float, 4>({units, 40, 50, 50});
  layer.gain = core::Array<float, 3>({units, 1, 1}, 1.0f);
  layer.rest = core::Array<float, 3>({units, 1, 1});
  layer.softplus_beta = recording::circuit_beta_per_hz;
  for (std::size_t u = 0; u < units; ++u) {
    layer.channels.push_back(circuit.units[u].name);
    layer.rest(u, 0, 0) = static_cast<float>(circuit.units[u].bias);
    const auto kernel = kernel_of(circuit.units[u]);
    std::copy(kernel.values().begin(), kernel.values().end(), layer.kernel.row(u).begin());
  }
  return layer;
}

/// d_u(t) = sum_l k[l] sum_yx g s[t - l]: (U, T).
inline core::Array<double, 2> drives_of(const recording::Circuit& circuit, const core::Array<float, 3>& movie) {
  const std::size_t frames = movie.extent(0);
  core::Array<double, 2> drive({circuit.units.size(), frames});
  for (std::size_t u = 0; u < circuit.units.size(); ++u) {
    const auto time = circuit.units[u].temporal();
    const auto space = circuit.units[u].spatial(stimulus::Screen{}, stimulus::Centre{});
    std::vector<double> seen(frames, 0.0);
    for (std::size_t t = 0; t < frames; ++t)
      for (std::size_t p = 0; p < space.size(); ++p) seen[t] += space[p] * static_cast<double>(movie.row(t)[p]);
    for (std::size_t t = 0; t < frames; ++t)
      for (std::size_t lag = 0; lag < time.size() && lag <= t; ++lag) drive(u, t) += time[lag] * seen[t - lag];
  }
  return drive;
}

inline double softplus(double z, double beta) {
  return (std::max(beta * z, 0.0) + std::log1p(std::exp(-std::abs(beta * z)))) / beta;
}

/// One condition with A_u = Int sigma' w dh along grey -> stimulus (fine midpoint rule).
inline AttributedCondition attribute(const recording::Circuit& circuit, const stimulus::Condition& shown) {
  const auto movie = stimulus::render(shown, stimulus::Screen{}, stimulus::Centre{});
  const auto drive = drives_of(circuit, movie.contrast);
  const std::size_t units = circuit.units.size(), frames = movie.frames();
  const int panels = 500;
  AttributedCondition condition;
  condition.name = shown.name;
  condition.stimulus = stimulus_of(shown.name);
  condition.attribution = condition.drive = condition.downstream = core::Array<double, 3>({frames, units, 1});
  for (std::size_t t = 0; t < frames; ++t) {
    std::vector<double> h(units), next(units);
    for (std::size_t u = 0; u < units; ++u) h[u] = std::max(0.0, circuit.units[u].bias);
    for (int k = 1; k <= panels; ++k) {
      double z = circuit.offset_hz;
      for (std::size_t u = 0; u < units; ++u) {
        next[u] = std::max(0.0, circuit.units[u].bias + drive(u, t) * k / panels);
        z += circuit.units[u].weight * 0.5 * (h[u] + next[u]);
      }
      const double slope = 1 / (1 + std::exp(-recording::circuit_beta_per_hz * z));
      for (std::size_t u = 0; u < units; ++u)
        condition.attribution(t, u, 0) += slope * circuit.units[u].weight * (next[u] - h[u]);
      h = next;
    }
    double z = circuit.offset_hz;
    for (std::size_t u = 0; u < units; ++u) {
      z += circuit.units[u].weight * h[u];
      condition.drive(t, u, 0) = drive(u, t);
    }
    condition.rate.push_back(softplus(z, recording::circuit_beta_per_hz));
    condition.frames.push_back(static_cast<int>(t));
  }
  return condition;
}

inline AttributedCell attribute(const recording::Circuit& circuit, const std::vector<stimulus::Condition>& shown,
                                int held_out_every) {
  AttributedCell cell;
  cell.name = circuit.name;
  double z = circuit.offset_hz;
  for (const auto& unit : circuit.units) z += unit.weight * std::max(0.0, unit.bias);
  cell.rest = softplus(z, recording::circuit_beta_per_hz);
  for (const auto& condition : shown) cell.conditions.push_back(attribute(circuit, condition));
  mark_held_out(cell.conditions, held_out_every);
  return cell;
}

}  // namespace amacrine::reduction::testing
