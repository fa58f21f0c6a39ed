// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/attempt.hpp"

#include "amacrine/parallel/mpi_handle.hpp"
#include "amacrine/parallel/stop.hpp"
#include "outcome.hpp"

namespace amacrine::parallel {

Fault attempt(const Communicator& watched, const std::function<void()>& body) {
  const detail::Outcome mine = detail::run([&] { return body(), 0; });
  if (!detail::all_arrive(mpi_handle(watched), mine)) throw core::Error(mine.message, static_cast<core::ExitCode>(mine.code));
  const detail::Outcome agreed = detail::agreed(detail::gather_outcomes(mpi_handle(watched), mine, watched.size()));
  if (agreed.stopped()) {
    const std::string signal = stop_signal(watched);
    throw Stopped(signal.empty() ? "a request" : signal);
  }
  return {agreed.message, static_cast<core::ExitCode>(agreed.code)};
}

}  // namespace amacrine::parallel
