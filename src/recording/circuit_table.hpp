// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "circuit_fields.hpp"

#include <string>
#include <vector>

/// Private to the definitions of circuits.
namespace amacrine::recording {

/// A table of a circuit in its TOML file. Where that file is not the study's, every value passes through the study: its
/// overrides count, and the resolved study holds what was used.
class CircuitTable {
 public:
  /// `study`: null where `file` is the study itself, or where there is none.
  CircuitTable(core::Study& file, core::Study* study, std::string name) : file_(file), study_(study), name_(std::move(name)) {}

  CircuitTable below(const std::string& key) const { return {file_, study_, full(key)}; }
  std::string full(const std::string& key) const { return name_ + "." + key; }
  bool has(const std::string& key) const { return file_.has(full(key)) || (study_ && study_->has(full(key))); }
  /// "file:line" of the key, of the table where it is not set.
  std::string where(const std::string& key) const;
  std::string where() const { return file_.where(name_); }
  std::vector<std::string> tables(const std::string& key) const { return file_.tables(full(key)); }

  /// Throw StudyError for values of the wrong type, out of range, and missing ones that are needed.
  template <class T>
  T get(const std::string& key, const T& fallback) const {
    const T said = file_.get<T>(full(key), fallback);
    return study_ ? study_->get<T>(full(key), said) : said;
  }
  std::string word(const std::string& key, const std::vector<std::string>& words) const;
  template <class Part>
  void number(Part& part, const CircuitField<Part>& field) const {
    require_there(field.key, field.needed, field.low, field.high, field.unit);
    part.*field.value = in_range(field.key, get<double>(field.key, field.fallback), field.low, field.high, field.unit);
  }
  /// Those that the first of them makes needed where it is not zero; where it is, they are read if they are there.
  template <class Part, std::size_t N>
  void numbers(Part& part, const std::array<CircuitField<Part>, N>& fields) const {
    number(part, fields[0]);
    for (std::size_t i = 1; i < N; ++i)
      if (part.*fields[0].value != 0 || has(fields[i].key)) number(part, fields[i]);
  }
  /// A value that is a number within [low, high].
  double in_range(const std::string& key, double value, double low, double high, const std::string& unit) const;

 private:
  void require_there(const std::string& key, bool needed, double low, double high, const std::string& unit) const;

  core::Study& file_;
  core::Study* study_;
  std::string name_;
};

/// Reads the circuit of that name, whose table lies in `file`. Throws StudyError.
Circuit read_circuit(core::Study& file, core::Study* study, const std::string& name);

}  // namespace amacrine::recording
