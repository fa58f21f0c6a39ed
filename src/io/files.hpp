// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

/// The file system, as far as crash safety needs it.
namespace amacrine::io::detail {

/// The folder that holds `path`.
std::string folder_of(const std::string& path);
/// Which file a path leads to, whatever its name: device and number, zeros where there is none.
struct FileIdentity {
  std::uint64_t device = 0, number = 0;
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity identity_of(const std::string& path);
/// Makes the folder of `path`. Throws RefusedError where it cannot.
void make_folder(const std::string& path);
/// Refuses (RefusedError, both figures) where the folder of `path`, or the nearest above it that exists, has less than `bytes`
/// free.
void require_space(const std::string& path, std::uint64_t bytes);
/// Reserves the blocks of a file, so that a full disk shows now and not hours later. Throws RefusedError.
void reserve_blocks(const std::string& path);
/// Writes all bytes to an open file, whose name `path` is for messages. Throws core::Error.
void write_all(int file, const std::string& bytes, const std::string& path);
/// Makes a file of these contents, in place of one that is there. Not durable yet. Throws core::Error.
void write_file(const std::string& path, const std::string& contents);
/// Makes the contents of a file durable. Throws core::Error.
void make_durable(const std::string& path);
/// Makes the contents of `from` durable, then renames it to `to`, durably.
void publish(const std::string& from, const std::string& to);

}  // namespace amacrine::io::detail
