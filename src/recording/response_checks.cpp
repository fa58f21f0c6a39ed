// SPDX-License-Identifier: Apache-2.0
#include "response_checks.hpp"

#include "amacrine/core/log.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

namespace amacrine::recording {

namespace {

/// The longest run of one value.
std::pair<std::size_t, std::size_t> longest_run(std::span<const float> values) {
  std::size_t begin = 0, best_begin = 0, best_end = 0;
  for (std::size_t t = 0; t < values.size(); ++t) {
    if (values[t] != values[begin]) begin = t;
    if (t + 1 - begin > best_end - best_begin) best_begin = begin, best_end = t + 1;
  }
  return {best_begin, best_end};
}

/// The third longest silence of a cell, in bins: some fire in bursts, with pauses of seconds between them.
std::size_t usual_silence(std::span<const float> rate) {
  std::vector<std::size_t> silences{0, 0, 0};
  std::size_t length = 0;
  for (const float hz : rate) {
    if (hz == 0) {
      ++length;
    } else if (length > 0) {
      silences.push_back(std::exchange(length, 0));
    }
  }
  silences.push_back(length);
  std::partial_sort(silences.begin(), silences.begin() + 3, silences.end(), std::greater<>());
  return silences[2];
}

/// Cells that fire alike in every bin are one cell, written twice.
void warn_of_copies(const Recording& recording, const Part& part, const char* name) {
  for (std::size_t n = 1; n < part.target.extent(0); ++n)
    for (std::size_t m = 0; m < n; ++m) {
      const auto a = part.target.row(m), b = part.target.row(n);
      if (!std::equal(a.begin(), a.end(), b.begin()) || std::all_of(a.begin(), a.end(), [&](float v) { return v == a[0]; }))
        continue;
      core::warn(
          "{}: cells {} ({}) and {} ({}) have the same response in every bin of {}; is one a copy? Leave it out with "
          "recording.cells, or write its own response",
          recording.path, recording.cells[m].id, recording.cells[m].name, recording.cells[n].id, recording.cells[n].name, name);
    }
}

}  // namespace

void check_responses(const Recording& recording, const Part& part, const char* name) {
  constexpr double least_s = 5, least_share = 0.02, least_spikes = 50;
  constexpr std::size_t least_silences = 3;
  if (part.target.empty()) return;
  warn_of_copies(recording, part, name);
  if (recording.target_kind == "trace") return;
  const double frame_s = recording.screen.frame_ms / 1000;
  for (std::size_t n = 0; n < part.target.extent(0); ++n) {
    const std::span<const float> rate = part.target.row(n);
    const auto [begin, end] = longest_run(rate);
    const double seconds = static_cast<double>(end - begin) * frame_s, rest = static_cast<double>(rate.size() - (end - begin));
    if (seconds < least_s || static_cast<double>(end - begin) < least_share * static_cast<double>(rate.size()) || rest == 0)
      continue;
    const double value = rate[begin];
    const double elsewhere = (std::accumulate(rate.begin(), rate.end(), 0.0) - value * static_cast<double>(end - begin)) / rest;
    if (value == 0 && elsewhere * seconds < least_spikes) continue;
    if (value == 0 && end - begin < least_silences * usual_silence(rate)) continue;
    core::warn(
        "{}: the response of cell {} ({}) in {} is {:g} Hz throughout frames {} to {} ({:.1f} s), {:.3g} Hz elsewhere: was the "
        "cell lost or not "
        "sorted there? Leave it out with recording.cells, or cut these frames from the file",
        recording.path, recording.cells[n].id, recording.cells[n].name, name, value, begin, end - 1, seconds, elsewhere);
  }
}

}  // namespace amacrine::recording
