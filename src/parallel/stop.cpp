// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/stop.hpp"

#include "look.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <unistd.h>

namespace amacrine::parallel {
namespace {

struct Heard {
  int signal;
  const char* name;
};
constexpr std::array<Heard, 5> heard{
    {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}, {SIGUSR1, "SIGUSR1"}, {SIGXCPU, "its limit of time"}}};
/// The signal by which the process looks for the file that asks it to stop, and gives a sign of life; nobody else sends it.
constexpr int look_signal = SIGVTALRM;

constexpr long nanoseconds_per_s = 1'000'000'000;
constexpr long long look_interval_ns = 2 * nanoseconds_per_s;
/// A second signal within this time is taken for the first.
constexpr long long together_ns = nanoseconds_per_s / 2;

// What the handlers read and write: lock-free, so that it may be touched inside them.
std::atomic<int> received{0};
std::atomic<long long> received_at{0};
std::atomic<long long> patience_ns{static_cast<long long>(shortest_patience_s * nanoseconds_per_s)};
std::atomic<void (*)()> last_act{nullptr};
std::atomic<bool> leaving{false}, speaker{true};
std::atomic<int> ended{-1};  ///< exit code of the work, once it has ended
static_assert(std::atomic<long long>::is_always_lock_free && std::atomic<void (*)()>::is_always_lock_free);

/// The file that asks to stop, and what it is called in messages.
constexpr std::size_t longest_path = 4096;
std::array<char, longest_path> stop_file{}, stop_file_name{};
std::atomic<bool> looks_for_file{false};
std::atomic<int> signs{-1}, sign{0};  ///< where signs of life go, and what is written

/// `timer` ends a process that was asked to stop and did not; `limit` asks; `looking` looks for the file.
timer_t timer{}, limit{}, looking{};
bool has_timer = false, has_limit = false, has_looking = false;
std::array<struct sigaction, heard.size()> previous{};
struct sigaction previous_alarm {
}, previous_look{};

const char* name_of(int signal) {
  if (signal == look_signal) return stop_file_name.data();
  for (const Heard& one : heard)
    if (one.signal == signal) return one.name;
  return "";
}

long long now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * nanoseconds_per_s + now.tv_nsec;
}

void say(const char* text) { [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text)); }

/// Ends the process from inside a handler.
[[noreturn]] void leave() {
  if (ended >= 0) _exit(ended);  // late, while the libraries are taken down
  if (!leaving.exchange(true)) {
    if (auto* const act = last_act.load()) act();
    if (speaker) {
      say("stopped by ");
      say(name_of(received));
      say("; the same command goes on\n");
    }
  }
  _exit(static_cast<int>(core::ExitCode::run_again));
}

/// `again`: every so many.
void start(timer_t which, long long ns, bool again = false) {
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(ns / nanoseconds_per_s);
  when.it_value.tv_nsec = static_cast<long>(ns % nanoseconds_per_s);
  if (again) when.it_interval = when.it_value;
  timer_settime(which, 0, &when, nullptr);
}

bool make_timer(int signal, timer_t& made) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = signal;
  return timer_create(CLOCK_MONOTONIC, &event, &made) == 0;
}

void hear(int signal) {
  const int kept = errno;
  int none = 0;
  if (received.compare_exchange_strong(none, signal)) {
    received_at = now_ns();
    if (has_timer) start(timer, patience_ns);
  } else if (received_at != 0 && now_ns() - received_at > together_ns) {
    leave();
  }
  errno = kept;
}

void run_out(int /*signal*/) {
  if (received != 0) leave();
}

void look(int /*signal*/) {
  const int kept = errno;
  if (signs >= 0) {
    const int rank = sign;
    [[maybe_unused]] const ssize_t written = write(signs, &rank, sizeof rank);
  }
  if (looks_for_file && received == 0 && access(stop_file.data(), F_OK) == 0) hear(look_signal);
  errno = kept;
}

}  // namespace

StopListener::StopListener() {
  ended = -1;
  received = 0;
  received_at = 0;
  struct sigaction action {};
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  action.sa_handler = run_out;
  sigaction(SIGALRM, &action, &previous_alarm);
  has_timer = make_timer(SIGALRM, timer);
  has_limit = make_timer(SIGXCPU, limit);
  action.sa_handler = look;
  sigaction(look_signal, &action, &previous_look);
  has_looking = make_timer(look_signal, looking);
  action.sa_handler = hear;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    sigaction(heard[i].signal, nullptr, &previous[i]);
    // nohup means it. An ignored SIGINT does not: shells give it to everything they start in the background.
    if (heard[i].signal == SIGHUP && previous[i].sa_handler == SIG_IGN) continue;
    sigaction(heard[i].signal, &action, nullptr);
  }
}

StopListener::~StopListener() {
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  for (std::size_t i = 0; i < heard.size(); ++i) sigaction(heard[i].signal, ignore_ ? &ignored : &previous[i], nullptr);
  if (has_timer) timer_delete(timer);
  if (has_limit) timer_delete(limit);
  if (has_looking) timer_delete(looking);
  has_timer = has_limit = has_looking = looks_for_file = false;
  signs = -1;
  sigaction(SIGALRM, &previous_alarm, nullptr);
  sigaction(look_signal, &previous_look, nullptr);
  received = 0;
}

void stop_after(double seconds) {
  constexpr double longest_s = 1e9;
  if (!has_limit || !(seconds <= longest_s)) return;
  start(limit, static_cast<long long>(std::max(seconds, 1e-3) * nanoseconds_per_s));
}

void stop_when_there(const std::string& path, bool looks) {
  const std::string name = "the file " + path + " (remove it)";
  if (name.size() >= longest_path) return;
  std::copy_n(path.c_str(), path.size() + 1, stop_file.begin());
  std::copy_n(name.c_str(), name.size() + 1, stop_file_name.begin());
  looks_for_file = looks;
  if (looks && has_looking) start(looking, look_interval_ns, true);
}

bool detail::give_signs(int descriptor, int rank) {
  sign = rank;
  signs = has_looking ? descriptor : -1;
  if (signs < 0) return false;
  look(look_signal);
  start(looking, look_interval_ns, true);
  return true;
}

void work_ended(int code) { ended = code; }

double seconds_left_in_job(double margin_s) {
  constexpr double none = std::numeric_limits<double>::infinity();
  const char* const text = std::getenv("SLURM_JOB_END_TIME");
  if (text == nullptr) return none;
  char* end = nullptr;
  const double at = std::strtod(text, &end);
  const double left = at - static_cast<double>(std::time(nullptr)) - margin_s;
  return *text != '\0' && *end == '\0' && left > 0 ? left : none;
}

bool stop_asked() { return received.load(std::memory_order_relaxed) != 0; }
std::string stop_signal() { return name_of(received); }
std::string stop_signal(const Communicator& communicator) {
  return name_of(static_cast<int>(communicator.maximum(received.load())));
}

void throw_if_stopped() {
  if (stop_asked()) throw Stopped(name_of(received));
}

void throw_if_stopped(const Communicator& communicator) {
  const std::string signal = stop_signal(communicator);
  if (!signal.empty()) throw Stopped(signal);
}

StopPatience::StopPatience() : before_s_(static_cast<double>(patience_ns.load()) / nanoseconds_per_s) {}
StopPatience::~StopPatience() { patience_ns = static_cast<long long>(before_s_ * nanoseconds_per_s); }

void StopPatience::set(double seconds) {
  constexpr double longest_s = 3600;
  patience_ns = static_cast<long long>(std::clamp(seconds, before_s_, std::max(longest_s, before_s_)) * nanoseconds_per_s);
}

void set_last_act(void (*act)()) { last_act = act; }
void set_stop_speaker(bool speaks) { speaker = speaks; }

}  // namespace amacrine::parallel
