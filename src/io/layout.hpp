// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/provenance.hpp"
#include "amacrine/io/result_file.hpp"
#include "raw_file.hpp"

#include <string>
#include <variant>
#include <vector>

namespace amacrine::io::detail {

/// A text, number or list of numbers attached to a variable or dimension ("" for the root group).
struct Extra {
  std::string object, name;
  std::variant<std::string, double, std::vector<double>> value;
};

/// Everything about a result file but its values.
struct Layout {
  std::string kind;
  Provenance provenance;
  std::vector<Dimension> dimensions;
  std::vector<Variable> variables;
  std::vector<TextVariable> texts;
  std::vector<Extra> extras;

  const Dimension* find_dimension(const std::string& name) const;
  const Variable* find_variable(const std::string& name) const;
  std::vector<std::size_t> shape(const Variable& variable) const;
  /// Throws core::Error where names clash or are unknown.
  void check() const;
};

/// Version of the layout of our files, in their root attribute "format" as "amacrine 2". Since 2 whole files have checksums.
constexpr int format_version = 2, first_checked_version = 2;

/// Serial: makes the file with all metadata, coordinates and unwritten variables, marked as not complete, and closes it.
void create_file(const std::string& path, const Layout& layout);
/// Serial: marks a file as complete. Returns where the values of the variables lie.
std::vector<ByteRange> mark_complete(const std::string& path, const Layout& layout);

}  // namespace amacrine::io::detail
