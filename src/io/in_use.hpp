// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

/// Whether somebody is writing a file that is to be read: such a file is in use, not damaged.
namespace amacrine::io::detail {

/// Throws InUseError where another process holds an exclusive flock(2) on the file, as HDF5 does while it writes; whether this
/// process' HDF5 looks at locks (HDF5_USE_FILE_LOCKING) does not matter.
void require_not_in_use(const std::string& path);
/// Throws InUseError where `path` is not there yet, since a run holds its lock.
void require_not_in_the_making(const std::string& path);
/// Throws InUseError where HDF5's reason for not opening a file is that it is open elsewhere, or was not closed.
void require_closed(const std::string& path, const std::string& reason);

}  // namespace amacrine::io::detail
