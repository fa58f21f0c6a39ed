// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace amacrine::core {

/// Which rank writes the log: no other does. Called once by the parallel environment; before that every process writes.
void set_log_writer(bool this_rank_writes);
/// "quiet", "info" or "debug".
void set_log_level(const std::string& level);

void log_line(const std::string& text);   ///< info, to stdout, flushed
void warn_line(const std::string& text);  ///< warning, to stderr

template <class... Args>
void log(fmt::format_string<Args...> format, Args&&... args) {
  log_line(fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  warn_line(fmt::format(format, std::forward<Args>(args)...));
}

/// For its life the log and the warnings of this rank go to the end of a file instead, whether or not it is the one that writes;
/// progress is not told to the listener then. An empty path: back to where they went at first. The last one made counts; they end
/// in reverse order. Throws Error where the file cannot be opened.
class LogRedirect {
 public:
  explicit LogRedirect(const std::string& path);
  ~LogRedirect();
  LogRedirect(const LogRedirect&) = delete;
  LogRedirect& operator=(const LogRedirect&) = delete;

 private:
  std::FILE* before_;
  std::FILE* file_ = nullptr;
};

/// Progress of one step: on a terminal one line rewritten, elsewhere a plain line every few seconds, with rate and time left.
/// Speaks on rank 0 only.
class Progress {
 public:
  Progress(std::string what, double total, std::string unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// `done` of `total`; `note` is shown at the end of the line (a loss, a score).
  void update(double done, const std::string& note = {});

 private:
  void print(double done, const std::string& note, bool last);
  std::string what_, unit_, note_;
  double total_, done_ = 0;
  bool terminal_;
  std::chrono::steady_clock::time_point start_, last_print_;
};

/// Wall seconds since an arbitrary start.
double wall_seconds();
/// "3 min 12 s", "1.2 GB": for people.
std::string human_seconds(double seconds);
std::string human_bytes(double bytes);

}  // namespace amacrine::core
