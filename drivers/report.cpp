// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/core/source_folder.hpp"
#include "amacrine/parallel/stop.hpp"
#include "drivers/verbs.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace amacrine::drivers {

namespace {

/// The folder that holds analysis/ and jobs/: where the program was built from, unless the environment says otherwise.
std::string home_folder() {
  const char* given = std::getenv("AMACRINE_HOME");
  return given != nullptr ? given : AMACRINE_SOURCE_FOLDER;
}

/// This process' environment without what a launcher of MPI programs put there: HDF5's Python modules would take it for their
/// own.
std::vector<char*> environment_without_mpi() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (std::strncmp(*entry, "OMPI_", 5) != 0 && std::strncmp(*entry, "PMIX_", 5) != 0 && std::strncmp(*entry, "PMI_", 4) != 0)
      kept.push_back(*entry);
  kept.push_back(nullptr);
  return kept;
}

/// Starts a command in a process group of its own. Throws core::Error where it cannot be started.
pid_t started(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::vector<char*> environment = environment_without_mpi();
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  const int fault = posix_spawnp(&child, arguments[0], nullptr, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  core::require(fault == 0, "{} cannot be started: {}", words[0], std::strerror(fault));
  return child;
}

/// Runs a command to its end; its exit code where it is one of this program's, else 1. A request to stop is passed on to it;
/// throws Stopped then.
int exit_code_of(const std::vector<std::string>& words) {
  const pid_t child = started(words);
  int status = 0;
  for (bool told = false;; std::this_thread::sleep_for(std::chrono::milliseconds(20))) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) break;
    core::require(ended == 0 || errno == EINTR, "{}: {}", words[0], std::strerror(errno));
    if (parallel::stop_asked() && !told) told = kill(-child, SIGTERM) == 0;
  }
  parallel::throw_if_stopped();
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  return code == 0 || (code >= 2 && code <= 4) ? code : 1;
}

/// The command that draws the page of this study: of its folder, or one page over many models.
std::vector<std::string> drawing_command(const Context& context) {
  const std::string& output = context.settings.output;
  core::require<core::InputError>(std::filesystem::is_directory(output),
                                  "{}: there is no such folder of results; run `amacrine evaluate` or `amacrine fit` first",
                                  output);
  const std::string script = home_folder() + "/jobs/report.sh";
  core::require<core::InputError>(std::filesystem::exists(script),
                                  "{} is not there, which draws the report. Set AMACRINE_HOME to the folder of amacrine's "
                                  "sources, which holds analysis/ and jobs/",
                                  script);
  std::vector<std::string> words{"bash", script, output};
  const std::string models =
      !context.settings.sessions.empty() && context.options.models.empty() ? "sessions/*" : context.options.models;
  if (!models.empty()) words.insert(words.end(), {"--models", models});
  return words;
}

}  // namespace

/// Draws report.html (models.html of many models) from whatever results the study's folder holds, and prints the short table.
int report(Context& context) {
  std::int64_t code = 0;
  if (context.world.root()) {
    const std::vector<std::string> command = drawing_command(context);
    if (!context.options.dry_run) code = exit_code_of(command);
  }
  return static_cast<int>(context.world.sum(code));
}

}  // namespace amacrine::drivers
