// SPDX-License-Identifier: Apache-2.0
// The only source that sees the TOML library.
#include "amacrine/core/errors.hpp"
#include "study_value.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace amacrine::core::detail {
namespace {

Scalar scalar_of(const toml::node& node, const std::string& file, const std::string& key) {
  if (auto boolean = node.as_boolean()) return boolean->get();
  if (auto integer = node.as_integer()) return integer->get();
  if (auto number = node.as_floating_point()) return number->get();
  if (auto text = node.as_string()) return text->get();
  fail<StudyError>(
      "{}:{}: '{}' is neither a number, true or false, a text, nor a list of these (dates and lists of tables are not used)",
      file, node.source().begin.line, key);
}

void note_place(const toml::node& node, Setting& setting) {
  setting.line = static_cast<int>(node.source().begin.line);
  setting.order = static_cast<std::size_t>(node.source().begin.line) * 1000 + node.source().begin.column;
}

void flatten(const toml::node& node, const std::string& key, const std::string& file, Settings& settings, Settings* empty) {
  if (auto table = node.as_table()) {
    if (table->empty() && empty != nullptr) note_place(node, (*empty)[key]);
    for (auto&& [name, child] : *table) {
      const std::string word{name.str()};
      require<StudyError>(word.find('.') == std::string::npos, "{}:{}: the key \"{}\" holds a dot; use a table instead", file,
                          child.source().begin.line, word);
      flatten(child, key.empty() ? word : key + "." + word, file, settings, empty);
    }
    return;
  }
  Setting setting;
  note_place(node, setting);
  if (auto array = node.as_array()) {
    setting.value.list = true;
    for (auto&& child : *array) setting.value.items.push_back(scalar_of(child, file, key));
  } else {
    setting.value.items.push_back(scalar_of(node, file, key));
  }
  settings[key] = std::move(setting);
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::optional<Settings> try_toml(const std::string& key, const std::string& text) {
  // A table of one key: the value must be all there is, so that "1\nb = 2" is not taken for two settings.
  if (text.find('\n') != std::string::npos) return std::nullopt;
  try {
    const toml::table table = toml::parse("value = " + text + "\n");
    if (table.get("value")->is_date() || table.get("value")->is_time() || table.get("value")->is_date_time()) return std::nullopt;
    Settings settings;
    flatten(*table.get("value"), key, "command line", settings, nullptr);
    return settings;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

/// "[a, b c]" -> a list of texts or numbers.
Value bare_list(const std::string& key, const std::string& text) {
  Value value{true, {}};
  std::stringstream items(text.substr(1, text.size() - 2));
  for (std::string item; std::getline(items, item, ',');) {
    const std::string word = trimmed(item);
    if (word.empty()) continue;
    if (auto parsed = try_toml(key, word); parsed && parsed->size() == 1 && !parsed->begin()->second.value.list) {
      value.items.push_back(parsed->begin()->second.value.items[0]);
    } else {
      value.items.emplace_back(word);
    }
  }
  return value;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string scalar_text(const Scalar& scalar) {
  if (auto boolean = std::get_if<bool>(&scalar)) return *boolean ? "true" : "false";
  if (auto integer = std::get_if<std::int64_t>(&scalar)) return fmt::format("{}", *integer);
  if (auto number = std::get_if<double>(&scalar)) return number_text(*number);
  return quoted(std::get<std::string>(scalar));
}

}  // namespace

Settings parse_toml(const std::string& text, const std::string& file, Settings* empty) {
  try {
    Settings settings;
    flatten(toml::parse(text, std::string_view(file)), "", file, settings, empty);
    return settings;
  } catch (const toml::parse_error& error) {
    fail<StudyError>("{}:{}: not valid TOML: {}", file, error.source().begin.line, error.description());
  }
}

Settings parse_override(const std::string& key, const std::string& text) {
  if (auto settings = try_toml(key, text)) {
    for (auto& entry : *settings) entry.second.line = 0;
    return *settings;
  }
  const std::string word = trimmed(text);
  Setting setting;
  if (word.size() >= 2 && word.front() == '[' && word.back() == ']') {
    setting.value = bare_list(key, word);
  } else {
    setting.value.items.emplace_back(word);
  }
  return {{key, setting}};
}

std::string toml_text(const Value& value) {
  if (!value.list) return scalar_text(value.items[0]);
  std::string text = "[";
  for (const Scalar& item : value.items) {
    if (text.size() > 1) text += ", ";
    text += scalar_text(item);
  }
  return text + "]";
}

std::string describe(const Value& value) {
  static const char* const names[] = {"", "the whole number ", "the number ", "the text "};
  return (value.list ? "the list " : names[value.items[0].index()]) + toml_text(value);
}

}  // namespace amacrine::core::detail
