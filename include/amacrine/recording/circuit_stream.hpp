// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/circuit_state.hpp"

#include <vector>

namespace amacrine::recording {

/// A circuit's response to a movie of any length: feed blocks of frames, get their rates. Before the first frame the world was
/// grey. Holds 39 frames of each spatial projection and the circuit's state; units that share a spatial kernel share its
/// projection.
class CircuitStream {
 public:
  CircuitStream(const Circuit& circuit, const stimulus::Screen& screen, const stimulus::Centre& centre,
                const Lesion& lesion = {});
  /// `contrast`: frames x Y x X. Writes one rate (Hz) per frame; `contribution_hz`, where asked for, becomes (U, frames).
  void feed(const float* contrast, std::size_t frames, double* rate_hz, core::Array<double, 2>* contribution_hz = nullptr);

 private:
  void project(const float* contrast, std::size_t frames);

  std::size_t pixels_;
  std::vector<std::vector<double>> kernels_;  ///< distinct spatial kernels
  std::vector<std::size_t> kernel_of_unit_;
  std::vector<std::vector<double>> temporal_;   ///< per unit, most recent first
  std::vector<std::vector<double>> projected_;  ///< per kernel: 39 frames of the past, then the block
  CircuitState state_;
};

}  // namespace amacrine::recording
