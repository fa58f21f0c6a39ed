// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"

#include <mpi.h>

namespace amacrine::parallel {

/// The MPI communicator behind a Communicator. Only the io room (file access property lists) may include this header.
inline MPI_Comm mpi_handle(const Communicator& communicator) { return *static_cast<const MPI_Comm*>(communicator.handle()); }

}  // namespace amacrine::parallel
