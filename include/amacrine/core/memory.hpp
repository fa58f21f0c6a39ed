// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace amacrine::core {

/// Asks for large pages under memory that nothing has touched yet, so that passes over many megabytes translate fewer addresses.
/// Advice only: where the system has none to give, nothing changes.
void prefer_large_pages(void* begin, std::size_t bytes);

/// Bytes this process can still have: the least of what the system says is available, what the limits of its control groups
/// (version 1 or 2) leave, and what the limit on its address space leaves. Infinite where neither can be found. `proc` and
/// `cgroup`: where these file systems are.
double available_memory(const std::string& proc = "/proc", const std::string& cgroup = "/sys/fs/cgroup");

}  // namespace amacrine::core
