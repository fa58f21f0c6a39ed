// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"

#include <functional>
#include <string>
#include <vector>

#include <mpi.h>

/// How a body of work that all ranks of a communicator run came to its end on each.
namespace amacrine::parallel::detail {

struct Outcome {
  int code = 0;
  std::string message;  ///< empty where the body returned
  bool stopped() const { return code == static_cast<int>(core::ExitCode::run_again); }
  /// For people: a run that was stopped did nothing wrong.
  std::string told(const std::string& where) const { return (stopped() ? "" : "error" + where + ": ") + message; }
};

/// Local: runs the body and turns its exceptions into an outcome.
Outcome run(const std::function<int()>& body);
/// Whether all ranks came to their end, well or badly. A rank that failed waits for a short time only: the others may be
/// inside a collective call in which it is missing.
bool all_arrive(MPI_Comm comm, const Outcome& mine);
/// Collective. Every rank's outcome, in rank order.
std::vector<Outcome> gather_outcomes(MPI_Comm comm, const Outcome& mine, int ranks);
/// The outcome of the lowest rank that failed, or else that was stopped; else the largest code returned.
Outcome agreed(const std::vector<Outcome>& all);

}  // namespace amacrine::parallel::detail
