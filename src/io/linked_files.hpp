// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace amacrine::io::detail {

/// The other files from which an HDF5 file takes its contents: targets of external links, sources of virtual datasets and files
/// of external storage, theirs included; each once, in a fixed order, those that are not there left out. Empty for other files,
/// and for files of ours, which have none. Throws InputError where HDF5 cannot read a file.
std::vector<std::string> linked_files(const std::string& path);

}  // namespace amacrine::io::detail
