// SPDX-License-Identifier: Apache-2.0
// The exact attribution of a circuit's rate to its interneurons, by a path integral from grey to the stimulus.
#include "amacrine/core/errors.hpp"
#include "circuit_sum.hpp"

#include <cmath>

namespace amacrine::recording {
namespace {

/// Output of a unit's filter at `frame`, contrast; before the movie the world was grey.
double drive_at(const CircuitUnit& unit, const core::Array<float, 3>& contrast, const stimulus::Screen& screen,
                const stimulus::Centre& centre, std::size_t frame) {
  const std::vector<double> kernel = unit.spatial(screen, centre), temporal = unit.temporal();
  double drive = 0;
  for (std::size_t lag = 0; lag < std::min(circuit_lags, frame + 1); ++lag) {
    const auto pixels = contrast.row(frame - lag);
    double projected = 0;
    for (std::size_t i = 0; i < kernel.size(); ++i) projected += kernel[i] * static_cast<double>(pixels[i]);
    drive += temporal[lag] * projected;
  }
  return drive;
}

/// Activities of the interneurons at a share `alpha` of the way from grey to the stimulus.
std::vector<double> activities(const Circuit& circuit, const std::vector<double>& drive, double alpha) {
  std::vector<double> activity;
  for (std::size_t i = 0; i < drive.size(); ++i) activity.push_back(std::max(0.0, circuit.units[i].bias + alpha * drive[i]));
  return activity;
}

}  // namespace

CircuitAttribution attribute(const Circuit& circuit, const core::Array<float, 3>& contrast, const stimulus::Screen& screen,
                             const stimulus::Centre& centre, std::size_t frame, int steps) {
  core::require<core::InputError>(circuit.stateless(),
                                  "only circuits without a state have a straight path to attribute along, not {}", circuit.name);
  core::require<core::InputError>(frame < contrast.extent(0) && steps > 0, "frame {} lies outside the {} frames of the stimulus",
                                  frame, contrast.extent(0));
  CircuitAttribution result;
  for (const CircuitUnit& unit : circuit.units) result.drive.push_back(drive_at(unit, contrast, screen, centre, frame));
  result.attribution_hz.assign(circuit.units.size(), 0.0);
  std::vector<double> before = activities(circuit, result.drive, 0), now;
  double z_before = circuit_sum(circuit, before), z_now = z_before;
  result.rate_grey_hz = circuit_softplus(z_before);
  for (int step = 1; step <= steps; ++step) {
    now = activities(circuit, result.drive, static_cast<double>(step) / steps);
    z_now = circuit_sum(circuit, now);
    const double slope = 1 / (1 + std::exp(-circuit_beta_per_hz * 0.5 * (z_before + z_now)));
    const std::vector<double> weights = secant_weights(circuit, before, now);
    for (std::size_t i = 0; i < now.size(); ++i) result.attribution_hz[i] += slope * weights[i] * (now[i] - before[i]);
    std::swap(before, now);
    z_before = z_now;
  }
  result.activity = before;
  const std::vector<double> weights = secant_weights(circuit, before, before);
  for (std::size_t i = 0; i < weights.size(); ++i) result.contribution_hz.push_back(weights[i] * before[i]);
  result.rate_hz = circuit_softplus(z_now);
  result.completeness_error_hz = result.rate_grey_hz - result.rate_hz;
  for (double part : result.attribution_hz) result.completeness_error_hz += part;
  return result;
}

}  // namespace amacrine::recording
