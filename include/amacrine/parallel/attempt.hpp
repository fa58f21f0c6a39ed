// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <functional>
#include <string>

namespace amacrine::parallel {

/// Collective. Runs `body` on every rank, which may fail: what the lowest rank that threw said, empty where `body` returned on
/// all. Where some ranks throw and the others do not come to their end within seconds (they may wait for the ranks that threw),
/// those that threw throw core::Error, which ends the job. Throws Stopped where a rank was stopped and none failed. `watched`: a
/// communicator of the ranks that run `body`, which `body` does not use itself.
std::string attempt(const Communicator& watched, const std::function<void()>& body);

}  // namespace amacrine::parallel
