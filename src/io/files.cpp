// SPDX-License-Identifier: Apache-2.0
#include "files.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace amacrine::io::detail {
namespace {

/// A file descriptor that closes itself.
struct Descriptor {
  explicit Descriptor(const std::string& path, int flags) : value(open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    core::require(value >= 0, "{}: cannot be opened: {}", path, std::strerror(errno));
  }
  ~Descriptor() { close(value); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value;
};

void make_durable(const std::string& path, int flags) {
  const Descriptor file(path, flags);
  core::require(fsync(file.value) == 0 || errno == EINVAL, "{}: could not be made durable: {}", path, std::strerror(errno));
}

}  // namespace

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

FileIdentity identity_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {static_cast<std::uint64_t>(info.st_dev), static_cast<std::uint64_t>(info.st_ino)};
}

void make_folder(const std::string& path) {
  const std::string folder = folder_of(path);
  std::error_code fault;
  std::filesystem::create_directories(folder, fault);
  core::require<core::RefusedError>(std::filesystem::is_directory(folder), "{}: the folder cannot be made: {}", folder,
                                    fault.message());
}

void require_space(const std::string& path, std::uint64_t bytes) {
  std::string folder = folder_of(path);
  while (!std::filesystem::exists(folder) && folder != folder_of(folder)) folder = folder_of(folder);
  struct statvfs info {};
  core::require(statvfs(folder.c_str(), &info) == 0, "{}: the free space cannot be found: {}", folder, std::strerror(errno));
  const double free = static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize);
  core::require<core::RefusedError>(static_cast<double>(bytes) <= free,
                                    "{}: needs {} ({} bytes) but {} has {} ({:.0f} bytes) free", path,
                                    core::human_bytes(static_cast<double>(bytes)), bytes, folder, core::human_bytes(free), free);
}

void reserve_blocks(const std::string& path) {
  const Descriptor file(path, O_RDWR);
  struct stat info {};
  core::require(fstat(file.value, &info) == 0, "{}: {}", path, std::strerror(errno));
  if (info.st_size == 0) return;
  // Not posix_fallocate: where the file system cannot reserve, that would write every block.
  const int status = fallocate(file.value, 0, 0, info.st_size);
  core::require<core::RefusedError>(status == 0 || (errno != ENOSPC && errno != EDQUOT && errno != EFBIG),
                                    "{}: no room for {}: {}", path, core::human_bytes(static_cast<double>(info.st_size)),
                                    std::strerror(errno));
}

void write_all(int file, const std::string& bytes, const std::string& path) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(file, bytes.data() + done, bytes.size() - done);
    core::require(count >= 0 || errno == EINTR, "{}: cannot be written: {}", path, std::strerror(errno));
    done += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
}

void write_file(const std::string& path, const std::string& contents) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  write_all(file.value, contents, path);
}

void make_durable(const std::string& path) { make_durable(path, O_RDWR); }

void publish(const std::string& from, const std::string& to) {
  make_durable(from, O_RDWR);
  core::require(std::rename(from.c_str(), to.c_str()) == 0, "{}: cannot be renamed to {}: {}", from, to, std::strerror(errno));
  make_durable(folder_of(to), O_RDONLY | O_DIRECTORY);
}

}  // namespace amacrine::io::detail
