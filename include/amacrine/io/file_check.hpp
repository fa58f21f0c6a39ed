// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace amacrine::io {

/// What the checksums of a file say of it.
struct FileCheck {
  enum class State { none, verified, damaged };
  State state = State::none;  ///< none: the file has no checksums (foreign, of format 1, or not complete)
  std::string fault;          ///< what differs; empty unless damaged
  std::size_t blocks = 0, block_bytes = 0;
  std::vector<std::size_t> damaged_blocks;    ///< block b holds the bytes from b x block_bytes on
  bool structures_whole = false;              ///< of a damaged file: only values of variables are damaged
  std::vector<std::string> damaged_datasets;  ///< with values in a damaged block; known where the structures are whole
};

/// Local. Reads the whole file, and compares every block with its checksum. A damaged table is damage, too. Throws nothing but
/// what the system throws.
FileCheck check_file(const std::string& path);

}  // namespace amacrine::io
