// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace amacrine::io {

/// An append-only text file of what is done, by one writer. Every line ends in its checksum (xxHash64, 16 hex digits): a line
/// that was cut short, overwritten or never reached the disk is not taken for one. The first line says to what the others belong.
class Journal {
 public:
  /// `identity`: whatever must agree for the entries to mean the same. Nothing is opened yet.
  Journal(std::string path, std::string identity);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// To what the entries of the journal at `path` belong; empty where there is none, or its first line is damaged.
  static std::string identity_of(const std::string& path);

  const std::string& path() const { return path_; }
  /// The entries that can be trusted, in the file's order; none where there is no journal, or one of another identity.
  std::vector<std::string> read() const;
  /// Replaces the journal by one with these entries (temporary file, fsync, rename) and opens it for more. Throws core::Error.
  void start(const std::vector<std::string>& entries);
  /// Adds entries, one line each, and makes them durable. Entries hold no line breaks. Throws core::Error.
  void append(const std::vector<std::string>& entries);
  /// Closes and removes the file: what it was about is finished.
  void remove();

 private:
  std::string path_, identity_;
  int file_ = -1;
};

}  // namespace amacrine::io
