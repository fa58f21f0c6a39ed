// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/lock.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "held.hpp"
#include "lock_file.hpp"
#include "on_root.hpp"
#include "utc.hpp"

#include <filesystem>
#include <map>
#include <random>

namespace amacrine::io {

namespace {

std::string random_digits() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

/// The locks of this process: id by lock file.
std::map<std::string, std::string>& held() {
  static std::map<std::string, std::string> all;
  return all;
}

/// What this process writes into a lock, with an id of its own.
detail::Holder new_holder(const LockRequest& request) {
  static int taken = 0;
  detail::Holder mine = detail::this_process();
  mine["run"] = run_id(), mine["verb"] = request.verb, mine["study"] = request.study, mine["since"] = detail::utc_now();
  mine["id"] = fmt::format("{}-{}", run_id(), ++taken);
  return mine;
}

}  // namespace

const std::string& run_id() {
  static const std::string id = random_digits();
  return id;
}

std::string detail::lock_file_of(const std::string& path) { return path + ".lock"; }

void detail::require_lock(const std::string& path) {
  const std::string file = lock_file_of(path);
  const auto mine = held().find(file);
  if (mine == held().end()) return;
  const auto holder = holder_of(file);
  core::require(
      holder && fact(*holder, "id") == mine->second,
      "{}: the lock is no longer this run's: {}. Nothing more is written, since another run may be at work on this output", path,
      holder ? "it is held by " + describe(*holder) : file + " was removed");
}

void detail::remove_dead_lock(const std::string& path, const LockRequest& request) {
  const std::string file = lock_file_of(path);
  if (request.dry_run || !holder_of(file)) return;
  const Holder mine = new_holder(request);
  try {
    take_lock(file, mine, request.takeover);
    std::error_code none;
    std::filesystem::remove(path + ".journal", none);  // of tasks that the whole output holds
    give_lock(file, fact(mine, "id"));
  } catch (const core::RefusedError&) {  // its holder may be alive, or the folder takes no files: neither concerns a reader
  }
}

struct OutputLock::Impl {
  std::string path, id;  ///< id: empty on other ranks and in a dry run
  ~Impl() {
    if (id.empty()) return;
    const std::string file = detail::lock_file_of(path);
    held().erase(file);
    try {
      detail::give_lock(file, id);
    } catch (...) {  // the lock stays; this process' end frees it
    }
  }
};

OutputLock::OutputLock(const parallel::Communicator& communicator, const std::string& path, const LockRequest& request)
    : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  detail::on_root(communicator, [&] {
    const detail::Holder mine = new_holder(request);
    const std::string file = detail::lock_file_of(path);
    if (request.dry_run) return detail::check_lock(file, mine, request.takeover);
    const std::string dead = detail::take_lock(file, mine, request.takeover);
    if (!dead.empty()) core::log("{}: the lock of a dead run is taken over from {}", path, dead);
    held()[file] = impl_->id = detail::fact(mine, "id");
  });
}

OutputLock::~OutputLock() = default;
OutputLock::OutputLock(OutputLock&&) noexcept = default;
OutputLock& OutputLock::operator=(OutputLock&&) noexcept = default;

void OutputLock::require_held(const parallel::Communicator& communicator) const {
  detail::on_root(communicator, [&] { detail::require_lock(impl_->path); });
}

}  // namespace amacrine::io
