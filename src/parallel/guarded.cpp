// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/environment.hpp"
#include "amacrine/parallel/stop.hpp"
#include "check.hpp"
#include "outcome.hpp"

#include <cstdio>
#include <string>
#include <vector>

#include <mpi.h>

namespace amacrine::parallel {
namespace {

using detail::Outcome;

void speak(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", text.c_str());
  std::fflush(stderr);
}

/// What rank 0 says of the faults: one message where all ranks failed alike, otherwise each with its rank.
void report(const std::vector<Outcome>& all) {
  bool alike = true;
  for (const Outcome& outcome : all) alike = alike && outcome.message == all[0].message;
  if (alike) {
    if (!all[0].message.empty()) speak(all[0].told(""));
    return;
  }
  for (std::size_t r = 0; r < all.size(); ++r)
    if (!all[r].message.empty()) speak(all[r].told(" on rank " + std::to_string(r)));
}

}  // namespace

int run_guarded(const std::function<int()>& body, const std::function<void(int, const std::string&)>& ended) {
  const Outcome mine = detail::run(body);
  const auto tell = [&](const Outcome& outcome) {
    if (ended) ended(outcome.code, outcome.message);
  };
  MPI_Comm comm = guard_communicator();
  if (comm == MPI_COMM_NULL) {
    if (!mine.message.empty()) speak(mine.told(""));
    tell(mine);
    return mine.code;
  }
  int rank = 0, ranks = 1;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &ranks);
  if (!detail::all_arrive(comm, mine)) {
    speak(mine.told(" on rank " + std::to_string(rank) + " of " + std::to_string(ranks)));
    tell(mine);
    MPI_Abort(comm, mine.code == 0 ? 1 : mine.code);
  }
  const std::vector<Outcome> all = detail::gather_outcomes(comm, mine, ranks);
  const Outcome outcome = detail::agreed(all);
  if (rank == 0) {
    report(all);
    tell(outcome);
  }
  work_ended(outcome.code);
  return outcome.code;
}

}  // namespace amacrine::parallel
