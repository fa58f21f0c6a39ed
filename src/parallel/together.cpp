// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/together.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/mpi_handle.hpp"
#include "amacrine/parallel/stop.hpp"
#include "check.hpp"
#include "waiting.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <sstream>
#include <string>

namespace amacrine::parallel {
namespace {

[[noreturn]] void rethrow(int code, const std::string& message) {
  switch (static_cast<core::ExitCode>(code)) {
    case core::ExitCode::usage:
      throw core::StudyError(message);
    case core::ExitCode::bad_input:
      throw core::InputError(message);
    case core::ExitCode::refused:
      throw core::RefusedError(message);
    default:
      throw core::Error(message, static_cast<core::ExitCode>(code));
  }
}

}  // namespace

void on_some(const Communicator& communicator, bool mine, const std::function<void()>& body) {
  std::int32_t code = 0;
  std::string message;
  if (mine) {
    try {
      body();
    } catch (const core::Error& error) {
      code = static_cast<std::int32_t>(error.code()), message = error.what();
    } catch (const std::exception& error) {
      code = static_cast<std::int32_t>(core::ExitCode::failure), message = error.what();
    }
  }
  const std::vector<std::int32_t> codes = communicator.gather_all<std::int32_t>(std::span<const std::int32_t>(&code, 1));
  const auto first = std::find_if(codes.begin(), codes.end(), [](std::int32_t each) { return each != 0; });
  if (first != codes.end()) rethrow(*first, communicator.broadcast(message, static_cast<int>(first - codes.begin())));
}

void wait_for_root(const Communicator& communicator, const std::function<bool()>& ready, const std::function<void()>& stopped) {
  constexpr std::chrono::milliseconds between_looks{100};
  const MPI_Comm comm = mpi_handle(communicator);
  int mine[2] = {0, 0}, any[2] = {0, 0};  // ready, asked to stop
  while (any[0] == 0) {
    detail::Patience patience;
    const auto until = std::chrono::steady_clock::now() + between_looks;
    while (communicator.root() && mine[0] == 0 && std::chrono::steady_clock::now() < until) {
      mine[0] = ready() ? 1 : 0;
      if (mine[0] == 0) patience.wait();
    }
    mine[1] = stop_asked() ? 1 : 0;
    MPI_Request looking = MPI_REQUEST_NULL;
    check(MPI_Iallreduce(mine, any, 2, MPI_INT, MPI_MAX, comm, &looking), "MPI_Iallreduce");
    for (int done = 0; done == 0;) {
      check(MPI_Test(&looking, &done, MPI_STATUS_IGNORE), "MPI_Test");
      if (done == 0) patience.wait();
    }
    if (communicator.root() && any[1] != 0) stopped();
  }
}

std::vector<std::string> gather_texts(const Communicator& communicator, const std::string& mine) {
  const std::string line = mine + "\n";
  const std::vector<char> all = communicator.gather_all<char>(std::span<const char>(line.data(), line.size()));
  std::istringstream lines(std::string(all.begin(), all.end()));
  std::vector<std::string> texts;
  for (std::string text; std::getline(lines, text);) texts.push_back(text);
  return texts;
}

}  // namespace amacrine::parallel
