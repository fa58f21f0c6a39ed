// SPDX-License-Identifier: Apache-2.0
#include "watchdog.hpp"

#include "amacrine/parallel/environment.hpp"
#include "look.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace amacrine::parallel {
namespace {

/// Seconds without a sign of life; 0: never.
int patience_of_the_environment() {
  constexpr int standard = 300;
  const char* const text = std::getenv("AMACRINE_WATCHDOG_S");
  return text == nullptr ? standard : std::atoi(text);
}

/// The rank that the launcher says this process will be; -1 where it does not say.
int rank_of_the_environment() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const char* const text = std::getenv(name); text != nullptr) return std::atoi(text);
  return -1;
}

/// The child: ends with the rank, or ends it.
[[noreturn]] void watch_over(pid_t parent, int signs, int patience_s) {
  prctl(PR_SET_NAME, "amacrine-watch");
  // What ends the rank ends the child through the pipe.
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGPIPE}) std::signal(signal, SIG_IGN);
  std::int32_t rank = -1;
  for (int silent_s = 0; silent_s < patience_s; ++silent_s) {
    pollfd waits{signs, POLLIN, 0};
    if (poll(&waits, 1, 1000) <= 0) continue;
    std::int32_t sign = 0;
    const ssize_t got = read(signs, &sign, sizeof sign);
    if (got == 0) _exit(0);
    if (got == sizeof sign) rank = sign;
    silent_s = -1;
  }
  const std::string text =
      fmt::format("error: rank {} (pid {} on {}) has stood still for {} s, stopped or waiting for the system; the job ends\n",
                  rank, parent, host_name(), patience_s);
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
  kill(parent, SIGKILL);
  _exit(0);
}

}  // namespace

Watchdog::Watchdog() {
  const int patience_s = patience_of_the_environment();
  std::array<int, 2> ends{};
  if (patience_s <= 0 || pipe2(ends.data(), O_CLOEXEC) != 0) return;
  const pid_t parent = getpid(), child = fork();
  if (child == 0) {
    close(ends[1]);
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    watch_over(parent, ends[0], patience_s);
  }
  close(ends[0]);
  if (child < 0) {
    close(ends[1]);
    return;
  }
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  signs_ = ends[1];
  child_ = child;
  // A rank may be stopped while MPI starts, where the others wait for it.
  if (!detail::give_signs(signs_, rank_of_the_environment())) let_go();
}

void Watchdog::watch(int rank, int ranks) {
  if (signs_ < 0) return;
  detail::give_signs(ranks == 1 ? -1 : signs_, rank);
  if (ranks == 1) let_go();
}

Watchdog::~Watchdog() {
  if (signs_ < 0) return;
  detail::give_signs(-1, 0);
  let_go();
}

void Watchdog::let_go() {
  close(signs_);
  signs_ = -1;
  while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace amacrine::parallel
