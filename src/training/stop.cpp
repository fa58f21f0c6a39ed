// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/stop.hpp"

#include "amacrine/parallel/stop.hpp"

#include <fmt/format.h>

namespace amacrine::training {

bool StopRequest::asked() const {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  return parallel::stop_asked() || (max_minutes_ > 0 && passed.count() >= 60.0 * max_minutes_);
}

std::string StopRequest::why(const parallel::Communicator& communicator) const {
  const std::string signal = parallel::stop_signal(communicator);
  if (!signal.empty()) return signal;
  return max_minutes_ > 0 ? fmt::format("training.max_minutes = {:g}", max_minutes_) : "what stopped other ranks";
}

}  // namespace amacrine::training
