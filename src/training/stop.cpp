// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/stop.hpp"

#include "amacrine/core/errors.hpp"

#include <csignal>

namespace amacrine::training {
namespace {

volatile std::sig_atomic_t received = 0;

void remember(int signal) { received = signal; }

}  // namespace

struct StopRequest::Handlers {
  struct sigaction term {
  }, user{};
};

StopRequest::StopRequest(double max_minutes) : previous_(new Handlers), max_minutes_(max_minutes) {
  received = 0;
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, &previous_->term);
  sigaction(SIGUSR1, &action, &previous_->user);
}

StopRequest::~StopRequest() {
  sigaction(SIGTERM, &previous_->term, nullptr);
  sigaction(SIGUSR1, &previous_->user, nullptr);
  delete previous_;
}

bool StopRequest::asked() const {
  if (received != 0) return true;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  return max_minutes_ > 0 && passed.count() >= 60.0 * max_minutes_;
}

std::string StopRequest::why() const {
  if (received != 0) return received == SIGTERM ? "SIGTERM" : "SIGUSR1";
  return fmt::format("training.max_minutes = {:g}", max_minutes_);
}

}  // namespace amacrine::training
