// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raw_file.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Checksums of a file's blocks, kept behind the last byte that HDF5 knows of: they are compared before HDF5 sees a byte, and
/// every HDF5 program reads the file as if they were not there.
///
///   begin mark    16 bytes
///   checksums     16 bytes for each block: XXH3-128, most significant byte first
///   contents       1 byte for each block: 1 where it holds nothing but values of variables, 0 where HDF5's structures are in it
///   record        64 bytes: HDF5's bytes (u64), blocks (u64), format (u32), bytes of a block (u32), 8 zeros, XXH3-128 of
///                 everything from the begin mark to here (16 bytes), end mark (16 bytes)
///
/// Integers are little endian. The last block may be shorter than the others.
namespace amacrine::io::detail {

using Checksum = std::array<std::uint8_t, 16>;

/// Bytes of a block: small enough to tell the datasets of a model apart, and to check a few rows of a large file without reading
/// the rest; the table takes 0.4 % of a small file and 0.03 % of a large one.
constexpr std::uint32_t block_bytes_for(std::uint64_t data_bytes) { return data_bytes <= (1U << 26) ? 1U << 12 : 1U << 16; }

struct ChecksumTable {
  std::uint64_t data_bytes = 0;  ///< that HDF5 knows of; blocks are counted from the file's beginning, the last may be shorter
  std::uint32_t block_bytes = 0;
  std::vector<Checksum> checksums;        ///< of every block
  std::vector<std::uint8_t> only_values;  ///< 1 where a block holds nothing but values of variables

  std::size_t blocks() const { return checksums.size(); }
  ByteRange bytes_of(std::size_t block) const;
};

std::size_t block_count(std::uint64_t data_bytes, std::uint32_t block_bytes);
/// Bytes of a table of so many blocks.
std::uint64_t table_bytes(std::size_t blocks);
/// Bytes of the table that this program adds to a file of `data_bytes`.
std::uint64_t added_bytes(std::uint64_t data_bytes);
/// 1 for every block that lies in one of the `values`, or in several that touch.
std::vector<std::uint8_t> blocks_of_values(std::uint64_t data_bytes, std::uint32_t block_bytes, std::vector<ByteRange> values);

/// Checksums of the blocks [first, last) of the first `data_bytes` of a file.
std::vector<Checksum> checksums_of(const RawFile& file, std::uint64_t data_bytes, std::uint32_t block_bytes, std::size_t first,
                                   std::size_t last);

std::vector<std::uint8_t> encode(const ChecksumTable& table);
/// The table at the end of a file; nothing where the file has none and looks as if it never had. Throws InputError where the
/// table is damaged, cut short, or of a format this program does not know.
std::optional<ChecksumTable> find_table(const RawFile& file);

/// Where the file's HDF5 superblock says that HDF5's bytes end; nothing where it is none of ours (version 2 or 3, offset 0).
std::optional<std::uint64_t> end_of_hdf5(const RawFile& file);

}  // namespace amacrine::io::detail
