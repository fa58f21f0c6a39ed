// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

/// Bytes of a file as they lie there, without HDF5.
namespace amacrine::io::detail {

/// Bytes [begin, end) of a file.
struct ByteRange {
  std::uint64_t begin = 0, end = 0;
};

/// A file opened for reading. Its size is taken once, at opening.
class RawFile {
 public:
  /// Throws InputError with the system's reason.
  explicit RawFile(std::string path);
  ~RawFile();
  RawFile(RawFile&& other) noexcept;
  RawFile& operator=(RawFile&& other) noexcept;
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  /// Fills `to` with the bytes from `at` on. Throws InputError where they cannot be had.
  void read(std::uint64_t at, std::span<std::uint8_t> to) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Adds `bytes` to the end of an existing file. Throws RefusedError where there is no room, core::Error for another reason.
void append(const std::string& path, std::span<const std::uint8_t> bytes);

}  // namespace amacrine::io::detail
