// SPDX-License-Identifier: Apache-2.0
#include "step_watch.hpp"

#include <algorithm>
#include <utility>

namespace amacrine::training {

StepWatch::StepWatch(const parallel::Communicator& communicator, Limits limits)
    : communicator_(communicator), limits_(std::move(limits)), stop_(limits_.max_minutes) {}

StepWatch::Due StepWatch::due() {
  const bool time = limits_.save_every_s > 0 && core::wall_seconds() - saved_ >= limits_.save_every_s;
  const bool interrupted = limits_.interrupt && limits_.interrupt();
  const Due mine = stop_.asked() || interrupted ? Due::stop : time ? Due::save : Due::nothing;
  const auto agreed = static_cast<Due>(static_cast<int>(communicator_.maximum(static_cast<int>(mine))));
  if (agreed == Due::save) saved_ = core::wall_seconds();
  return agreed;
}

void StepWatch::record(double seconds) {
  longest_s_ = std::max(longest_s_, seconds);
  patience_.set(2 * longest_s_);
}

}  // namespace amacrine::training
