// SPDX-License-Identifier: Apache-2.0
#include "checked_file.hpp"

#include "amacrine/core/errors.hpp"

#include <utility>

namespace amacrine::io::detail {

CheckedFile::CheckedFile(RawFile file, ChecksumTable table)
    : file_(std::move(file)), table_(std::move(table)), whole_(table_.blocks(), false) {}

std::optional<CheckedFile> CheckedFile::open(const std::string& path) {
  RawFile file(path);
  std::optional<ChecksumTable> table = find_table(file);
  if (!table) return std::nullopt;
  return CheckedFile(std::move(file), std::move(*table));
}

std::vector<std::size_t> CheckedFile::compare(std::size_t first, std::size_t last,
                                              const std::function<bool(std::size_t)>& asked) {
  std::vector<std::size_t> damaged;
  while (first < last) {
    const auto wanted = [&](std::size_t block) { return !whole_[block] && asked(block); };
    if (!wanted(first)) {
      ++first;
      continue;
    }
    std::size_t end = first + 1;  // as many neighbours as can be read in one go
    while (end < last && wanted(end)) ++end;
    const std::vector<Checksum> found = checksums_of(file_, table_.data_bytes, table_.block_bytes, first, end);
    for (std::size_t i = 0; i < found.size(); ++i) {
      whole_[first + i] = found[i] == table_.checksums[first + i];
      if (!whole_[first + i]) damaged.push_back(first + i);
    }
    first = end;
  }
  return damaged;
}

std::vector<std::size_t> CheckedFile::damaged_blocks() {
  return compare(0, table_.blocks(), [](std::size_t) { return true; });
}

void CheckedFile::require_whole(const std::vector<std::size_t>& damaged, const std::string& what) const {
  core::require<core::InputError>(damaged.empty(),
                                  "{}: is damaged: {} differ from what was written ({}); copy it again, or make it again (the "
                                  "verb that made it with --overwrite)",
                                  file_.path(), what, places(table_, damaged));
}

void CheckedFile::require_structures() {
  require_whole(compare(0, table_.blocks(), [this](std::size_t block) { return table_.only_values[block] == 0; }), "bytes");
}

void CheckedFile::require_values(ByteRange bytes, const std::string& dataset) {
  if (bytes.begin >= bytes.end) return;
  const std::size_t first = bytes.begin / table_.block_bytes, last = (bytes.end - 1) / table_.block_bytes + 1;
  core::require<core::InputError>(last <= table_.blocks(), "{}: '{}' lies beyond the file's checksums", file_.path(), dataset);
  require_whole(compare(first, last, [](std::size_t) { return true; }), "values of '" + dataset + "'");
}

void CheckedFile::require_all() { require_whole(damaged_blocks(), "bytes"); }

std::string places(const ChecksumTable& table, const std::vector<std::size_t>& blocks) {
  if (blocks.empty()) return "nowhere";
  const ByteRange first = table.bytes_of(blocks[0]);
  std::string text = fmt::format("bytes {} to {}", first.begin, first.end - 1);
  if (blocks.size() > 1) text += fmt::format(" and {} more block{}", blocks.size() - 1, blocks.size() > 2 ? "s" : "");
  return text;
}

}  // namespace amacrine::io::detail
