// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/study.hpp"

#include <algorithm>
#include <numeric>

namespace amacrine::core {
namespace {

/// Levenshtein distance; two neighbouring letters in the wrong order count as one.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

}  // namespace

std::string nearest_word(const std::string& word, const std::vector<std::string>& words) {
  std::string best;
  // At most a third of the letters may differ, or two of a short word.
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  const std::size_t limit = best_distance - 1;
  for (const std::string& candidate : words) {
    std::size_t distance = edit_distance(word, candidate);
    // The right key in the wrong table is a near miss however the tables are called.
    const bool same_name =
        word.find('.') != std::string::npos && last_part(word).size() > 3 && last_part(word) == last_part(candidate);
    if (same_name) distance = std::min(distance, limit);
    if (distance < best_distance) best = candidate, best_distance = distance;
  }
  return best;
}

}  // namespace amacrine::core
