// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hdf5.hpp"

#include <string>

/// Why HDF5 cannot read something, in the words of a user.
namespace amacrine::io::detail {

/// Whether there is an object at `name`. Throws InputError naming link and target where a link on its way leads nowhere.
bool exists(hid_t file, const std::string& path, const std::string& name);

/// The filters of a dataset that this HDF5 has not, as "'lzf' (32000)"; empty where it has all.
std::string missing_filters(hid_t dataset);

/// The source files of a virtual dataset with these properties, as it names them; empty for any other dataset.
std::vector<std::string> virtual_sources(hid_t properties);

/// Throws InputError naming the first source file of a virtual dataset that is not there: HDF5 reads its fill value in silence.
/// Sources are looked for beside the file at `path`.
void require_sources(hid_t dataset, const std::string& path, const std::string& name);

}  // namespace amacrine::io::detail
