// SPDX-License-Identifier: Apache-2.0
#include "in_use.hpp"

#include "amacrine/io/result_file.hpp"
#include "held.hpp"
#include "lock_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace amacrine::io::detail {
namespace {

[[noreturn]] void fail_in_use(const std::string& path) {
  core::fail<InUseError>("{} is in use: another program has it open for writing. Wait until it is closed there, then start again",
                         path);
}

}  // namespace

void require_not_in_use(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;  // HDF5 will say why
  const bool locked = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  if (locked) fail_in_use(path);
}

void require_not_in_the_making(const std::string& path) {
  const auto holder = holder_of(lock_file_of(path));
  if (!holder || !proof_of_end(*holder, this_process(), false).empty()) return;
  core::fail<InUseError>("{} is in use: it is being made by {}. Wait until that run has finished", path, describe(*holder));
}

void require_closed(const std::string& path, const std::string& reason) {
  if (reason.find("unable to lock file") != std::string::npos) fail_in_use(path);
  if (reason.find("already open for") == std::string::npos) return;
  core::fail<InUseError>(
      "{} is in use: it is marked as open for writing. Wait until the other program has closed it; if that program crashed, "
      "`h5clear --status {}` takes the mark away",
      path, path);
}

}  // namespace amacrine::io::detail
