// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/errors.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace amacrine::core {

/// One TOML study file plus dotted overrides ("training.learning_rate=3e-3"). Every key is read through a typed getter that
/// records the value used, so that the resolved study holds defaults too. A key nobody reads, or one of the wrong type, is an
/// error with file, line and the nearest valid key.
///
/// Each room owns one table: `XConfig read_x(core::Study&)` reads all keys of its table (a dotted prefix such as "training.").
/// Supported value types: bool, int, std::int64_t, double, std::string and std::vector of int, double, std::string.
/// Integers are accepted where doubles are asked for, never the other way round.
class Study {
 public:
  /// Reads `path` and applies the overrides. Throws StudyError (file, line, what was expected).
  static Study from_file(const std::string& path, const std::vector<std::string>& overrides = {});
  /// from_file() of a text; `name` stands for the file's name in messages.
  static Study from_text(const std::string& text, const std::string& name = "study",
                         const std::vector<std::string>& overrides = {});

  Study(Study&&) noexcept;
  Study& operator=(Study&&) noexcept;
  ~Study();

  /// The value of `key`, or `fallback` where the study is silent. Throws StudyError on a wrong type.
  template <class T>
  T get(const std::string& key, const T& fallback);
  /// get() with no fallback: a missing key is an error.
  template <class T>
  T need(const std::string& key);
  /// A value out of a list of words; others are an error that names the list.
  std::string choose(const std::string& key, const std::string& fallback, const std::vector<std::string>& words);
  /// A number checked to be in [low, high].
  double number(const std::string& key, double fallback, double low, double high);
  std::int64_t integer(const std::string& key, std::int64_t fallback, std::int64_t low, std::int64_t high);
  /// Whether the file or an override sets `key` (a table counts when any key below it is set).
  bool has(const std::string& key) const;
  /// A list of values of any type, each as its text: words as they are, numbers as TOML. Throws StudyError where it is no list.
  std::vector<std::string> texts(const std::string& key);
  /// All keys below the table `key` that the file or an override sets, in alphabetical order, without "key." before them.
  std::vector<std::string> keys(const std::string& key) const;
  /// Names of the sub-tables of `key`, in the file's order.
  std::vector<std::string> tables(const std::string& key) const;

  /// "file:line" of `key`, for messages of the rooms' own checks; "file" where the default is used.
  std::string where(const std::string& key) const;
  /// Throws StudyError naming every key that was set but never read, and every table without a key in which none is read, with
  /// file, line and the nearest that is read.
  void require_all_read() const;

  /// The resolved study (values used, defaults included) as TOML text, sorted by key.
  std::string resolved() const;
  /// resolved() restricted to `parts`: tables ("training", "simulation.cells") and keys ("recording.target"). What a part with
  /// "!" before it names is left out ("!training.max_minutes").
  std::string resolved(const std::vector<std::string>& parts) const;
  /// 16 hex digits (xxHash64) of resolved(parts).
  std::string hash(const std::vector<std::string>& parts) const;
  /// File name as given.
  const std::string& file() const;

 private:
  Study();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The lines in which two resolved studies differ, as "key: a -> b", for messages.
std::vector<std::string> study_differences(const std::string& resolved_a, const std::string& resolved_b);

/// The word in `words` nearest to `word` (edit distance), empty where none is near.
std::string nearest_word(const std::string& word, const std::vector<std::string>& words);

}  // namespace amacrine::core
