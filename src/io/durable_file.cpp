// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/durable_file.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/io/lock.hpp"
#include "files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace amacrine::io {
namespace {

/// The file at `path` under another name, where there is one; it stays under its own as well where links can be made.
void keep_as(const std::string& path, const std::string& previous) {
  if (::access(path.c_str(), F_OK) != 0) return;
  ::unlink(previous.c_str());
  core::require(::link(path.c_str(), previous.c_str()) == 0 || std::rename(path.c_str(), previous.c_str()) == 0,
                "{}: cannot be kept as {}: {}", path, previous, std::strerror(errno));
}

}  // namespace

void replace_file(const std::string& path, const std::string& contents, bool keep_previous) {
  const std::string temporary = path + "." + run_id() + ".partial";
  detail::write_file(temporary, contents);
  if (keep_previous) {
    detail::make_durable(temporary);  // before the old file may lose its name
    keep_as(path, path + ".previous");
  }
  detail::publish(temporary, path);
}

void remove_leftovers(const std::string& path) {
  const std::string beginning = std::filesystem::path(path).filename().string() + ".";
  std::error_code fault;
  for (const auto& entry : std::filesystem::directory_iterator(detail::folder_of(path), fault)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(beginning) && name.ends_with(".partial")) std::filesystem::remove(entry.path(), fault);
  }
}

}  // namespace amacrine::io
