// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <functional>
#include <string>

namespace amacrine::parallel {

/// Why a body of work failed; an empty text: it did not.
struct Fault {
  std::string text;
  core::ExitCode code = core::ExitCode::done;
};

/// Collective. Runs `body` on every rank, which may fail: what the lowest rank that threw said. Where some ranks throw and the
/// others do not come to their end within seconds (they may wait for the ranks that threw), those that threw throw core::Error,
/// which ends the job. Throws Stopped where a rank was stopped and none failed. `watched`: a communicator of the ranks that run
/// `body`, which `body` does not use itself.
Fault attempt(const Communicator& watched, const std::function<void()>& body);

}  // namespace amacrine::parallel
