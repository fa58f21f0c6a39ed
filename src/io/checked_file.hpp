// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checksum_table.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// A file of ours whose blocks are compared with their checksums before their contents are used.
namespace amacrine::io::detail {

class CheckedFile {
 public:
  /// Nothing where the file has no checksums; throws InputError where they are damaged.
  static std::optional<CheckedFile> open(const std::string& path);

  const ChecksumTable& table() const { return table_; }
  /// The blocks that differ from their checksums. Reads the whole file.
  std::vector<std::size_t> damaged_blocks();

  // Each block is compared once in the life of this object. Throw InputError naming file and bytes.
  void require_structures();                                         ///< blocks that hold more than values of variables
  void require_values(ByteRange bytes, const std::string& dataset);  ///< blocks in which some of the bytes lie
  void require_all();

 private:
  CheckedFile(RawFile file, ChecksumTable table);
  /// The damaged ones of the blocks [first, last) that `asked` names and that were not found whole before.
  std::vector<std::size_t> compare(std::size_t first, std::size_t last, const std::function<bool(std::size_t)>& asked);
  void require_whole(const std::vector<std::size_t>& damaged, const std::string& what) const;

  RawFile file_;
  ChecksumTable table_;
  std::vector<bool> whole_;
};

/// "bytes 65536 to 131071 and 3 more blocks"; "nowhere" for no blocks.
std::string places(const ChecksumTable& table, const std::vector<std::size_t>& blocks);

}  // namespace amacrine::io::detail
