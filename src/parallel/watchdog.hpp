// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace amacrine::parallel {

/// Ends a rank that stands still: one that was stopped (SIGSTOP) or hangs in the system, while the others wait for it. A child
/// process, made before MPI starts, waits for a sign of life that the rank's timer gives every two seconds; after
/// AMACRINE_WATCHDOG_S seconds (300 by default, 0: never) without one it names the rank and kills it, upon which mpirun or srun
/// ends the job. Time in which the child does not run either (a job that is suspended as a whole) does not count.
class Watchdog {
 public:
  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  /// From now on, as this rank of so many. One rank alone is not watched: nobody waits for it.
  void watch(int rank, int ranks);

 private:
  void let_go();

  int signs_ = -1;  ///< where signs of life go; -1: nowhere
  int child_ = -1;
};

}  // namespace amacrine::parallel
