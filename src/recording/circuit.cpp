// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/circuit.hpp"

#include "amacrine/core/errors.hpp"

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
  core::require<core::InputError>(sum > 0, "a circuit's window at ({}, {}) px lies off the {} x {} screen; place the cell on it",
                                  y0, x0, screen.height, screen.width);
  for (double& value : kernel) value /= sum;
}

struct Bump {
  double order, peak_ms;
};

CircuitUnit make_unit(std::string name, double weight, int polarity, Bump first, Bump second, double rho, double bias,
                      double sigma) {
  CircuitUnit unit;
  unit.name = std::move(name);
  unit.excitatory = weight > 0;
  unit.polarity = polarity;
  unit.n1 = first.order, unit.p1_ms = first.peak_ms;
  unit.n2 = second.order, unit.p2_ms = second.peak_ms;
  unit.rho = rho, unit.bias = bias, unit.weight = weight;
  unit.sigma_centre_px = sigma, unit.sigma_surround_px = 2 * sigma;
  return unit;
}

Circuit feed_forward(std::string name, double offset_hz, std::vector<CircuitUnit> units) {
  Circuit made;
  made.name = std::move(name);
  made.offset_hz = offset_hz;
  made.units = std::move(units);
  return made;
}

constexpr Bump no_bump{1.0, 100.0};
constexpr int on = +1, off = -1;

Circuit osr() {
  return feed_forward("osr", -2.5,
                      {make_unit("OFF_inh", -478.0, off, {2.0, 110.0}, {9.0, 232.6}, 0.998, 0.100, 1.6),
                       make_unit("ON_slow", 99.0, on, {3.55, 92.2}, {9.0, 138.3}, 1.0, 0.150, 1.6),
                       make_unit("ON_fast", 141.9, on, {9.0, 47.4}, {4.54, 71.1}, 0.94, -0.045, 1.6)});
}

Circuit osr_alt() {
  return feed_forward("osr_alt", 8.0,
                      {make_unit("OFF_inh", -393.0, off, {2.0, 58.2}, {9.0, 223.6}, 0.304, 0.100, 1.6),
                       make_unit("ON_slow", 122.0, on, {9.0, 67.4}, {9.0, 156.6}, 0.464, 0.023, 1.6),
                       make_unit("ON_fast", 178.0, on, {9.0, 40.0}, {4.05, 60.0}, 1.0, -0.039, 1.6)});
}

Circuit latency() {
  return feed_forward("latency", -19.3,
                      {make_unit("OFF_exc", 262.0, off, {4.0, 110.0}, no_bump, 0.0, 0.041, 1.6),
                       make_unit("ON_inh", -465.0, on, {9.0, 35.0}, {2.63, 148.0}, 1.40, -0.060, 1.6)});
}

Circuit reversal() {
  std::vector<CircuitUnit> subunits;
  for (int i = 0; i < 5; ++i) {
    CircuitUnit unit = make_unit(fmt::format("S{}", i), 142.0, off, {1.59, 140.0}, {9.0, 300.0}, 0.6, -0.372, 0.9);
    unit.kappa = 0.9;
    unit.sigma_surround_px = 3.0;
    unit.dx_px = 2.0 * (i - 2);
    subunits.push_back(unit);
  }
  return feed_forward("reversal", -2.1, subunits);
}

Circuit anticipation() {
  return feed_forward("anticipation", -1.2,
                      {make_unit("OFF_exc", 103.2, off, {3.44, 65.5}, {5.43, 124.4}, 0.312, 0.021, 2.0),
                       make_unit("OFF_inh_wide", -1000.0, off, {7.33, 135.5}, no_bump, 0.0, -0.420, 3.0)});
}

/// A linear filter and a threshold: it has none of the four phenomena.
Circuit no_phenomenon() {
  return feed_forward("no_phenomenon", -1.5, {make_unit("ON", 110.0, on, {4.0, 60.0}, {5.0, 120.0}, 0.4, -0.06, 1.8)});
}

/// Three phenomena with one set of weights: omitted bright flashes, dark flashes, a dark bar.
Circuit three_in_one() {
  return feed_forward("three_in_one", 7.4,
                      {make_unit("ON_inh", -670.0, on, {2.3, 108.0}, {8.5, 200.0}, 0.78, 0.094, 1.55),
                       make_unit("OFF_slow", 61.0, off, {1.85, 97.0}, {8.6, 214.0}, 1.10, 0.25, 2.35),
                       make_unit("OFF_fast", 93.0, off, {7.6, 35.0}, {5.4, 77.5}, 1.07, 0.053, 2.35)});
}

/// A burst after a reversal that no single layer makes: displaced excitation and delayed inhibition meet in a second layer.
Circuit two_layers() {
  std::vector<CircuitUnit> units{make_unit("E_left", 1.0, on, {1.75, 112.0}, {5.9, 160.0}, 0.62, 0.01, 1.2),
                                 make_unit("E_right", 1.0, on, {1.75, 112.0}, {5.9, 160.0}, 0.62, 0.01, 1.2),
                                 make_unit("I_left", -1.0, on, {7.1, 104.5}, {3.35, 294.0}, 0.40, -0.058, 1.6),
                                 make_unit("I_right", -1.0, on, {7.1, 104.5}, {3.35, 294.0}, 0.40, -0.058, 1.6)};
  for (std::size_t i = 0; i < units.size(); ++i) {
    units[i].dx_px = i % 2 == 0 ? -2.0 : 2.0;
    units[i].window_px = 15;
  }
  Circuit made = feed_forward("two_layers", -3.4, std::move(units));
  made.kind = CircuitKind::two_layers;
  made.second = {{"M_left", -0.134, {0.87, -0.75, -1.36, -1.35}, 127.0}, {"M_right", -0.134, {-0.75, 0.87, -1.35, -1.36}, 127.0}};
  return made;
}

Circuit osr_depressing() {
  Circuit made = feed_forward("osr_depressing", -38.6,
                              {make_unit("OFF_amacrine", -1.0, off, {9.0, 43.9}, no_bump, 0.0, -0.233, 1.6),
                               make_unit("ON_exc", 267.8, on, {2.0, 40.0}, {2.0, 106.8}, 0.897, 0.180, 1.6)});
  made.kind = CircuitKind::depressing_inhibition;
  return made;
}

Circuit anticipation_gain_control() {
  Circuit made = feed_forward("anticipation_gain_control", 0.0,
                              {make_unit("OFF_in", 1.0, off, {2.02, 59.5}, {2.02, 238.0}, 0.25, 0.0, 2.0)});
  made.kind = CircuitKind::gain_control;
  return made;
}

const std::vector<Circuit>& all_circuits() {
  static const std::vector<Circuit> circuits{
      osr(),           osr_alt(),      latency(),   reversal(), anticipation(), osr_depressing(), anticipation_gain_control(),
      no_phenomenon(), three_in_one(), two_layers()};
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
