// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/version.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/version_generated.hpp"

#include <cstdio>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

namespace amacrine::core {

std::string version() { return AMACRINE_VERSION; }

std::map<std::string, std::string> build_facts() {
  return {{"version", AMACRINE_VERSION},
          {"commit", AMACRINE_COMMIT},
          {"commit_dirty", AMACRINE_COMMIT_DIRTY ? "1" : "0"},
          {"compiler", AMACRINE_COMPILER},
          {"build_flags", AMACRINE_BUILD_FLAGS},
          {"kokkos_version", AMACRINE_KOKKOS_VERSION},
          {"kokkos_devices", AMACRINE_KOKKOS_DEVICES},
          {"kokkos_arch", AMACRINE_KOKKOS_ARCH}};
}

std::string hash_bytes(const void* data, std::size_t bytes) { return fmt::format("{:016x}", XXH64(data, bytes, 0)); }

std::string hash_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  require<InputError>(file != nullptr, "{}: cannot be opened for reading; does the file exist?", path);
  const std::unique_ptr<XXH64_state_t, XXH_errorcode (*)(XXH64_state_t*)> state(XXH64_createState(), &XXH64_freeState);
  XXH64_reset(state.get(), 0);
  std::vector<char> block(std::size_t{1} << 22);
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), file.get()))
    XXH64_update(state.get(), block.data(), got);
  require<InputError>(!std::ferror(file.get()), "{}: reading failed; expected a readable file", path);
  return fmt::format("{:016x}", XXH64_digest(state.get()));
}

}  // namespace amacrine::core
