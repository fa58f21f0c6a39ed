// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace amacrine::parallel {

class Watchdog;

/// MPI and Kokkos for the life of main(): initialises both, makes rank 0 the speaker, finalises both. One per process, made
/// after the StopListener. Where there are several ranks each has a watchdog (docs/stopping.md).
/// Without mpirun it is one rank.
class Environment {
 public:
  Environment(int& argc, char**& argv);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::unique_ptr<Watchdog> watchdog_;
};

/// Runs the body of a program and turns exceptions into exit codes. A core::Error prints its message once and returns its code
/// when every rank fails alike (checked collectively with a short timeout); where one rank fails alone, the message names the
/// rank and the whole job is aborted with that code: never a hang. `ended` is told code and message (empty where the body
/// returned) once: by rank 0, or by the rank that aborts the job.
int run_guarded(const std::function<int()>& body, const std::function<void(int, const std::string&)>& ended = {});

/// A warning where SLURM has started or reserved several tasks and this MPI job of `ranks` is one rank: that it is one of several
/// that do the same work, or that it leaves the others' cores idle. Empty where there is nothing to warn of, and on all processes
/// but the first of several.
std::string rank_warning(int ranks);

int thread_count();         ///< threads of the default execution space
std::string device_name();  ///< "OpenMP", "Serial", "Cuda"
std::string host_name();
std::string mpi_version();  ///< "Open MPI v4.1.4"

}  // namespace amacrine::parallel
