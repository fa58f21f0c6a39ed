// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/together.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>
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

std::vector<std::string> gather_texts(const Communicator& communicator, const std::string& mine) {
  const std::string line = mine + "\n";
  const std::vector<char> all = communicator.gather_all<char>(std::span<const char>(line.data(), line.size()));
  std::istringstream lines(std::string(all.begin(), all.end()));
  std::vector<std::string> texts;
  for (std::string text; std::getline(lines, text);) texts.push_back(text);
  return texts;
}

}  // namespace amacrine::parallel
