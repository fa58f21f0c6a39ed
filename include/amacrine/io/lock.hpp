// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <memory>
#include <string>

namespace amacrine::io {

/// 16 hex digits that no other run has. Local: rank 0's is the run's, and is in every file the run makes (attribute run_id).
const std::string& run_id();

/// What a lock says of its holder, and how it may be taken.
struct LockRequest {
  std::string verb, study;  ///< verb and study file, for whoever is refused
  bool takeover = false;    ///< also accept proofs of a holder's death that a person asked for
  bool dry_run = false;     ///< refuse what the run would refuse, and make nothing
};

/// The right to write one output, exclusive over processes, studies, verbs and hosts: PATH.lock beside it, made by link(2). A
/// lock whose holder is provably dead is taken over. Rank 0's file and rank 0's life count for the whole job. docs/locks.md.
class OutputLock {
 public:
  /// Collective. Makes the folder of `path` where it is missing. Throws RefusedError where another run holds the lock, naming it,
  /// or where the folder cannot be written.
  OutputLock(const parallel::Communicator& communicator, const std::string& path, const LockRequest& request);
  /// Local: gives the lock back.
  ~OutputLock();
  OutputLock(OutputLock&&) noexcept;
  OutputLock& operator=(OutputLock&&) noexcept;

  /// Collective: throws core::Error where the lock is no longer this run's, since somebody removed it by hand.
  void require_held(const parallel::Communicator& communicator) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amacrine::io
