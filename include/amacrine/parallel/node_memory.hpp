// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace amacrine::parallel {

/// Collective. `bytes` bytes that the ranks of a node share: `fill` writes them on the first rank of every node, the others see
/// what it wrote. They live as long as any of the ranks keeps them; letting go is local. A rank that cannot see the memory of its
/// node's first rank (another process namespace) fills a copy of its own. Throws core::Error where there is no such memory, and
/// on every rank what `fill` throws on any.
std::shared_ptr<const std::byte> node_memory(const Communicator& communicator, std::size_t bytes,
                                             const std::function<void(std::byte*)>& fill);

/// Collective. Whether this rank is the first of its node.
bool first_of_node(const Communicator& communicator);

}  // namespace amacrine::parallel
