// SPDX-License-Identifier: Apache-2.0
#include "raw_file.hpp"

#include "amacrine/core/errors.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace amacrine::io::detail {

RawFile::RawFile(std::string path) : path_(std::move(path)), descriptor_(open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat info {};
  if (descriptor_ >= 0 && fstat(descriptor_, &info) == 0) {
    size_ = static_cast<std::uint64_t>(info.st_size);
    return;
  }
  const int reason = errno;
  if (descriptor_ >= 0) close(descriptor_);
  core::fail<core::InputError>("{}: cannot be read: {}", path_, std::strerror(reason));
}

RawFile::~RawFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

RawFile::RawFile(RawFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

RawFile& RawFile::operator=(RawFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

void RawFile::read(std::uint64_t at, std::span<std::uint8_t> to) const {
  while (!to.empty()) {
    const ssize_t got = pread(descriptor_, to.data(), to.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    core::require<core::InputError>(got > 0, "{}: cannot be read at byte {}: {}", path_, at,
                                    got < 0 ? std::strerror(errno) : "the file became shorter while it was read");
    to = to.subspan(static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
}

void append(const std::string& path, std::span<const std::uint8_t> bytes) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  int reason = descriptor < 0 ? errno : 0;
  while (reason == 0 && !bytes.empty()) {
    const ssize_t done = write(descriptor, bytes.data(), bytes.size());
    if (done >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(done));
    } else if (errno != EINTR) {
      reason = errno;
    }
  }
  if (descriptor >= 0 && close(descriptor) != 0 && reason == 0) reason = errno;
  core::require<core::RefusedError>(reason != ENOSPC && reason != EDQUOT, "{}: no room for its checksums: {}", path,
                                    std::strerror(reason));
  core::require(reason == 0, "{}: writing its checksums failed: {}", path, std::strerror(reason));
}

}  // namespace amacrine::io::detail
