// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace amacrine::pathway {

/// body(0), ..., body(count - 1) on the host's threads, one at a time to whichever is free. An item is hundreds of frames, so
/// that the call costs nothing.
void for_each_item(const char* label, std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace amacrine::pathway
