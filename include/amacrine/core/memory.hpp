// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace amacrine::core {

/// Asks for large pages under memory that nothing has touched yet, so that passes over many megabytes translate fewer addresses.
/// Advice only: where the system has none to give, nothing changes.
void prefer_large_pages(void* begin, std::size_t bytes);

}  // namespace amacrine::core
