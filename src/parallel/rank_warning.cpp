// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/environment.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace amacrine::parallel {
namespace {

/// A variable of the batch system; 0 where there is none.
long number_of(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

}  // namespace

std::string rank_warning(int ranks) {
  // mpirun sets the first: whoever gives it a number of ranks means it.
  if (ranks > 1 || std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr) return {};
  if (const long started = number_of("SLURM_STEP_NUM_TASKS"); started > 1)
    return number_of("SLURM_PROCID") > 0
               ? std::string()
               : fmt::format(
                     "srun has started {} processes, and each is an MPI job of one rank, so that all do the same work: srun "
                     "and this MPI library do not share an interface. Start with mpirun, or with an `srun --mpi=TYPE` "
                     "that the library was built for (`srun --mpi=list` names those of srun)",
                     started);
  if (const long reserved = number_of("SLURM_NTASKS"); reserved > 1)
    return fmt::format("the job has {} tasks and this is one rank of one: start with mpirun or srun to use them all", reserved);
  return {};
}

}  // namespace amacrine::parallel
