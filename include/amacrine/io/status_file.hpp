// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <memory>
#include <string>

namespace amacrine::io {

/// How a verb that was started last in an output folder is doing: FOLDER/VERB.status.json (docs/results/status.md), for scripts,
/// to which mpirun does not hand on exit codes. Written whole or not at all (temporary file, fsync, rename); a file that cannot
/// be written is no fault of the run. States: running, stopped (exit code 75), finished (0), failed (all others).
class StatusFile {
 public:
  struct Facts {
    std::string verb, study_file, study_hash;
  };
  /// Collective. Rank 0 says "running" from now on, with the progress of the verb (core::Progress) every few seconds, and
  /// "stopped" where the process is ended after a stop request (parallel/stop.hpp). Writes nothing where the file says that
  /// another run is at work, on this host with a live process, or on another.
  StatusFile(const parallel::Communicator& communicator, const std::string& folder, Facts facts);
  ~StatusFile();
  StatusFile(const StatusFile&) = delete;
  StatusFile& operator=(const StatusFile&) = delete;

  /// Collective: the output is this run's for certain (its lock is held), whatever the file says of others.
  void take();
  /// Local, by one rank, once: what the run ended with. Where another run is at work, nothing. `reason`: empty for 0.
  void end(int exit_code, const std::string& reason);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "FOLDER/VERB.status.json".
std::string status_path(const std::string& folder, const std::string& verb);

}  // namespace amacrine::io
