// SPDX-License-Identifier: Apache-2.0
#include "amacrine/io/journal.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/version.hpp"
#include "files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>
#include <utility>

namespace amacrine::io {
namespace {

constexpr const char* journal_format = "amacrine-journal 1 ";
constexpr std::size_t digits = 16;

std::string sealed(const std::string& text) { return text + ' ' + core::hash_bytes(text.data(), text.size()) + '\n'; }

/// The text of a line (without its break) whose checksum fits; false where it does not.
bool unseal(std::string& line) {
  if (line.size() <= digits || line[line.size() - digits - 1] != ' ') return false;
  const std::string sum = line.substr(line.size() - digits);
  line.resize(line.size() - digits - 1);
  return core::hash_bytes(line.data(), line.size()) == sum;
}

void write_durably(int file, const std::string& bytes, const std::string& path) {
  detail::write_all(file, bytes, path);
  core::require(::fsync(file) == 0 || errno == EINVAL, "{}: could not be made durable: {}", path, std::strerror(errno));
}

}  // namespace

Journal::Journal(std::string path, std::string identity) : path_(std::move(path)), identity_(journal_format + identity) {
  core::require(identity_.find('\n') == std::string::npos, "{}: the identity of a journal is one line", path_);
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

std::string Journal::identity_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  const std::string format = journal_format;
  return std::getline(file, line) && unseal(line) && line.starts_with(format) ? line.substr(format.size()) : "";
}

std::vector<std::string> Journal::read() const {
  std::vector<std::string> entries;
  std::ifstream file(path_, std::ios::binary);
  std::string line;
  if (!std::getline(file, line) || !unseal(line) || line != identity_) return entries;
  while (std::getline(file, line))
    if (!file.eof() && unseal(line)) entries.push_back(line);  // a line without its break may be cut short
  return entries;
}

void Journal::start(const std::vector<std::string>& entries) {
  const std::string temporary = path_ + ".partial";
  std::string text = sealed(identity_);
  for (const std::string& entry : entries) text += sealed(entry);
  if (file_ >= 0) ::close(file_);
  file_ = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  core::require(file_ >= 0, "{}: cannot be made: {}", temporary, std::strerror(errno));
  detail::write_all(file_, text, temporary);
  detail::publish(temporary, path_);
}

void Journal::append(const std::vector<std::string>& entries) {
  core::require(file_ >= 0, "{}: the journal was not started", path_);
  std::string text;
  for (const std::string& entry : entries) text += sealed(entry);
  write_durably(file_, text, path_);
}

void Journal::remove() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  std::remove(path_.c_str());
}

}  // namespace amacrine::io
