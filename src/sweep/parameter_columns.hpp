// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace amacrine::sweep {

/// What trials set, as a table: a column for each key that any of them sets, in the order of their first appearance.
class ParameterColumns {
 public:
  /// `values`: per trial, texts "key=value".
  explicit ParameterColumns(const std::vector<std::vector<std::string>>& values);
  const std::vector<std::string>& keys() const { return keys_; }
  /// Empty where the trial does not set the key.
  const std::string& text(std::size_t trial, std::size_t key) const { return texts_[trial][key]; }
  /// The column as numbers, NaN where it is not set; nothing where some text is no number.
  std::optional<std::vector<double>> numbers(std::size_t key) const;
  /// The different texts of a column, in the order of their first appearance.
  std::vector<std::string> words(std::size_t key) const;

 private:
  std::vector<std::string> keys_;
  std::vector<std::vector<std::string>> texts_;  ///< (trial, key)
};

}  // namespace amacrine::sweep
