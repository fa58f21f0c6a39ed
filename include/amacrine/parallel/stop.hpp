// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <string>

/// Requests to end early: SIGINT, SIGTERM, SIGHUP, SIGUSR1, a limit of time, which comes as SIGXCPU, and a file. Handlers only
/// set a flag and start a timer; work looks at the flag between its steps and ends by an exception with exit code 75. Every
/// result is written so that a killed process leaves nothing half-written under a final name, so a process that has not ended by
/// itself when the timer runs out is ended by it, with the same exit code.
namespace amacrine::parallel {

/// Thrown by work that ends early because it was asked to.
struct Stopped : core::Error {
  explicit Stopped(const std::string& by)
      : core::Error("stopped by " + by + "; the same command goes on", core::ExitCode::run_again), signal(by) {}
  std::string signal;  ///< "SIGTERM"
};

/// Hears the signals for its life; the old handlers come back at its end. One at a time per process; made first in main().
/// A SIGHUP that is ignored (nohup) stays ignored.
class StopListener {
 public:
  StopListener();
  ~StopListener();
  StopListener(const StopListener&) = delete;
  StopListener& operator=(const StopListener&) = delete;
  /// At its end the signals become ignored instead: a process whose result stands is not killed on its last steps, with another
  /// exit code.
  void ignore_afterwards() { ignore_ = true; }

 private:
  bool ignore_ = false;
};

/// Asks this process to stop so many seconds from now. The last call counts; a time that is not finite asks for nothing.
void stop_after(double seconds);
/// Asks this process to stop once there is a file at `path`, which is looked for every two seconds where `looks`. Ranks that do
/// not look (all but one, so that a file system shared by thousands is left alone) can still name the file.
void stop_when_there(const std::string& path, bool looks);
/// Seconds until the batch system ends this job (SLURM_JOB_END_TIME, seconds since 1970), less `margin_s` to save in; infinite
/// outside of such a job, and where less than the margin is left.
double seconds_left_in_job(double margin_s = 60);

/// The program's work has ended, with this exit code: a signal that comes later, or was not looked at before, ends the process in
/// silence and with that code.
void work_ended(int code);

/// Local to this rank, and as cheap as reading a variable.
bool stop_asked();
/// "SIGTERM", "its limit of time", or "the file PATH (remove it)"; empty where nothing was asked. Local.
std::string stop_signal();
/// Collective: the same for all ranks, where any of them was asked.
std::string stop_signal(const Communicator& communicator);
/// Local: throws Stopped where this rank was asked to stop. For work that every rank does by itself; the job then ends.
void throw_if_stopped();
/// Collective: throws Stopped on all ranks where any was asked, since a signal may reach some ranks only.
void throw_if_stopped(const Communicator& communicator);

/// How long after a signal this process may go on before the timer ends it; `shortest_patience_s` without one of these. For work
/// that should reach its next step, where its progress is saved. A second signal ends the process at once (one that comes within
/// half a second counts as the first: a terminal and mpirun both send theirs).
constexpr double shortest_patience_s = 0.75;
class StopPatience {
 public:
  StopPatience();
  ~StopPatience();
  StopPatience(const StopPatience&) = delete;
  StopPatience& operator=(const StopPatience&) = delete;
  /// At least the shortest, and what an earlier one that still lives has set; for signals that come later.
  void set(double seconds);

 private:
  double before_s_;
};

/// What is still done when the timer or a second signal ends the process. It runs inside a signal handler: async-signal-safe
/// calls only. Null: nothing.
void set_last_act(void (*act)());
/// Whether this process says that it was stopped, when it is ended in this way (rank 0).
void set_stop_speaker(bool speaks);

}  // namespace amacrine::parallel
