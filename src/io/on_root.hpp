// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/together.hpp"

namespace amacrine::io::detail {

/// Collective: rank 0 runs `body`; where it throws, every rank throws the same.
template <class Body>
void on_root(const parallel::Communicator& communicator, const Body& body) {
  parallel::on_some(communicator, communicator.root(), body);
}

}  // namespace amacrine::io::detail
