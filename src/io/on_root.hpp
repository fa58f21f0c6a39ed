// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <exception>
#include <string>

namespace amacrine::io::detail {

[[noreturn]] inline void rethrow(int code, const std::string& message) {
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

/// Collective: rank 0 runs `body`; where it throws, every rank throws the same.
template <class Body>
void on_root(const parallel::Communicator& communicator, const Body& body) {
  int code = 0;
  std::string message;
  if (communicator.root()) {
    try {
      body();
    } catch (const core::Error& error) {
      code = static_cast<int>(error.code()), message = error.what();
    } catch (const std::exception& error) {
      code = static_cast<int>(core::ExitCode::failure), message = error.what();
    }
  }
  communicator.broadcast(&code, sizeof code);
  message = communicator.broadcast(message);
  if (code != 0) rethrow(code, message);
}

}  // namespace amacrine::io::detail
