// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <chrono>
#include <string>

namespace amacrine::training {

/// Whether a training was asked to end early: by a signal (parallel/stop.hpp), or by `max_minutes` of wall clock since
/// construction (0: no limit).
class StopRequest {
 public:
  explicit StopRequest(double max_minutes) : max_minutes_(max_minutes) {}

  bool asked() const;  ///< local to this rank
  /// Collective: what asked.
  std::string why(const parallel::Communicator& communicator) const;

 private:
  double max_minutes_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace amacrine::training
