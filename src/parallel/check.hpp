// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"

#include <mpi.h>

namespace amacrine::parallel {

/// Throws core::Error naming the call where an MPI function did not succeed.
inline void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  core::fail("{} failed: {}", call, static_cast<const char*>(text));
}

/// The communicator on which the ranks agree how the program ended (made by Environment); MPI_COMM_NULL without one.
MPI_Comm& guard_communicator();

/// Drops the world communicator kept by Communicator::world() (called by Environment before MPI_Finalize).
void release_world();

}  // namespace amacrine::parallel
