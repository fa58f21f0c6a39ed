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

}  // namespace amacrine::recording
