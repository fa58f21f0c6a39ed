// SPDX-License-Identifier: Apache-2.0
#include "parameter_columns.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace amacrine::sweep {

ParameterColumns::ParameterColumns(const std::vector<std::vector<std::string>>& values) : texts_(values.size()) {
  for (std::size_t trial = 0; trial < values.size(); ++trial)
    for (const std::string& value : values[trial]) {
      const auto equals = value.find('=');
      const std::string key = value.substr(0, equals);
      const auto found = std::find(keys_.begin(), keys_.end(), key);
      const auto column = static_cast<std::size_t>(found - keys_.begin());
      if (found == keys_.end()) keys_.push_back(key);
      if (texts_[trial].size() <= column) texts_[trial].resize(column + 1);
      texts_[trial][column] = value.substr(equals + 1);
    }
  for (auto& row : texts_) row.resize(keys_.size());
}

std::optional<std::vector<double>> ParameterColumns::numbers(std::size_t key) const {
  std::vector<double> numbers;
  for (const auto& row : texts_) {
    char* end = nullptr;
    numbers.push_back(row[key].empty() ? std::numeric_limits<double>::quiet_NaN() : std::strtod(row[key].c_str(), &end));
    if (end != nullptr && *end != '\0') return std::nullopt;
  }
  return numbers;
}

std::vector<std::string> ParameterColumns::words(std::size_t key) const {
  std::vector<std::string> words;
  for (const auto& row : texts_)
    if (!row[key].empty() && std::find(words.begin(), words.end(), row[key]) == words.end()) words.push_back(row[key]);
  return words;
}

}  // namespace amacrine::sweep
