// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace amacrine::sweep {

/// What has happened to a trial: a line of the sweep's journal.
struct Entry {
  enum class Kind { reached, failed, retry };
  Kind kind = Kind::reached;
  std::size_t trial = 0;
  std::vector<std::string> values;  ///< what the trial sets: of another sweep where they differ
  std::size_t rung = 0;             ///< reached
  bool finished = false;            ///< nothing is left to train: the budget is used, or early stopping ended it
  std::size_t epochs = 0;           ///< trained so far
  double windows = 0;               ///< the same in windows
  double value = 0;                 ///< the best of the validations so far: correlation, or loss
  std::string reason;               ///< of a failure
  std::size_t group = 0;            ///< of ranks that computed it
  double begin = 0, end = 0;        ///< when, in seconds since 1970
};

std::string encode(const Entry& entry);
/// Nothing where the text is no entry.
std::optional<Entry> decode(const std::string& text);

}  // namespace amacrine::sweep
