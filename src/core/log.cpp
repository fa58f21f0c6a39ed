// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/progress.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace amacrine::core {
namespace {

struct State {
  bool writes = true;
  bool quiet = false;
  std::FILE* file = nullptr;  ///< takes everything instead of stdout and stderr
  bool open_line = false;     ///< a line of progress on the terminal is not ended yet
};
State& state() {
  static State only;
  return only;
}

std::function<void(const ProgressState&)>& listener() {
  static std::function<void(const ProgressState&)> only;
  return only;
}

constexpr double terminal_interval_s = 0.2, plain_interval_s = 5.0;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Whether lines are read by a person at a terminal. mpirun gives rank 0 a terminal whatever its own output goes to.
bool on_terminal() {
  return state().file == nullptr && isatty(STDOUT_FILENO) == 1 && std::getenv("OMPI_COMM_WORLD_RANK") == nullptr;
}

/// A line begins where a line of progress stood.
void clear_line() {
  if (std::exchange(state().open_line, false)) fmt::print("\r\x1b[K");
}

/// Whether log lines of this rank are written, and where to.
bool log_is_read() { return state().file != nullptr || (state().writes && !state().quiet); }
std::FILE* log_file() { return state().file != nullptr ? state().file : stdout; }

std::string human_rate(double rate) { return rate >= 100 ? fmt::format("{:.0f}", rate) : fmt::format("{:.3g}", rate); }

}  // namespace

void set_log_writer(bool this_rank_writes) { state().writes = this_rank_writes; }

void set_log_level(const std::string& level) {
  require<StudyError>(level == "quiet" || level == "info" || level == "debug",
                      "the log level is \"{}\"; expected quiet, info or debug", level);
  state().quiet = level == "quiet";
}

void set_progress_listener(std::function<void(const ProgressState&)> told) { listener() = std::move(told); }

void log_line(const std::string& text) {
  if (!log_is_read()) return;
  if (state().file == nullptr) clear_line();
  fmt::print(log_file(), "{}\n", text);
  std::fflush(log_file());
}

void warn_line(const std::string& text) {
  if (!state().writes && state().file == nullptr) return;
  if (state().file == nullptr) clear_line();
  std::fflush(log_file());
  std::FILE* const file = state().file != nullptr ? state().file : stderr;
  fmt::print(file, "warning: {}\n", text);
  std::fflush(file);
}

LogRedirect::LogRedirect(const std::string& path) : before_(state().file) {
  if (!path.empty()) {
    file_ = std::fopen(path.c_str(), "a");
    require(file_ != nullptr, "{}: the log file cannot be written: {}", path, std::strerror(errno));
  }
  state().file = file_;
}

LogRedirect::~LogRedirect() {
  state().file = before_;
  if (file_ != nullptr) std::fclose(file_);
}

Progress::Progress(std::string what, double total, std::string unit)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(on_terminal()),
      start_(std::chrono::steady_clock::now()),
      last_print_(start_) {}

Progress::~Progress() {
  // A fault here must not hide the one that may be unwinding.
  try {
    if (done_ > 0) print(done_, note_, true);
  } catch (...) {
  }
}

void Progress::update(double done, const std::string& note) {
  done_ = done;
  note_ = note;
  if (listener() && state().file == nullptr) listener()({what_, unit_, done, total_});
  if (seconds_since(last_print_) < (terminal_ ? terminal_interval_s : plain_interval_s)) return;
  last_print_ = std::chrono::steady_clock::now();
  print(done, note, false);
}

void Progress::print(double done, const std::string& note, bool last) {
  if (!log_is_read()) return;
  const double elapsed = seconds_since(start_);
  const double rate = elapsed > 0 ? done / elapsed : 0.0;
  const double percent = total_ > 0 ? 100.0 * done / total_ : 100.0;
  const std::string time = last ? fmt::format("took {}", human_seconds(elapsed))
                                : fmt::format("{} left", human_seconds(rate > 0 ? std::max(0.0, total_ - done) / rate : 0.0));
  fmt::print(log_file(), "{}{}: {:.0f} of {:.0f} {} ({:.0f} %), {} {}/s, {}{}{}{}", terminal_ ? "\r" : "", what_, done, total_,
             unit_, percent, human_rate(rate), unit_, time, note.empty() ? "" : ", ", note, terminal_ ? "\x1b[K" : "");
  if (!terminal_ || last) fmt::print(log_file(), "\n");
  state().open_line = terminal_ && !last;
  std::fflush(log_file());
}

double wall_seconds() {
  static const auto start = std::chrono::steady_clock::now();
  return seconds_since(start);
}

std::string human_seconds(double seconds) {
  if (!(seconds >= 0)) return "?";
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(std::min(seconds, 1e15)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string human_bytes(double bytes) {
  const char* const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (std::fabs(bytes) >= 999.5 && unit < 5) bytes /= 1000, ++unit;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.3g} {}", bytes, units[unit]);
}

}  // namespace amacrine::core
