// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <functional>
#include <string>
#include <vector>

namespace amacrine::parallel {

/// Collective: the ranks where `mine` holds run `body`, the others wait for them; where it throws on any, every rank throws what
/// the first of them in rank order threw.
void on_some(const Communicator& communicator, bool mine, const std::function<void()>& body);

/// Collective. Waits until `ready` is true, which is called on rank 0 again and again while all ranks sleep in between. Several
/// times a second all look whether one of them was asked to stop; then `stopped` is called on rank 0, and waiting goes on.
void wait_for_root(const Communicator& communicator, const std::function<bool()>& ready, const std::function<void()>& stopped);

/// Collective. Every rank's text, in rank order; texts hold no line breaks.
std::vector<std::string> gather_texts(const Communicator& communicator, const std::string& mine);

}  // namespace amacrine::parallel
