// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace amacrine::core {

/// Version of the program, "0.1.0".
std::string version();
/// Commit, dirty flag ("0"/"1"), compiler, flags, Kokkos version and devices: how this program was built.
std::map<std::string, std::string> build_facts();

/// 16 hex digits of xxHash64 over bytes; of a file (whole contents, streamed). Throws InputError where it cannot be read.
std::string hash_bytes(const void* data, std::size_t bytes);
std::string hash_file(const std::string& path);

}  // namespace amacrine::core
