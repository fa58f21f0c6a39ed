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

/// Collective. Every rank's text, in rank order; texts hold no line breaks.
std::vector<std::string> gather_texts(const Communicator& communicator, const std::string& mine);

}  // namespace amacrine::parallel
