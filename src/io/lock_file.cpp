// SPDX-License-Identifier: Apache-2.0
#include "lock_file.hpp"

#include "amacrine/core/errors.hpp"
#include "files.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <nlohmann/json.hpp>

namespace amacrine::io::detail {
namespace {

[[noreturn]] void refuse_folder(const std::string& file) {
  const std::string reason = std::strerror(errno);
  core::fail<core::RefusedError>(
      "{}: cannot be written: {}. The output folder must be writable; mend it, or give another study.output", file, reason);
}

std::string json_of(const Holder& holder) { return nlohmann::json(holder).dump() + "\n"; }

/// The facts in a lock file's text; an empty holder where it is not whole.
Holder parse(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  Holder holder;
  if (!text.ends_with("\n") || !json.is_object()) return holder;
  for (const auto& [name, value] : json.items())
    if (value.is_string()) holder[name] = value.get<std::string>();
  return holder;
}

std::optional<std::string> contents(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

std::optional<Holder> read(const std::string& file) {
  // Without hard links a lock is there for a moment before its contents are.
  for (int attempt = 0; attempt < 10; ++attempt) {
    const auto text = contents(file);
    if (!text) return std::nullopt;
    if (const Holder holder = parse(*text); !fact(holder, "id").empty()) return holder;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Holder{};
}

void write_new(const std::string& file, const std::string& text) {
  const int target = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (target < 0) refuse_folder(file);
  const bool written = ::write(target, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(target) == 0;
  const int reason = errno;
  ::close(target);
  if (written) return;
  ::unlink(file.c_str());
  errno = reason;
  refuse_folder(file);
}

std::string successor(const std::string& file, const std::string& id) { return file + ".after-" + id; }

/// The holders from PATH.lock to the last that took over, with their files. Empty where there is no lock.
std::vector<Holder> chain(const std::string& file) {
  std::vector<Holder> all;
  for (auto next = read(file); next; next = read(successor(file, fact(all.back(), "id")))) {
    all.push_back(*next);
    if (fact(*next, "id").empty()) break;
  }
  return all;
}

[[noreturn]] void refuse_holder(const std::string& file, const Holder& holder, const Holder& mine, bool takeover) {
  const std::string output = std::filesystem::path(file).replace_extension().string();
  core::require<core::RefusedError>(
      !fact(holder, "id").empty(),
      "{} is locked, but {} does not say by whom. If no run is at work on it, remove that file and start again", output, file);
  const bool here = fact(holder, "boot") == fact(mine, "boot") && fact(holder, "pid_space") == fact(mine, "pid_space");
  std::string advice = "Wait for it or stop it, or give another study.output";
  if (!here)
    advice += fmt::format(
        ". If that run is gone: {} takes over where SLURM says that its job has ended, or where its host was started anew; once "
        "you are certain, removing {} frees the output too",
        takeover ? "that cannot be proved from here. --takeover" : "--takeover", file);
  if (here && takeover) advice = "Its process is alive, so --takeover does not help. " + advice;
  core::fail<core::RefusedError>("{} is being made by another run: {}.\n{}", output, describe(holder), advice);
}

/// Files of earlier takeovers and of runs that died while they took the lock; only the holder may remove them.
void remove_partial_files(const std::string& file, const Holder& mine) {
  const std::string beginning = std::filesystem::path(file).filename().string() + ".";
  std::error_code fault;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of(file), fault)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(beginning)) continue;
    const bool claim = name.starts_with(beginning + "after-");
    const Holder maker = claim ? Holder{} : parse(contents(entry.path().string()).value_or(""));
    if (claim || !proof_of_end(maker, mine, false).empty()) std::filesystem::remove(entry.path(), fault);
  }
}

/// A file that is removed at the end of its life.
struct Prepared {
  std::string path;
  Prepared(const std::string& file, const Holder& mine) : path(file + ".new-" + fact(mine, "id")) {
    write_new(path, json_of(mine));
  }
  ~Prepared() { ::unlink(path.c_str()); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
};

}  // namespace

bool place(const std::string& prepared, const std::string& file, bool hard_links) {
  if (hard_links && ::link(prepared.c_str(), file.c_str()) == 0) return true;
  if (hard_links && errno == EEXIST) {
    // Over NFS the answer to a link that was made may be lost, and its repetition answered with EEXIST.
    struct stat info {};
    return ::stat(prepared.c_str(), &info) == 0 && info.st_nlink > 1;
  }
  if (hard_links && errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) refuse_folder(file);
  std::error_code fault;
  if (std::filesystem::exists(file, fault)) return false;
  const int target = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (target < 0 && errno == EEXIST) return false;
  if (target < 0) refuse_folder(file);
  const std::string text = contents(prepared).value_or("");
  const bool written = ::write(target, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(target) == 0;
  const int reason = errno;
  ::close(target);
  if (written) return true;
  ::unlink(file.c_str());
  errno = reason;
  refuse_folder(file);
}

bool succeed(const std::string& file, const std::string& claim, const Holder& mine) {
  const std::vector<Holder> now = chain(file);
  if (now.empty() || fact(now.back(), "id") != fact(mine, "id")) {
    ::unlink(claim.c_str());
    return false;
  }
  if (std::rename(claim.c_str(), file.c_str()) != 0) refuse_folder(file);
  return true;
}

std::string take_lock(const std::string& file, const Holder& mine, bool takeover) {
  make_folder(file);
  const Prepared prepared(file, mine);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const std::vector<Holder> holders = chain(file);
    if (holders.empty()) {
      if (!place(prepared.path, file)) continue;
      remove_partial_files(file, mine);
      return {};
    }
    const Holder& last = holders.back();
    const std::string proof = proof_of_end(last, mine, takeover), claim = successor(file, fact(last, "id"));
    if (proof.empty()) refuse_holder(file, last, mine, takeover);
    if (!place(prepared.path, claim) || !succeed(file, claim, mine)) continue;
    remove_partial_files(file, mine);
    return fmt::format("{}: {}", describe(last), proof);
  }
  core::fail<core::RefusedError>("{}: the lock changes hands all the time; try again", file);
}

void check_lock(const std::string& file, const Holder& mine, bool takeover) {
  const auto holder = holder_of(file);
  if (holder && proof_of_end(*holder, mine, takeover).empty()) refuse_holder(file, *holder, mine, takeover);
}

void give_lock(const std::string& file, const std::string& id) {
  const auto holder = read(file);
  if (holder && fact(*holder, "id") == id) ::unlink(file.c_str());
}

std::optional<Holder> holder_of(const std::string& file) {
  const std::vector<Holder> all = chain(file);
  if (all.empty()) return std::nullopt;
  return all.back();
}

}  // namespace amacrine::io::detail
