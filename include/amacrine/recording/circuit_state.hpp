// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/circuit.hpp"

#include <vector>

namespace amacrine::recording {

/// A circuit behind its filters: what is fed is each unit's drive, the output of its spatio-temporal filter. One step is one
/// frame.
class CircuitState {
 public:
  /// Throws InputError where the lesion names a unit the circuit does not have, or a mechanism it does not have.
  CircuitState(const Circuit& circuit, const Lesion& lesion);
  /// `drive` (U), contrast. Returns the rate in Hz; `contribution_hz` (U), where given, gets what each unit adds.
  double step(const double* drive, double* contribution_hz = nullptr);
  /// Share of the depressing synapse's store that is filled, 0..1.
  double store() const { return store_; }

 private:
  double stateless(const double* drive, double* contribution_hz) const;
  double depressing(const double* drive, double* contribution_hz);
  double gain_control(const double* drive, double* contribution_hz);

  Circuit circuit_;
  std::vector<bool> dropped_, linear_;  ///< (U)
  std::vector<bool> silent_;            ///< units of the second layer that are dropped
  bool depression_, inhibits_, feedback_;
  double store_ = 1, conductance_ = 0, membrane_ = 0, adaptation_ = 0;
};

/// Mean filling of the depressing synapse over the last six cycles of twelve dark 20 ms full-field flashes of contrast -2, 100 ms
/// apart.
double mean_store_in_train(const Circuit& circuit);

}  // namespace amacrine::recording
