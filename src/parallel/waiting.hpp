// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace amacrine::parallel::detail {

/// Sleeps a little longer every time, so that a rank that waits leaves its core to others.
class Patience {
 public:
  void wait() {
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(2 * pause_, std::chrono::microseconds(1000));
  }

 private:
  std::chrono::microseconds pause_{10};
};

}  // namespace amacrine::parallel::detail
