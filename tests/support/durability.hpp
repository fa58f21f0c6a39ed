// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <climits>

/// Which files a program makes durable, and when it renames them: fsync, fdatasync and rename of the whole test program are
/// caught here and passed on to the system. To be included by one source of a test program.
namespace amacrine::test {

struct FileEvent {
  enum Kind { synced, renamed } kind;
  std::string path;  ///< what was synced, or the old name
  std::string to;    ///< the new name
};

inline std::vector<FileEvent>& file_events() {
  static std::vector<FileEvent> events;
  return events;
}

inline std::string absolute(const std::string& path) {
  char text[PATH_MAX] = {};
  return realpath(path.c_str(), text) != nullptr ? text : path;
}

inline void note_sync(int file) {
  char path[PATH_MAX] = {};
  if (readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path, sizeof path - 1) > 0)
    file_events().push_back({FileEvent::synced, path, {}});
}

/// Whether the last rename to `path` came after a sync of the file's old name and before one of its folder: without the first a
/// crash leaves an empty file of the final name, without the second perhaps none.
inline std::pair<bool, bool> made_durable(const std::string& path) {
  const auto& events = file_events();
  const std::string name = absolute(path), folder = name.substr(0, name.rfind('/'));
  const auto rename = std::find_if(events.rbegin(), events.rend(),
                                   [&](const FileEvent& e) { return e.kind == FileEvent::renamed && e.to == name; });
  if (rename == events.rend()) return {false, false};
  const auto synced = [&](const std::string& what) {
    return [&, what](const FileEvent& e) { return e.kind == FileEvent::synced && e.path == what; };
  };
  return {std::any_of(rename, events.rend(), synced(rename->path)), std::any_of(events.rbegin(), rename, synced(folder))};
}

}  // namespace amacrine::test

extern "C" {

int fsync(int file) {
  amacrine::test::note_sync(file);
  return static_cast<int>(syscall(SYS_fsync, file));
}

int fdatasync(int file) {
  amacrine::test::note_sync(file);
  return static_cast<int>(syscall(SYS_fdatasync, file));
}

int rename(const char* from, const char* to) noexcept {
  const std::string old_name = amacrine::test::absolute(from);
  const int status = static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
  if (status == 0)
    amacrine::test::file_events().push_back({amacrine::test::FileEvent::renamed, old_name, amacrine::test::absolute(to)});
  return status;
}

}  // extern "C"
