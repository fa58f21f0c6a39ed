// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

/// The values of a study file, free of the TOML library: one flat map from dotted keys to values with their places.
namespace amacrine::core::detail {

using Scalar = std::variant<bool, std::int64_t, double, std::string>;
/// One value, or a list of values.
struct Value {
  bool list = false;
  std::vector<Scalar> items;  ///< exactly one where `list` is false
};

/// A value with the place it was set: line 0 stands for the command line.
struct Setting {
  Value value;
  int line = 0;
  std::size_t order = 0;  ///< rank in order of appearance
};

using Settings = std::map<std::string, Setting>;

/// Reads TOML text. Throws StudyError naming file and line. Tables without a key have no value; their places go to `empty`.
Settings parse_toml(const std::string& text, const std::string& file, Settings* empty = nullptr);

/// The value an override gives: TOML where it parses as such, otherwise the text itself ("[osr, latency]" is a list of words).
Settings parse_override(const std::string& key, const std::string& text);

/// "3e-05", "true", "\"a\"", "[1, 2]": TOML text that reads back as the same value.
std::string toml_text(const Value& value);

/// A value in words, for messages: "the text \"abc\"".
std::string describe(const Value& value);

}  // namespace amacrine::core::detail
