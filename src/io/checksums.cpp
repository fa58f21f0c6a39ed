// SPDX-License-Identifier: Apache-2.0
#include "checksums.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/io/file_check.hpp"
#include "amacrine/io/result_file.hpp"
#include "checked_file.hpp"
#include "hdf5.hpp"
#include "on_root.hpp"

#include <cstring>

namespace amacrine::io {
namespace detail {
namespace {

/// Collective: the checksums of all blocks, on every rank.
std::vector<Checksum> gather_checksums(const parallel::Communicator& communicator, const std::string& path,
                                       std::uint64_t data_bytes) {
  const std::uint32_t block_bytes = block_bytes_for(data_bytes);
  const parallel::Range mine = communicator.owned(block_count(data_bytes, block_bytes));
  std::vector<Checksum> own(mine.size());
  std::string fault;
  try {
    own = checksums_of(RawFile(path), data_bytes, block_bytes, mine.begin, mine.end);
  } catch (const core::Error& error) {
    fault = error.what();
  }
  if (communicator.any(!fault.empty()))
    core::fail("{}: its checksums cannot be made: {}", path, fault.empty() ? "another rank cannot read it" : fault);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(own.data());
  const std::vector<std::uint8_t> all = communicator.gather_all<std::uint8_t>({bytes, own.size() * sizeof(Checksum)});
  std::vector<Checksum> checksums(all.size() / sizeof(Checksum));
  if (!all.empty()) std::memcpy(checksums.data(), all.data(), all.size());
  return checksums;
}

}  // namespace

void add_checksums(const parallel::Communicator& communicator, const std::string& path, const std::vector<ByteRange>& values) {
  std::uint64_t data_bytes = 0;
  on_root(communicator, [&] {
    const RawFile file(path);
    data_bytes = file.size();
    core::require(end_of_hdf5(file) == data_bytes, "{}: HDF5 left {} bytes where its superblock says otherwise", path,
                  data_bytes);
  });
  communicator.broadcast(&data_bytes, sizeof data_bytes);
  std::vector<Checksum> checksums = gather_checksums(communicator, path, data_bytes);
  on_root(communicator, [&] {
    const std::uint32_t block_bytes = block_bytes_for(data_bytes);
    append(path, encode({data_bytes, block_bytes, std::move(checksums), blocks_of_values(data_bytes, block_bytes, values)}));
  });
}

}  // namespace detail

namespace {

/// The datasets below `group` of which a value lies in one of the blocks.
void collect_damaged(const Reader& reader, const std::string& group, const detail::ChecksumTable& table,
                     const std::vector<std::size_t>& blocks, std::vector<std::string>& names) {
  for (const std::string& name : reader.list(group.empty() ? "/" : group)) {
    const std::string path = group.empty() ? name : group + "/" + name;
    if (!reader.is_dataset(path)) {
      collect_damaged(reader, path, table, blocks, names);
      continue;
    }
    const auto [begin, end] = reader.extent(path);
    for (const std::size_t block : blocks) {
      const detail::ByteRange bytes = table.bytes_of(block);
      if (begin >= bytes.end || end <= bytes.begin) continue;
      names.push_back(path);
      break;
    }
  }
}

}  // namespace

FileCheck check_file(const std::string& path) {
  FileCheck check;
  try {
    std::optional<detail::CheckedFile> file = detail::CheckedFile::open(path);
    if (!file) {
      detail::start_hdf5();
      if (H5Fis_hdf5(path.c_str()) > 0) Reader(path, true);  // knows a file of ours that has lost its checksums
      return check;
    }
    const detail::ChecksumTable& table = file->table();
    check.state = FileCheck::State::verified;
    check.blocks = table.blocks(), check.block_bytes = table.block_bytes;
    check.damaged_blocks = file->damaged_blocks();
    if (check.damaged_blocks.empty()) return check;
    check.structures_whole = true;
    for (const std::size_t block : check.damaged_blocks)
      check.structures_whole = check.structures_whole && table.only_values[block] != 0;
    check.fault = fmt::format("is damaged: {} of {} blocks differ from what was written ({})", check.damaged_blocks.size(),
                              check.blocks, detail::places(table, check.damaged_blocks));
    if (check.structures_whole) collect_damaged(Reader(path, true), "", table, check.damaged_blocks, check.damaged_datasets);
  } catch (const core::InputError& error) {
    check.fault = error.what();
  }
  check.state = FileCheck::State::damaged;
  return check;
}

}  // namespace amacrine::io
