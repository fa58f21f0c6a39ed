// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <functional>

namespace amacrine::parallel {

/// Collective: the ranks where `mine` holds run `body`, the others wait for them; where it throws on any, every rank throws what
/// the first of them in rank order threw.
void on_some(const Communicator& communicator, bool mine, const std::function<void()>& body);

}  // namespace amacrine::parallel
