// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace amacrine::core {

/// How far one step of a verb is.
struct ProgressState {
  std::string what, unit;  ///< "attribute", "blocks"
  double done = 0, of = 0;
};

/// Told of every update of a Progress on this rank, whether it is printed or not; an empty function: nobody is.
void set_progress_listener(std::function<void(const ProgressState&)> listener);

}  // namespace amacrine::core
