// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <memory>
#include <optional>
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

/// What a status file says.
struct RunState {
  enum class Life { ended, alive, gone, elsewhere };
  std::string state, study_hash, host, job, since, updated, reason;
  std::int64_t pid = 0;
  std::string progress;     ///< "40 % of 716800 windows", empty where it is not known
  Life life = Life::ended;  ///< of one that says "running": its process as seen from this host
};
/// Local. Nothing where there is no such file, or it is not one.
std::optional<RunState> read_status(const std::string& folder, const std::string& verb);

/// "FOLDER/VERB.status.json".
std::string status_path(const std::string& folder, const std::string& verb);

}  // namespace amacrine::io
