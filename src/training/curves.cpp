// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/curves.hpp"

#include "amacrine/core/csv.hpp"
#include "amacrine/core/errors.hpp"
#include "amacrine/io/lock.hpp"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace amacrine::training {
namespace {

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : ""; }
std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : "null"; }

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

/// The file's own error, with what was being done.
[[noreturn]] void fail_file(const char* what, const std::string& path) {
  core::fail("{} {} failed: {}", what, path, std::strerror(errno));
}

void write_synced(const std::string& path, const std::string& contents) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) fail_file("opening", path);
  std::size_t done = 0;
  while (done < contents.size()) {
    const ssize_t count = ::write(file, contents.data() + done, contents.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int kept = errno;
      ::close(file);
      errno = kept;
      fail_file("writing", path);
    }
    done += static_cast<std::size_t>(count);
  }
  const bool synced = ::fsync(file) == 0, closed = ::close(file) == 0;
  if (!synced || !closed) fail_file("writing", path);
}

}  // namespace

std::string curves_csv(const std::vector<EpochRecord>& records, const std::vector<std::string>& cells) {
  std::string text = "epoch,windows,learning_rate,train_loss,penalty,validation_loss,validation_r";
  for (const std::string& cell : cells) text.append(",").append(core::csv_text(fmt::format("r_{}", cell)));
  text += ",seconds,windows_per_second,best\n";
  for (const EpochRecord& r : records) {
    text += fmt::format("{},{:.0f}", r.epoch, r.windows);
    for (const double value : {r.learning_rate, r.train_loss, r.penalty, r.validation_loss, r.validation_r})
      text.append(",").append(csv_number(value));
    for (const double value : r.cell_r) text.append(",").append(csv_number(value));
    text += fmt::format(",{:.3f},{:.1f},{}\n", r.seconds, r.windows_per_second, r.best ? 1 : 0);
  }
  return text;
}

std::string curves_jsonl(const std::vector<EpochRecord>& records, const std::vector<std::string>& cells) {
  std::string text;
  for (const EpochRecord& r : records) {
    std::string per_cell;
    for (std::size_t n = 0; n < r.cell_r.size(); ++n)
      per_cell += fmt::format("{}{}: {}", n == 0 ? "" : ", ", json_text(cells[n]), json_number(r.cell_r[n]));
    text += fmt::format(
        "{{\"epoch\": {}, \"windows\": {:.0f}, \"learning_rate\": {}, \"train_loss\": {}, \"penalty\": {}, \"validation_loss\": "
        "{}, "
        "\"validation_r\": {}, \"r\": {{{}}}, \"seconds\": {:.3f}, \"windows_per_second\": {:.1f}, \"best\": {}}}\n",
        r.epoch, r.windows, json_number(r.learning_rate), json_number(r.train_loss), json_number(r.penalty),
        json_number(r.validation_loss), json_number(r.validation_r), per_cell, r.seconds, r.windows_per_second, r.best);
  }
  return text;
}

void replace_file(const std::string& path, const std::string& contents, bool keep_previous) {
  const std::string temporary = path + "." + io::run_id() + ".partial", previous = path + ".previous";
  write_synced(temporary, contents);
  if (keep_previous && ::access(path.c_str(), F_OK) == 0) {
    ::unlink(previous.c_str());
    if (::link(path.c_str(), previous.c_str()) != 0 && ::rename(path.c_str(), previous.c_str()) != 0)
      fail_file("keeping", previous);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail_file("renaming", temporary);
  const std::size_t slash = path.find_last_of('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (directory < 0) return;
  ::fsync(directory);  // not every file system can; the file itself is synced
  ::close(directory);
}

void remove_leftovers(const std::string& path) {
  const std::filesystem::path file(path);
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const std::string beginning = file.filename().string() + ".";
  std::error_code fault;
  for (const auto& entry : std::filesystem::directory_iterator(folder, fault)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(beginning) && name.ends_with(".partial")) std::filesystem::remove(entry.path(), fault);
  }
}

}  // namespace amacrine::training
