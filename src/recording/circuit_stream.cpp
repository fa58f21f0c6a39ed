// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/circuit_stream.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace amacrine::recording {
namespace {

constexpr std::size_t past = circuit_lags - 1;

/// Sum of products in a fixed order: eight running sums (vector lanes), added at the end.
double dot(const double* kernel, const float* frame, std::size_t pixels) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  std::size_t i = 0;
  for (; i + lanes <= pixels; i += lanes)
    for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += kernel[i + lane] * static_cast<double>(frame[i + lane]);
  double total = 0;
  for (double sum : sums) total += sum;
  for (; i < pixels; ++i) total += kernel[i] * static_cast<double>(frame[i]);
  return total;
}

double filtered(const std::vector<double>& temporal, const double* now) {
  double sum = 0;
  for (std::size_t lag = 0; lag < circuit_lags; ++lag) sum += temporal[lag] * *(now - lag);
  return sum;
}

}  // namespace

CircuitStream::CircuitStream(const Circuit& circuit, const stimulus::Screen& screen, const stimulus::Centre& centre,
                             const Lesion& lesion)
    : pixels_(static_cast<std::size_t>(screen.height) * static_cast<std::size_t>(screen.width)), state_(circuit, lesion) {
  core::require<core::InputError>(std::abs(screen.frame_ms - circuit_frame_ms) < 1e-9,
                                  "circuits run on frames of {} ms, the movie has frames of {} ms", circuit_frame_ms,
                                  screen.frame_ms);
  for (const CircuitUnit& unit : circuit.units) {
    std::vector<double> kernel = unit.spatial(screen, centre);
    const auto same = std::find(kernels_.begin(), kernels_.end(), kernel);
    kernel_of_unit_.push_back(static_cast<std::size_t>(same - kernels_.begin()));
    if (same == kernels_.end()) kernels_.push_back(std::move(kernel));
    temporal_.push_back(unit.temporal());
  }
  projected_.assign(kernels_.size(), std::vector<double>(past, 0.0));
}

void CircuitStream::project(const float* contrast, std::size_t frames) {
  for (std::size_t k = 0; k < kernels_.size(); ++k) {
    std::vector<double>& row = projected_[k];
    std::copy(row.end() - past, row.end(), row.begin());
    row.resize(past + frames);
    for (std::size_t t = 0; t < frames; ++t) row[past + t] = dot(kernels_[k].data(), contrast + t * pixels_, pixels_);
  }
}

void CircuitStream::feed(const float* contrast, std::size_t frames, double* rate_hz, core::Array<double, 2>* contribution_hz) {
  project(contrast, frames);
  const std::size_t units = temporal_.size();
  std::vector<double> drive(units), added(units);
  if (contribution_hz) *contribution_hz = core::Array<double, 2>({units, frames});
  for (std::size_t t = 0; t < frames; ++t) {
    for (std::size_t i = 0; i < units; ++i) drive[i] = filtered(temporal_[i], &projected_[kernel_of_unit_[i]][past + t]);
    rate_hz[t] = state_.step(drive.data(), added.data());
    if (contribution_hz)
      for (std::size_t i = 0; i < units; ++i) (*contribution_hz)(i, t) = added[i];
  }
}

CircuitResponse respond(const Circuit& circuit, const core::Array<float, 3>& contrast, const stimulus::Screen& screen,
                        const stimulus::Centre& centre, const Lesion& lesion) {
  CircuitResponse response;
  response.rate_hz.resize(contrast.extent(0));
  CircuitStream stream(circuit, screen, centre, lesion);
  stream.feed(contrast.data(), contrast.extent(0), response.rate_hz.data(), &response.contribution_hz);
  return response;
}

CircuitAttribution attribute(const Circuit& circuit, const core::Array<float, 3>& contrast, const stimulus::Screen& screen,
                             const stimulus::Centre& centre, std::size_t frame, int steps) {
  core::require<core::InputError>(circuit.feed_forward(),
                                  "only feed-forward circuits have a straight path to attribute along, not {}", circuit.name);
  core::require<core::InputError>(frame < contrast.extent(0) && steps > 0, "frame {} lies outside the {} frames of the stimulus",
                                  frame, contrast.extent(0));
  const std::size_t units = circuit.units.size(), first = frame >= past ? frame - past : 0;
  const std::size_t pixels = contrast.extent(1) * contrast.extent(2);
  CircuitAttribution result;
  result.attribution_hz.assign(units, 0.0);
  for (const CircuitUnit& unit : circuit.units) {
    const std::vector<double> kernel = unit.spatial(screen, centre), temporal = unit.temporal();
    double drive = 0;
    for (std::size_t t = first; t <= frame; ++t)
      drive += temporal[frame - t] * dot(kernel.data(), contrast.data() + t * pixels, pixels);
    result.drive.push_back(drive);
    result.activity.push_back(std::max(0.0, unit.bias + drive));
    result.contribution_hz.push_back(unit.weight * result.activity.back());
  }
  std::vector<double> before(units), now(units);
  double z_before = 0, z_now = 0;
  for (int step = 0; step <= steps; ++step) {
    const double alpha = static_cast<double>(step) / steps;
    z_now = circuit.offset_hz;
    for (std::size_t i = 0; i < units; ++i) {
      now[i] = circuit.units[i].weight * std::max(0.0, circuit.units[i].bias + alpha * result.drive[i]);
      z_now += now[i];
    }
    if (step == 0) result.rate_grey_hz = circuit_softplus(z_now);
    const double slope = 1 / (1 + std::exp(-circuit_beta_per_hz * 0.5 * (z_before + z_now)));
    for (std::size_t i = 0; i < units && step > 0; ++i) result.attribution_hz[i] += slope * (now[i] - before[i]);
    std::swap(before, now);
    z_before = z_now;
  }
  result.rate_hz = circuit_softplus(z_now);
  result.completeness_error_hz = result.rate_grey_hz - result.rate_hz;
  for (double part : result.attribution_hz) result.completeness_error_hz += part;
  return result;
}

}  // namespace amacrine::recording
