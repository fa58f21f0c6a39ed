// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/study.hpp"

#include "amacrine/core/version.hpp"
#include "study_value.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

namespace amacrine::core {

using detail::Scalar;
using detail::Setting;
using detail::Settings;
using detail::Value;

struct Study::Impl {
  std::string file;
  Settings set;                       ///< what the file and the overrides say
  Settings empty;                     ///< tables of the file without a key
  std::map<std::string, Value> used;  ///< what the getters returned

  const Setting* find(const std::string& key) const {
    const auto found = set.find(key);
    return found == set.end() ? nullptr : &found->second;
  }
  /// The first key below the table `key`, or null.
  const std::string* below(const std::string& key) const {
    const auto found = set.lower_bound(key + ".");
    return found != set.end() && found->first.compare(0, key.size() + 1, key + ".") == 0 ? &found->first : nullptr;
  }
  std::string place(const Setting& setting) const {
    return setting.line == 0 ? "command line" : fmt::format("{}:{}", file, setting.line);
  }
};

namespace {

template <class T>
struct Kind;
template <>
struct Kind<bool> {
  static constexpr const char* name = "true or false";
};
template <>
struct Kind<int> {
  static constexpr const char* name = "a whole number";
};
template <>
struct Kind<std::int64_t> : Kind<int> {};
template <>
struct Kind<double> {
  static constexpr const char* name = "a number";
};
template <>
struct Kind<std::string> {
  static constexpr const char* name = "a text in quotes";
};
template <class T>
struct Kind<std::vector<T>> {
  static std::string list() { return fmt::format("a list, each item {}", Kind<T>::name); }
};

template <class T>
constexpr bool is_vector = false;
template <class T>
constexpr bool is_vector<std::vector<T>> = true;

template <class T>
std::string kind_name() {
  if constexpr (is_vector<T>) {
    return Kind<T>::list();
  } else {
    return Kind<T>::name;
  }
}

/// Whether `scalar` is a T, and its value. Whole numbers serve as numbers, and numbers without a fraction, such as 1e5, as whole
/// ones.
bool convert(const Scalar& scalar, bool& out) {
  return std::holds_alternative<bool>(scalar) && (out = std::get<bool>(scalar), true);
}
bool convert(const Scalar& scalar, std::int64_t& out) {
  if (const double* number = std::get_if<double>(&scalar)) {
    constexpr double exact = 9007199254740992.0;  // 2^53: beyond, neighbouring whole numbers are one double
    if (!(std::abs(*number) <= exact) || *number != std::floor(*number)) return false;
    return out = static_cast<std::int64_t>(*number), true;
  }
  return std::holds_alternative<std::int64_t>(scalar) && (out = std::get<std::int64_t>(scalar), true);
}
bool convert(const Scalar& scalar, int& out) {
  std::int64_t wide = 0;
  if (!convert(scalar, wide) || wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()) return false;
  out = static_cast<int>(wide);
  return true;
}
bool convert(const Scalar& scalar, double& out) {
  std::int64_t whole = 0;
  if (convert(scalar, whole)) return out = static_cast<double>(whole), true;
  return std::holds_alternative<double>(scalar) && (out = std::get<double>(scalar), true);
}
bool convert(const Scalar& scalar, std::string& out) {
  return std::holds_alternative<std::string>(scalar) && (out = std::get<std::string>(scalar), true);
}

template <class T>
bool convert(const Value& value, T& out) {
  if constexpr (is_vector<T>) {
    if (!value.list) return false;
    out.clear();
    for (const Scalar& item : value.items) {
      typename T::value_type converted{};
      if (!convert(item, converted)) return false;
      out.push_back(converted);
    }
    return true;
  } else {
    return !value.list && convert(value.items[0], out);
  }
}

Scalar scalar_of(bool value) { return value; }
Scalar scalar_of(int value) { return static_cast<std::int64_t>(value); }
Scalar scalar_of(std::int64_t value) { return value; }
Scalar scalar_of(double value) { return value; }
Scalar scalar_of(const std::string& value) { return value; }

template <class T>
Value value_of(const T& value) {
  if constexpr (is_vector<T>) {
    Value out{true, {}};
    for (const auto& item : value) out.items.push_back(scalar_of(item));
    return out;
  } else {
    return Value{false, {scalar_of(value)}};
  }
}

std::string top_table(const std::string& key) { return key.substr(0, key.find('.')); }

/// Whether `parts` select a key: some part is it, or a table it is in, and none of those with "!".
bool selected(const std::string& key, const std::vector<std::string>& parts) {
  const auto covers = [&](std::string_view part) {
    return key.starts_with(part) && (key.size() == part.size() || key[part.size()] == '.');
  };
  bool in = false;
  for (const std::string_view part : parts) {
    if (part.starts_with("!") && covers(part.substr(1))) return false;
    in = in || covers(part);
  }
  return in;
}

/// A key as table ("" at the top) and name, so that a table's own keys come before those of its sub-tables.
std::pair<std::string, std::string> table_and_name(const std::string& key) {
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? std::pair{std::string{}, key} : std::pair{key.substr(0, dot), key.substr(dot + 1)};
}

/// A key part as TOML wants it: bare where it may be.
std::string key_text(const std::string& dotted) {
  std::string out, part;
  std::stringstream parts(dotted);
  while (std::getline(parts, part, '.')) {
    const bool bare =
        !part.empty() &&
        part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == std::string::npos;
    if (!out.empty()) out += '.';
    out += bare ? part : detail::toml_text(Value{false, {part}});
  }
  return out;
}

void apply_override(Settings& set, const std::string& text, std::size_t order) {
  const auto equals = text.find('=');
  const std::string key = text.substr(0, equals);
  require<StudyError>(equals != std::string::npos && !key.empty() && key.front() != '.' && key.back() != '.' &&
                          key.find_first_of(" \t\"'") == std::string::npos && key.find("..") == std::string::npos,
                      "command line: '{}' is not an override; expected table.key=value, such as training.learning_rate=3e-3",
                      text);
  for (auto& [name, setting] : detail::parse_override(key, text.substr(equals + 1))) {
    for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
      require<StudyError>(!set.contains(name.substr(0, dot)), "command line: '{}' sets '{}', but '{}' is a value, not a table",
                          text, name, name.substr(0, dot));
    const auto next = set.lower_bound(name + ".");
    require<StudyError>(next == set.end() || next->first.compare(0, name.size() + 1, name + ".") != 0,
                        "command line: '{}' gives '{}' a value, but it is a table (it holds '{}')", text, name,
                        next == set.end() ? "" : next->first);
    // A key that the file has too keeps its place in the file's order.
    const auto old = set.find(name);
    setting.order = old == set.end() ? order : old->second.order;
    set[name] = setting;
  }
}

}  // namespace

Study::Study() : impl_(std::make_unique<Impl>()) {}
Study::Study(Study&&) noexcept = default;
Study& Study::operator=(Study&&) noexcept = default;
Study::~Study() = default;

Study Study::from_file(const std::string& path, const std::vector<std::string>& overrides) {
  std::error_code unknown;
  require<StudyError>(!std::filesystem::is_directory(path, unknown), "{}: is a folder; expected a study file (TOML), such as {}",
                      path, (std::filesystem::path(path) / "study.toml").string());
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  require<StudyError>(stream.good(), "{}: the study file cannot be read; expected the path of a TOML file", path);
  return from_text(text.str(), path, overrides);
}

Study Study::from_text(const std::string& text, const std::string& name, const std::vector<std::string>& overrides) {
  Study study;
  study.impl_->file = name;
  study.impl_->set = detail::parse_toml(text, name, &study.impl_->empty);
  std::size_t order = std::numeric_limits<std::size_t>::max() / 2;
  for (const std::string& change : overrides) apply_override(study.impl_->set, change, order++);
  return study;
}

template <class T>
T Study::get(const std::string& key, const T& fallback) {
  T value = fallback;
  if (const Setting* setting = impl_->find(key)) {
    require<StudyError>(convert(setting->value, value), "{}: '{}' must be {}, but is {}", impl_->place(*setting), key,
                        kind_name<T>(), detail::describe(setting->value));
  } else if (const std::string* inner = impl_->below(key)) {
    fail<StudyError>("{}: '{}' must be {}, but is a table (it holds '{}')", impl_->place(impl_->set[*inner]), key, kind_name<T>(),
                     *inner);
  }
  impl_->used[key] = value_of(value);
  return value;
}

template <class T>
T Study::need(const std::string& key) {
  require<StudyError>(has(key), "{}: '{}' is missing; expected {}", impl_->file, key, kind_name<T>());
  return get<T>(key, T{});
}

std::string Study::choose(const std::string& key, const std::string& fallback, const std::vector<std::string>& words) {
  std::string word = get<std::string>(key, fallback);
  if (std::find(words.begin(), words.end(), word) != words.end()) return word;
  const std::string near = nearest_word(word, words);
  fail<StudyError>("{}: '{}' is \"{}\"; expected one of {}{}", where(key), key, word, fmt::join(words, ", "),
                   near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near));
}

double Study::number(const std::string& key, double fallback, double low, double high) {
  const double value = get<double>(key, fallback);
  require<StudyError>(value >= low && value <= high, "{}: '{}' is {}; expected a number from {} to {}", where(key), key, value,
                      low, high);
  return value;
}

std::int64_t Study::integer(const std::string& key, std::int64_t fallback, std::int64_t low, std::int64_t high) {
  const std::int64_t value = get<std::int64_t>(key, fallback);
  require<StudyError>(value >= low && value <= high, "{}: '{}' is {}; expected a whole number from {} to {}", where(key), key,
                      value, low, high);
  return value;
}

bool Study::has(const std::string& key) const { return impl_->find(key) || impl_->below(key); }

std::vector<std::string> Study::texts(const std::string& key) {
  const Setting* setting = impl_->find(key);
  require<StudyError>(setting != nullptr && setting->value.list, "{}: '{}' must be a list", where(key), key);
  impl_->used[key] = setting->value;
  std::vector<std::string> texts;
  for (const Scalar& item : setting->value.items) {
    const std::string* const word = std::get_if<std::string>(&item);
    texts.push_back(word != nullptr ? *word : detail::toml_text(Value{false, {item}}));
  }
  return texts;
}

std::vector<std::string> Study::keys(const std::string& key) const {
  std::vector<std::string> names;
  const std::string table = key + ".";
  for (auto at = impl_->set.lower_bound(table); at != impl_->set.end() && at->first.starts_with(table); ++at)
    names.push_back(at->first.substr(table.size()));
  return names;
}

std::vector<std::string> Study::tables(const std::string& key) const {
  std::map<std::string, std::size_t> first;
  const auto note = [&](const std::string& name, std::size_t order) {  // of anything in a table, "a.b.c." for a table itself
    if (name.compare(0, key.size() + 1, key + ".") != 0) return;
    const auto dot = name.find('.', key.size() + 1);
    if (dot == std::string::npos) return;
    const auto [entry, fresh] = first.emplace(name.substr(key.size() + 1, dot - key.size() - 1), order);
    if (!fresh) entry->second = std::min(entry->second, order);
  };
  for (const auto& [name, setting] : impl_->set) note(name, setting.order);
  for (const auto& [name, setting] : impl_->empty) note(name + ".", setting.order);
  std::vector<std::string> names;
  names.reserve(first.size());
  for (const auto& entry : first) names.push_back(entry.first);
  std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return first[a] < first[b]; });
  return names;
}

std::string Study::where(const std::string& key) const {
  if (const auto table = impl_->empty.find(key); table != impl_->empty.end() && !impl_->below(key))
    return impl_->place(table->second);
  if (const Setting* setting = impl_->find(key)) return impl_->place(*setting);
  if (const std::string* inner = impl_->below(key)) return impl_->place(impl_->set[*inner]);
  return impl_->file;
}

void Study::require_all_read() const {
  std::vector<std::string> keys;
  std::set<std::string> tables;
  for (const auto& [key, value] : impl_->used) {
    keys.push_back(key);
    for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) tables.insert(key.substr(0, dot));
  }
  std::vector<std::string> faults;
  const auto unknown = [&](const char* what, const std::string& name, const Setting& setting,
                           const std::vector<std::string>& known) {
    const std::string near = nearest_word(name, known);
    faults.push_back(fmt::format("{}: unknown {} '{}'{}", impl_->place(setting), what, name,
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  };
  for (const auto& [key, setting] : impl_->set)
    if (!impl_->used.contains(key)) unknown("key", key, setting, keys);
  for (const auto& [table, setting] : impl_->empty)
    if (!table.empty() && !tables.contains(table)) unknown("table", table, setting, {tables.begin(), tables.end()});
  require<StudyError>(faults.empty(), "{}", fmt::join(faults, "\n"));
}

std::string Study::resolved() const {
  std::set<std::string> tables;
  for (const auto& entry : impl_->used) tables.insert(top_table(entry.first));
  return resolved({tables.begin(), tables.end()});
}

std::string Study::resolved(const std::vector<std::string>& parts) const {
  std::map<std::pair<std::string, std::string>, const Value*> sorted;
  for (const auto& [key, value] : impl_->used)
    if (selected(key, parts)) sorted[table_and_name(key)] = &value;
  std::string text, current;
  for (const auto& [key, value] : sorted) {
    if (key.first != current) text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", key_text(key.first));
    current = key.first;
    text += fmt::format("{} = {}\n", key_text(key.second), detail::toml_text(*value));
  }
  return text;
}

std::string Study::hash(const std::vector<std::string>& parts) const {
  const std::string text = resolved(parts);
  return hash_bytes(text.data(), text.size());
}

const std::string& Study::file() const { return impl_->file; }

std::vector<std::string> study_differences(const std::string& resolved_a, const std::string& resolved_b) {
  const Settings a = detail::parse_toml(resolved_a, "first study"), b = detail::parse_toml(resolved_b, "second study");
  std::set<std::string> keys;
  for (const auto& entry : a) keys.insert(entry.first);
  for (const auto& entry : b) keys.insert(entry.first);
  const auto text = [](const Settings& settings, const std::string& key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string("(absent)") : detail::toml_text(found->second.value);
  };
  std::vector<std::string> lines;
  for (const std::string& key : keys)
    if (text(a, key) != text(b, key)) lines.push_back(fmt::format("{}: {} -> {}", key, text(a, key), text(b, key)));
  return lines;
}

template bool Study::get(const std::string&, const bool&);
template int Study::get(const std::string&, const int&);
template std::int64_t Study::get(const std::string&, const std::int64_t&);
template double Study::get(const std::string&, const double&);
template std::string Study::get(const std::string&, const std::string&);
template std::vector<int> Study::get(const std::string&, const std::vector<int>&);
template std::vector<double> Study::get(const std::string&, const std::vector<double>&);
template std::vector<std::string> Study::get(const std::string&, const std::vector<std::string>&);
template bool Study::need(const std::string&);
template int Study::need(const std::string&);
template std::int64_t Study::need(const std::string&);
template double Study::need(const std::string&);
template std::string Study::need(const std::string&);
template std::vector<int> Study::need(const std::string&);
template std::vector<double> Study::need(const std::string&);
template std::vector<std::string> Study::need(const std::string&);

}  // namespace amacrine::core
