// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/environment.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/stop.hpp"
#include "check.hpp"
#include "watchdog.hpp"

#include <cstdlib>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <Kokkos_Core.hpp>
#include <mpi.h>

namespace amacrine::parallel {
namespace {

/// Set before MPI and Kokkos start; what the user has set stays.
void prepare_process() {
  // Kokkos would advise on OMP_PROC_BIND in every rank's output.
  setenv("KOKKOS_DISABLE_WARNINGS", "true", 0);
  // Open MPI's "vulcan" collective writer has lost data under parallel HDF5 (open-mpi/ompi issue 12718).
  setenv("OMPI_MCA_fcoll", "^vulcan", 0);
  // Network file systems often refuse locks; a result has one writing job, so a lock is wanted but not needed.
  setenv("HDF5_USE_FILE_LOCKING", "BEST_EFFORT", 0);
}

/// Kokkos gets its own arguments only (--kokkos-...), and they are taken out of the command line: given all of them it would
/// answer --help with a page about itself.
void start_kokkos(int& argc, char** argv) {
  std::vector<char*> mine{argv[0]};
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]).starts_with("--kokkos-")) {
      mine.push_back(argv[i]);
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  int count = static_cast<int>(mine.size());
  mine.push_back(nullptr);
  Kokkos::initialize(count, mine.data());
}

}  // namespace

MPI_Comm& guard_communicator() {
  static MPI_Comm communicator = MPI_COMM_NULL;
  return communicator;
}

Environment::Environment(int& argc, char**& argv) {
  prepare_process();
  watchdog_ = std::make_unique<Watchdog>();
  int provided = 0;
  check(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  core::require(provided >= MPI_THREAD_FUNNELED,
                "this MPI library cannot be used with threads (MPI_THREAD_FUNNELED is not provided)");
  check(MPI_Comm_dup(MPI_COMM_WORLD, &guard_communicator()), "MPI_Comm_dup");
  int rank = 0;
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "MPI_Comm_rank");
  core::set_log_writer(rank == 0);
  set_stop_speaker(rank == 0);
  start_kokkos(argc, argv);
  int ranks = 1;
  check(MPI_Comm_size(MPI_COMM_WORLD, &ranks), "MPI_Comm_size");
  watchdog_->watch(rank, ranks);
}

Environment::~Environment() {
  if (Kokkos::is_initialized() && !Kokkos::is_finalized()) Kokkos::finalize();
  release_world();
  if (guard_communicator() != MPI_COMM_NULL) MPI_Comm_free(&guard_communicator());
  MPI_Finalize();
}

int thread_count() { return Kokkos::DefaultHostExecutionSpace().concurrency(); }

std::string device_name() { return Kokkos::DefaultExecutionSpace::name(); }

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? std::string(name) : std::string("unknown");
}

std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string full(text);
  return full.substr(0, full.find_first_of(",\n"));
}

}  // namespace amacrine::parallel
