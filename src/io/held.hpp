// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/lock.hpp"

#include <string>

/// The locks this process holds, for those who write outputs.
namespace amacrine::io::detail {

std::string lock_file_of(const std::string& path);
/// Throws core::Error where this process took the lock of `path` and it is somebody else's now. Outputs of which it never took
/// the lock pass.
void require_lock(const std::string& path);
/// Local. Removes the lock and the journal of a run that died after its output was whole; nobody needs them again. Leaves what
/// may be a living run's.
void remove_dead_lock(const std::string& path, const LockRequest& request);

}  // namespace amacrine::io::detail
