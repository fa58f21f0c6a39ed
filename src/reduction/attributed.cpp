// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/attributed.hpp"

#include <map>

namespace amacrine::reduction {

std::string stimulus_of(const std::string& condition) {
  std::string head = condition.substr(0, condition.find('/'));
  const std::size_t at = head.find('@');
  const std::string family = head.substr(0, at), set = at == std::string::npos ? std::string{} : head.substr(at);
  if (family == "reversal_smooth") return "reversal" + set;
  if (family == "moving_bar" || family == "flashed_bar") return "anticipation" + set;
  return head;
}

void mark_held_out(std::vector<AttributedCondition>& conditions, int every) {
  std::map<std::string, int> seen;
  for (auto& condition : conditions) {
    const int index = seen[condition.stimulus]++;
    condition.held_out = every > 1 && index % every == every / 2;
  }
  for (auto& condition : conditions)
    if (seen[condition.stimulus] == 1) condition.held_out = false;
}

std::vector<Line> lines_of(const FirstLayer& layer, bool by_gain) {
  std::vector<Line> lines;
  for (std::size_t c = 0; c < layer.gain.extent(0); ++c) {
    std::size_t positive = 0, negative = 0;
    for (float gain : layer.gain.row(c)) {
      positive += gain > 0;
      negative += gain < 0;
    }
    const int channel = static_cast<int>(c), main = positive >= negative ? 1 : -1;
    const std::size_t rarer = positive >= negative ? negative : positive;
    if (by_gain && rarer > 0) {
      lines.push_back({channel, 1});
      lines.push_back({channel, -1});
    } else {
      lines.push_back({channel, 20 * rarer >= positive + negative && rarer > 0 ? 0 : main});
    }
  }
  return lines;
}

}  // namespace amacrine::reduction
