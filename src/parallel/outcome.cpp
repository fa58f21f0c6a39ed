// SPDX-License-Identifier: Apache-2.0
#include "outcome.hpp"

#include "check.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <thread>

namespace amacrine::parallel::detail {
namespace {

/// How long a rank that failed, or was stopped, waits for the others to come to their end too.
constexpr double patience_s = 3.0, stopped_patience_s = 0.4;

Outcome failure(int code, const std::string& message) { return {code, message.empty() ? "an error without a message" : message}; }

}  // namespace

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

Outcome agreed(const std::vector<Outcome>& all) {
  for (const bool stopped : {false, true})
    for (const Outcome& outcome : all)
      if (!outcome.message.empty() && outcome.stopped() == stopped) return outcome;
  return *std::max_element(all.begin(), all.end(), [](const Outcome& a, const Outcome& b) { return a.code < b.code; });
}

}  // namespace amacrine::parallel::detail
