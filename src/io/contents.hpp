// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"

#include <string>
#include <vector>

namespace amacrine::io::detail {

/// Checksum of the values of an HDF5 file: of the datasets named, or in the groups named, and of the attributes of the root group
/// and of what was named, except those on how the file was made. Names that are not there are left out.
std::string contents_checksum(const Reader& reader, const std::vector<std::string>& names);

}  // namespace amacrine::io::detail
