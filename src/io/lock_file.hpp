// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "holder.hpp"

#include <optional>
#include <string>

/// Lock files: one at PATH.lock, whose contents name the holder. Made by link(2), so that it appears at once and whole, and to
/// one process only, on local file systems, NFS and Lustre alike; where there are no hard links, by open(2) with O_EXCL.
///
/// A dead holder's lock is taken over in two steps: link(2) of PATH.lock.after-ID, where ID is the dead holder's, which only one
/// process ever brings about; then rename(2) of that file to PATH.lock. Whoever dies between the two steps is the holder at the
/// end of the chain PATH.lock, PATH.lock.after-ID, ..., and is taken over in the same way. An ID is never used again, so that
/// what a slow process has read of an earlier holder cannot touch a later one.
namespace amacrine::io::detail {

/// Takes the lock at `file` for `mine`, which has a fresh id. Returns the proof where the lock was a dead holder's, else nothing.
/// Throws RefusedError naming the holder or what keeps the file from being written.
std::string take_lock(const std::string& file, const Holder& mine, bool takeover);
/// Refuses what take_lock would refuse, and makes nothing.
void check_lock(const std::string& file, const Holder& mine, bool takeover);
/// Removes the lock where it is still that of `id`.
void give_lock(const std::string& file, const std::string& id);
/// Who holds the lock at `file`; nothing where nobody does. A file that cannot be understood gives a holder without an id.
std::optional<Holder> holder_of(const std::string& file);

/// Second half of a takeover: `mine` has made `claim`. False, and the claim is given back, where it is not the end of the chain,
/// since the lock was given back or taken in between.
bool succeed(const std::string& file, const std::string& claim, const Holder& mine);

/// Makes `file` with the contents of `prepared`; false where it exists. For tests `hard_links` can be switched off.
bool place(const std::string& prepared, const std::string& file, bool hard_links = true);

}  // namespace amacrine::io::detail
