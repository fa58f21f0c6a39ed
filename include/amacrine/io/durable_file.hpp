// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

/// Small files that are there whole or not at all.
namespace amacrine::io {

/// Replaces `path` with `contents`: temporary file PATH.RUN.partial with the run's id, fsync, rename, fsync of the folder. With
/// `keep_previous` the old file stays as PATH.previous. Throws core::Error with the system's reason.
void replace_file(const std::string& path, const std::string& contents, bool keep_previous = false);

/// Removes what runs that died in replace_file have left beside `path`. For the holder of the output's lock.
void remove_leftovers(const std::string& path);

}  // namespace amacrine::io
