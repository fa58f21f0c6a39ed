// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/circuit.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/recording/circuit_definition.hpp"
#include "built_in_circuits.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace amacrine::recording {
namespace {

/// (t / p)^n exp(n (1 - t / p)): starts at 0, peaks with 1 at t = p.
double gamma_bump(double t_ms, double order, double peak_ms) {
  if (t_ms <= 0) return 0.0;
  const double x = t_ms / peak_ms;
  return std::exp(order * (std::log(x) + 1.0 - x));
}

/// Adds `scale` times the Gaussian around (y0, x0) that sums to one over the screen's pixels.
void add_gaussian(std::vector<double>& kernel, const stimulus::Screen& screen, double y0, double x0, double sigma, double scale) {
  std::vector<double> bump;
  bump.reserve(kernel.size());
  double sum = 0;
  for (int y = 0; y < screen.height; ++y) {
    for (int x = 0; x < screen.width; ++x) {
      const double distance2 = (x - x0) * (x - x0) + (y - y0) * (y - y0);
      const double value = std::exp(-distance2 / (2 * sigma * sigma));
      bump.push_back(value);
      sum += value;
    }
  }
  core::require<core::InputError>(sum > 0,
                                  "a circuit's receptive field at ({}, {}) px lies off the {} x {} screen; place the cell on it",
                                  y0, x0, screen.height, screen.width);
  for (std::size_t i = 0; i < kernel.size(); ++i) kernel[i] += scale * bump[i] / sum;
}

/// Keeps a square of `side` pixels around (y0, x0), scaled to sum to one.
void cut(std::vector<double>& kernel, const stimulus::Screen& screen, double y0, double x0, int side) {
  const int top = static_cast<int>(std::floor(y0)) - side / 2, left = static_cast<int>(std::floor(x0)) - side / 2;
  double sum = 0;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const int y = static_cast<int>(i) / screen.width, x = static_cast<int>(i) % screen.width;
    if (y < top || y >= top + side || x < left || x >= left + side) kernel[i] = 0;
    sum += kernel[i];
  }
  core::require<core::InputError>(
      sum > 0,
      "a circuit's window at ({}, {}) px lies off the {} x {} screen, or its surround outweighs its centre; "
      "place the cell on it, or make the surround smaller",
      y0, x0, screen.height, screen.width);
  for (double& value : kernel) value /= sum;
}

/// The circuits of circuits/*.toml.
const std::vector<Circuit>& all_circuits() {
  static const std::vector<Circuit> circuits = [] {
    std::vector<Circuit> all;
    for (const CircuitFile& file : built_in_circuit_files()) {
      const std::vector<Circuit> one = parse_circuits(file.text, fmt::format("circuits/{}.toml", file.name));
      core::require(one.size() == 1 && one[0].name == file.name, "circuits/{}.toml must hold one circuit of that name",
                    file.name);
      all.push_back(one[0]);
    }
    return all;
  }();
  return circuits;
}

}  // namespace

std::vector<double> CircuitUnit::temporal() const {
  std::vector<double> kernel(circuit_lags);
  double sum = 0;
  for (std::size_t lag = 0; lag < circuit_lags; ++lag) {
    const double t = circuit_frame_ms * static_cast<double>(lag);
    kernel[lag] = gamma_bump(t, n1, p1_ms) - rho * gamma_bump(t, n2, p2_ms);
    sum += std::abs(kernel[lag]);
  }
  for (double& value : kernel) value *= polarity / sum;
  return kernel;
}

std::vector<double> CircuitUnit::spatial(const stimulus::Screen& screen, const stimulus::Centre& centre) const {
  std::vector<double> kernel(static_cast<std::size_t>(screen.height) * static_cast<std::size_t>(screen.width), 0.0);
  add_gaussian(kernel, screen, centre.y + dy_px, centre.x + dx_px, sigma_centre_px, 1.0);
  if (kappa != 0) add_gaussian(kernel, screen, centre.y + dy_px, centre.x + dx_px, sigma_surround_px, -kappa);
  if (window_px > 0) cut(kernel, screen, centre.y + dy_px, centre.x + dx_px, window_px);
  return kernel;
}

std::size_t Circuit::unit(const std::string& unit_name) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (units[i].name == unit_name) return i;
    names.push_back(units[i].name);
  }
  core::fail<core::InputError>("circuit {} has no unit '{}'; it has {}", name, unit_name, fmt::join(names, ", "));
}

const std::vector<std::string>& circuit_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Circuit& each : all_circuits()) all.push_back(each.name);
    return all;
  }();
  return names;
}

const Circuit& circuit(const std::string& name) {
  for (const Circuit& each : all_circuits())
    if (each.name == name) return each;
  core::fail<core::InputError>("there is no circuit '{}'; there are {}", name, fmt::join(circuit_names(), ", "));
}

double circuit_softplus(double z_hz) {
  const double x = circuit_beta_per_hz * z_hz;
  return (std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)))) / circuit_beta_per_hz;
}

}  // namespace amacrine::recording
