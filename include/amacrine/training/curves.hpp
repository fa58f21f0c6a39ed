// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace amacrine::training {

/// One epoch of a learning curve: docs/results/curves.md.
struct EpochRecord {
  std::size_t epoch = 0;
  double windows = 0, learning_rate = 0, train_loss = 0, penalty = 0, validation_loss = 0, validation_r = 0;
  std::vector<double> cell_r;  ///< (N), NaN where undefined
  double seconds = 0, windows_per_second = 0;
  bool best = false;
};

std::string curves_csv(const std::vector<EpochRecord>& records, const std::vector<std::string>& cells);
std::string curves_jsonl(const std::vector<EpochRecord>& records, const std::vector<std::string>& cells);

}  // namespace amacrine::training
