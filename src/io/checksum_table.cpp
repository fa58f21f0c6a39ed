// SPDX-License-Identifier: Apache-2.0
#include "checksum_table.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>

// Compiled here for this machine's vectors; the system's library is built for any machine and takes twice as long.
#define XXH_INLINE_ALL
#ifdef __AVX2__
#define XXH_VECTOR 2  // AVX2 where AVX-512 is there, too: GCC 12 warns of its own header's AVX-512
#endif
#include <xxhash.h>

namespace amacrine::io::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "the table's integers are copied as they lie in memory");

constexpr std::string_view begin_mark = "amacrine:blocks\n", end_mark = "amacrine:checks\n";
constexpr std::uint32_t table_format = 1;

/// The table's last 64 bytes.
struct Record {
  std::uint64_t data_bytes, blocks;
  std::uint32_t format, block_bytes;
  std::uint64_t reserved;
  Checksum checksum;
  std::array<char, 16> mark;
};
static_assert(sizeof(Record) == 64 && begin_mark.size() == 16 && end_mark.size() == 16);

/// Bytes of the record that its checksum covers.
constexpr std::size_t covered = offsetof(Record, checksum);

/// Bytes read at once when blocks are compared: they should be in the cache still when their checksum is computed.
constexpr std::size_t bytes_at_once = std::size_t{1} << 18;

Checksum checksum_of(std::span<const std::uint8_t> bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  Checksum out;
  static_assert(sizeof canonical.digest == sizeof out);
  std::memcpy(out.data(), canonical.digest, out.size());
  return out;
}

bool marked(const RawFile& file, std::uint64_t at, std::string_view mark) {
  if (at > file.size() || file.size() - at < mark.size()) return false;
  std::array<std::uint8_t, 16> found{};
  file.read(at, found);
  return std::memcmp(found.data(), mark.data(), mark.size()) == 0;
}

Record read_record(const RawFile& file) {
  Record record{};
  std::array<std::uint8_t, sizeof record> bytes{};
  file.read(file.size() - bytes.size(), bytes);
  std::memcpy(&record, bytes.data(), bytes.size());
  return record;
}

/// Whether the figures of a record fit each other and the file; nothing may be allocated by them before.
bool fits(const Record& record, std::uint64_t file_bytes) {
  return record.block_bytes >= 512 && record.data_bytes < file_bytes &&
         record.blocks == block_count(record.data_bytes, record.block_bytes) &&
         file_bytes - record.data_bytes == table_bytes(record.blocks);
}

[[noreturn]] void fail_table(const RawFile& file, const char* reason) {
  core::fail<core::InputError>(
      "{}: is damaged: the checksums at its end {}; copy it again, or make it again (the verb that made it with --overwrite)",
      file.path(), reason);
}

ChecksumTable read_table(const RawFile& file) {
  const Record record = read_record(file);
  if (!fits(record, file.size())) fail_table(file, "do not fit the file");
  std::vector<std::uint8_t> bytes(file.size() - record.data_bytes);
  file.read(record.data_bytes, bytes);
  if (checksum_of({bytes.data(), bytes.size() - sizeof record + covered}) != record.checksum ||
      std::memcmp(bytes.data(), begin_mark.data(), begin_mark.size()) != 0)
    fail_table(file, "are not what was written");
  core::require<core::InputError>(
      record.format == table_format,
      "{}: its checksums are in format {}, and this program reads format {}; use the program that made it", file.path(),
      record.format, table_format);
  ChecksumTable table{record.data_bytes, record.block_bytes, std::vector<Checksum>(record.blocks), {}};
  const std::uint8_t* at = bytes.data() + begin_mark.size();
  std::memcpy(table.checksums.data(), at, record.blocks * sizeof(Checksum));
  at += record.blocks * sizeof(Checksum);
  table.only_values.assign(at, at + record.blocks);
  return table;
}

}  // namespace

ByteRange ChecksumTable::bytes_of(std::size_t block) const {
  const std::uint64_t begin = std::uint64_t{block} * block_bytes;
  return {begin, std::min(begin + block_bytes, data_bytes)};
}

std::size_t block_count(std::uint64_t data_bytes, std::uint32_t block_bytes) {
  return static_cast<std::size_t>(data_bytes / block_bytes + (data_bytes % block_bytes != 0 ? 1 : 0));
}

std::uint64_t table_bytes(std::size_t blocks) { return begin_mark.size() + blocks * (sizeof(Checksum) + 1) + sizeof(Record); }

std::uint64_t added_bytes(std::uint64_t data_bytes) { return table_bytes(block_count(data_bytes, block_bytes_for(data_bytes))); }

std::vector<std::uint8_t> blocks_of_values(std::uint64_t data_bytes, std::uint32_t block_bytes, std::vector<ByteRange> values) {
  std::sort(values.begin(), values.end(), [](const ByteRange& a, const ByteRange& b) { return a.begin < b.begin; });
  std::vector<ByteRange> joined;
  for (const ByteRange& range : values) {
    if (!joined.empty() && range.begin <= joined.back().end)
      joined.back().end = std::max(joined.back().end, range.end);
    else
      joined.push_back(range);
  }
  std::vector<std::uint8_t> only(block_count(data_bytes, block_bytes), 0);
  for (const ByteRange& range : joined) {
    const std::uint64_t first = (range.begin + block_bytes - 1) / block_bytes;
    const std::uint64_t last = range.end >= data_bytes ? only.size() : range.end / block_bytes;
    for (std::uint64_t block = first; block < last; ++block) only[block] = 1;
  }
  return only;
}

std::vector<Checksum> checksums_of(const RawFile& file, std::uint64_t data_bytes, std::uint32_t block_bytes, std::size_t first,
                                   std::size_t last) {
  const std::size_t together = std::max<std::size_t>(1, bytes_at_once / block_bytes);
  std::vector<std::uint8_t> bytes;
  std::vector<Checksum> out;
  out.reserve(last - first);
  for (; first < last; first += together) {
    const std::uint64_t begin = std::uint64_t{first} * block_bytes;
    const std::uint64_t end = std::min<std::uint64_t>(std::uint64_t{std::min(first + together, last)} * block_bytes, data_bytes);
    bytes.resize(end - begin);
    file.read(begin, bytes);
    for (std::size_t at = 0; at < bytes.size(); at += block_bytes)
      out.push_back(checksum_of({bytes.data() + at, std::min<std::size_t>(block_bytes, bytes.size() - at)}));
  }
  return out;
}

std::vector<std::uint8_t> encode(const ChecksumTable& table) {
  std::vector<std::uint8_t> bytes(table_bytes(table.blocks()));
  std::uint8_t* at = bytes.data();
  const auto add = [&at](const void* from, std::size_t size) {
    at = static_cast<std::uint8_t*>(std::memcpy(at, from, size)) + size;
  };
  add(begin_mark.data(), begin_mark.size());
  add(table.checksums.data(), table.blocks() * sizeof(Checksum));
  add(table.only_values.data(), table.blocks());
  Record record{table.data_bytes, table.blocks(), table_format, table.block_bytes, 0, {}, {}};
  std::memcpy(record.mark.data(), end_mark.data(), end_mark.size());
  std::memcpy(at, &record, covered);
  record.checksum = checksum_of({bytes.data(), bytes.size() - sizeof record + covered});
  add(&record, sizeof record);
  return bytes;
}

std::optional<ChecksumTable> find_table(const RawFile& file) {
  const bool ends = file.size() >= sizeof(Record) && marked(file, file.size() - end_mark.size(), end_mark);
  if (ends) return read_table(file);
  // The end is not there. Either there never was a table, or it is damaged: a mark, or the very size, betrays that there was one.
  const std::optional<std::uint64_t> hdf5 = end_of_hdf5(file);
  if (hdf5 && *hdf5 < file.size() && (marked(file, *hdf5, begin_mark) || file.size() - *hdf5 == added_bytes(*hdf5)))
    fail_table(file, "are cut short or overwritten");
  return std::nullopt;
}

std::optional<std::uint64_t> end_of_hdf5(const RawFile& file) {
  constexpr std::array<std::uint8_t, 8> signature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  // Signature, version, size of offsets, size of lengths, flags; then base, extension and end of file, 8 bytes each.
  std::array<std::uint8_t, 48> block{};
  if (file.size() < block.size()) return std::nullopt;
  file.read(0, block);
  if (!std::equal(signature.begin(), signature.end(), block.begin())) return std::nullopt;
  if (block[8] < 2 || block[8] > 3 || block[9] != 8) return std::nullopt;
  std::uint64_t end = 0;
  std::memcpy(&end, block.data() + 28, sizeof end);
  return end;
}

}  // namespace amacrine::io::detail
