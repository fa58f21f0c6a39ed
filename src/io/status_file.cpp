// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/status_file.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/progress.hpp"
#include "amacrine/parallel/environment.hpp"
#include "amacrine/parallel/stop.hpp"
#include "files.hpp"
#include "utc.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace amacrine::io {
namespace {

using nlohmann::ordered_json;

constexpr double update_interval_s = 2.0;

/// The batch system's number of this job.
ordered_json job_id() {
  for (const char* name : {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "FLUX_JOB_ID"})
    if (const char* value = std::getenv(name)) return value;
  return nullptr;
}

ordered_json read_json(const std::string& path) {
  std::ifstream file(path);
  ordered_json found = ordered_json::parse(file, nullptr, false);
  return found.is_object() ? found : ordered_json::object();
}

std::string text_of(const ordered_json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string progress_of(const ordered_json& json) {
  const auto found = json.find("progress");
  if (found == json.end() || !found->is_object()) return {};
  const double done = found->value("done", 0.0), of = found->value("of", 0.0);
  return of > 0 ? fmt::format("{:.0f} % of {:.0f} {}", 100 * done / of, of, text_of(*found, "unit")) : "";
}

RunState::Life life_of(const RunState& run) {
  if (run.state != "running") return RunState::Life::ended;
  if (run.host != parallel::host_name()) return RunState::Life::elsewhere;
  const auto pid = static_cast<pid_t>(run.pid);
  return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) ? RunState::Life::alive : RunState::Life::gone;
}

RunState state_of(const ordered_json& json) {
  RunState run;
  run.state = text_of(json, "state"), run.study_hash = text_of(json, "study_hash"), run.host = text_of(json, "host");
  run.job = text_of(json, "job"), run.since = text_of(json, "since"), run.updated = text_of(json, "updated");
  run.reason = text_of(json, "reason"), run.progress = progress_of(json);
  const auto pid = json.find("pid");
  if (pid != json.end() && pid->is_number_integer()) run.pid = pid->get<std::int64_t>();
  run.life = life_of(run);
  return run;
}

/// Whether the file says that another process is at work.
bool another_at_work(const std::string& path) {
  const RunState found = state_of(read_json(path));
  return found.life == RunState::Life::elsewhere || (found.life == RunState::Life::alive && found.pid != getpid());
}

/// What is written when the process is ended inside a signal handler: made beforehand, since nothing can be made there.
struct StoppedStatus {
  std::string path, temporary, text;
};
// Two, so that the one in use is never the one being changed.
std::array<StoppedStatus, 2>& stopped_statuses() {
  static std::array<StoppedStatus, 2> words;
  return words;
}
std::atomic<const StoppedStatus*> stopped_status{nullptr};

/// How the file begins while the run is at work.
constexpr char running_text[] = "{\n  \"state\": \"running\"";

/// Whether the file at `path` still says "running": a rank that failed may have said so already. Async-signal-safe.
bool says_running(const char* path) {
  char beginning[sizeof running_text - 1] = {};
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t got = read(file, beginning, sizeof beginning);
  close(file);
  return got == sizeof beginning && std::memcmp(beginning, running_text, sizeof beginning) == 0;
}

/// No fsync here: it could take longer than the process has, and a power cut at this moment only leaves "running" of a dead one.
void write_stopped_status() {
  const StoppedStatus* const words = stopped_status.load();
  if (words == nullptr || !says_running(words->path.c_str())) return;
  const int file = open(words->temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return;
  const ssize_t written = write(file, words->text.data(), words->text.size());
  close(file);
  if (written == static_cast<ssize_t>(words->text.size())) std::rename(words->temporary.c_str(), words->path.c_str());
}

}  // namespace

std::string status_path(const std::string& folder, const std::string& verb) {
  return (std::filesystem::path(folder) / (verb + ".status.json")).string();
}

std::optional<RunState> read_status(const std::string& folder, const std::string& verb) {
  const RunState found = state_of(read_json(status_path(folder, verb)));
  if (found.state.empty()) return std::nullopt;
  return found;
}

struct StatusFile::Impl {
  parallel::Communicator communicator;
  std::string path, temporary;
  Facts facts;
  std::string since, host;  ///< of rank 0
  std::int64_t pid = 0;     ///< of rank 0
  std::optional<core::ProgressState> progress;
  std::chrono::steady_clock::time_point written;
  bool started = false;  ///< the file is this run's

  Impl(const parallel::Communicator& ranks, const std::string& folder, Facts about)
      : communicator(ranks),
        path(status_path(folder, about.verb)),
        facts(std::move(about)),
        since(ranks.broadcast(detail::utc_now())),
        host(ranks.broadcast(parallel::host_name())),
        pid(getpid()) {
    communicator.broadcast(&pid, sizeof pid);
    temporary = path + "." + std::to_string(getpid()) + ".partial";
  }

  std::string text(const char* state, const ordered_json& exit_code, const std::string& reason) const {
    ordered_json json{{"state", state},
                      {"verb", facts.verb},
                      {"study", facts.study_file},
                      {"study_hash", facts.study_hash},
                      {"since", since},
                      {"updated", detail::utc_now()},
                      {"host", host},
                      {"pid", pid},
                      {"job", job_id()},
                      {"ranks", communicator.size()},
                      {"exit_code", exit_code},
                      {"reason", reason},
                      {"progress", nullptr}};
    if (progress)
      json["progress"] = {{"what", progress->what}, {"done", progress->done}, {"of", progress->of}, {"unit", progress->unit}};
    // A message may quote a file's bytes, which need not be text.
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  }

  void replace(const std::string& contents) const {
    try {
      detail::make_folder(path);
      std::ofstream(temporary, std::ios::trunc | std::ios::binary) << contents << std::flush;
      detail::publish(temporary, path);
    } catch (const core::Error&) {  // a full disk or a folder that cannot be written: the verb itself says so
      std::error_code ignored;
      std::filesystem::remove(temporary, ignored);
    }
  }

  void say_running() {
    written = std::chrono::steady_clock::now();
    StoppedStatus& next = stopped_statuses()[stopped_status.load() == stopped_statuses().data() ? 1 : 0];
    next = {path, temporary + ".last", text("stopped", static_cast<int>(core::ExitCode::run_again), "stopped by a signal")};
    stopped_status = &next;
    replace(text("running", nullptr, ""));
  }

  /// Collective.
  void start(bool mine) {
    if (started) return;
    started = communicator.any(communicator.root() && (mine || !another_at_work(path)));
    if (!started || !communicator.root()) return;
    parallel::set_last_act(write_stopped_status);
    core::set_progress_listener([this](const core::ProgressState& state) { follow(state); });
    say_running();
  }

  void follow(const core::ProgressState& state) {
    progress = state;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - written;
    if (passed.count() >= update_interval_s) say_running();
  }
};

StatusFile::StatusFile(const parallel::Communicator& communicator, const std::string& folder, Facts facts)
    : impl_(std::make_unique<Impl>(communicator, folder, std::move(facts))) {
  impl_->start(false);
}

StatusFile::~StatusFile() {
  if (!impl_->started || !impl_->communicator.root()) return;
  core::set_progress_listener({});
  stopped_status = nullptr;
}

void StatusFile::take() { impl_->start(true); }

void StatusFile::end(int exit_code, const std::string& reason) {
  Impl& impl = *impl_;
  if (!impl.started) return;
  stopped_status = nullptr;
  const bool stopped = exit_code == static_cast<int>(core::ExitCode::run_again);
  impl.replace(impl.text(exit_code == 0 ? "finished" : stopped ? "stopped" : "failed", exit_code, reason));
}

}  // namespace amacrine::io
