// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace amacrine::training {

/// Whether this run was asked to end early: SIGTERM, SIGUSR1, or `max_minutes` of wall clock since construction (0: no limit).
/// Handlers only set a flag; the old ones come back at the end of its life. One at a time per process.
class StopRequest {
 public:
  explicit StopRequest(double max_minutes);
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  bool asked() const;  ///< local to this rank
  std::string why() const;

 private:
  struct Handlers;
  Handlers* previous_;
  double max_minutes_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace amacrine::training
