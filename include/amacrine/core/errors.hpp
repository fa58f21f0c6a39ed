// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace amacrine::core {

/// What a process returns; the README's table says the same.
enum class ExitCode : int {
  done = 0,        ///< the science is finished
  failure = 1,     ///< an error no other code names
  usage = 2,       ///< the command line or the study file is wrong
  bad_input = 3,   ///< an input file is missing, damaged or does not fit
  refused = 4,     ///< an output of another study is in the way, or there is no room for it
  run_again = 75,  ///< stopped early, whole so far: the same command goes on
};

/// A fault a person can mend. The message says what was wrong, where, what was expected, what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitCode code = ExitCode::failure) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// The command line or the study file is wrong (file, line and key are in the message).
struct StudyError : Error {
  explicit StudyError(const std::string& message) : Error(message, ExitCode::usage) {}
};

/// An input file is missing, damaged, or not what was asked for (file, dataset and expectation are in the message).
struct InputError : Error {
  explicit InputError(const std::string& message) : Error(message, ExitCode::bad_input) {}
};

/// Going on would overwrite another study's output or run out of room.
struct RefusedError : Error {
  explicit RefusedError(const std::string& message) : Error(message, ExitCode::refused) {}
};

template <class E = Error, class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw E(fmt::format(format, std::forward<Args>(args)...));
}

/// Throws E with the message unless `condition` holds.
template <class E = Error, class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) throw E(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace amacrine::core
