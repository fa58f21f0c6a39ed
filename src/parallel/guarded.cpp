// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/environment.hpp"
#include "amacrine/parallel/stop.hpp"
#include "check.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <mpi.h>

namespace amacrine::parallel {
namespace {

/// How long a rank that failed, or was stopped, waits for the others to come to their end too.
constexpr double patience_s = 3.0, stopped_patience_s = 0.4;

struct Outcome {
  int code = 0;
  std::string message;  ///< empty where the body returned
  bool stopped() const { return code == static_cast<int>(core::ExitCode::run_again); }
  /// For people: a run that was stopped did nothing wrong.
  std::string told(const std::string& where) const { return (stopped() ? "" : "error" + where + ": ") + message; }
};

Outcome failure(int code, const std::string& message) { return {code, message.empty() ? "an error without a message" : message}; }

Outcome run(const std::function<int()>& body) {
  constexpr int unnamed = static_cast<int>(core::ExitCode::failure);
  try {
    return {body(), {}};
  } catch (const core::Error& error) {
    return failure(static_cast<int>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return failure(unnamed, "out of memory");
  } catch (const std::exception& error) {
    return failure(unnamed, error.what());
  } catch (...) {
    return failure(unnamed, "an unknown exception");
  }
}

void speak(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", text.c_str());
  std::fflush(stderr);
}

/// Whether all ranks came to their end, well or badly. A rank that failed waits for a short time only: the others may be
/// inside a collective call in which it is missing.
bool all_arrive(MPI_Comm comm, const Outcome& mine) {
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Ibarrier(comm, &request) != MPI_SUCCESS) return false;
  const auto start = std::chrono::steady_clock::now();
  const double patience = mine.stopped() ? stopped_patience_s : patience_s;
  const bool threw = !mine.message.empty();
  while (true) {
    int done = 0;
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (done) return true;
    if (threw && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > patience) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::vector<Outcome> gather_outcomes(MPI_Comm comm, const Outcome& mine, int ranks) {
  std::vector<Outcome> all(static_cast<std::size_t>(ranks));
  for (int r = 0; r < ranks; ++r) {
    auto& outcome = all[static_cast<std::size_t>(r)];
    outcome = mine;
    int header[2] = {mine.code, static_cast<int>(mine.message.size())};
    check(MPI_Bcast(header, 2, MPI_INT, r, comm), "MPI_Bcast");
    outcome.code = header[0];
    outcome.message.resize(static_cast<std::size_t>(header[1]));
    check(MPI_Bcast(outcome.message.data(), header[1], MPI_CHAR, r, comm), "MPI_Bcast");
  }
  return all;
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

/// The outcome of the lowest rank that failed, or else that was stopped; else the largest code returned.
Outcome agreed(const std::vector<Outcome>& all) {
  for (const bool stopped : {false, true})
    for (const Outcome& outcome : all)
      if (!outcome.message.empty() && outcome.stopped() == stopped) return outcome;
  return *std::max_element(all.begin(), all.end(), [](const Outcome& a, const Outcome& b) { return a.code < b.code; });
}

}  // namespace

int run_guarded(const std::function<int()>& body, const std::function<void(int, const std::string&)>& ended) {
  const Outcome mine = run(body);
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
  if (!all_arrive(comm, mine)) {
    speak(mine.told(" on rank " + std::to_string(rank) + " of " + std::to_string(ranks)));
    tell(mine);
    MPI_Abort(comm, mine.code == 0 ? 1 : mine.code);
  }
  const std::vector<Outcome> all = gather_outcomes(comm, mine, ranks);
  const Outcome outcome = agreed(all);
  if (rank == 0) {
    report(all);
    tell(outcome);
  }
  work_ended(outcome.code);
  return outcome.code;
}

}  // namespace amacrine::parallel
