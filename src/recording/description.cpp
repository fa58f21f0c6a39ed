// SPDX-License-Identifier: Apache-2.0
// One line about a recording for every run, and warnings where its figures are not those of a retina.
#include "amacrine/core/log.hpp"
#include "amacrine/recording/reader.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

double mean_rate(std::span<const float> rate) {
  return rate.empty() ? 0.0 : std::accumulate(rate.begin(), rate.end(), 0.0) / static_cast<double>(rate.size());
}

std::string part_in_words(const Recording& recording, const Part& part, const char* name) {
  const double seconds = static_cast<double>(part.target.extent(1)) * recording.screen.frame_ms / 1000;
  std::vector<std::string> cells;
  for (std::size_t n = 0; n < part.target.extent(0); ++n) {
    const auto rate = part.target.row(n);
    cells.push_back(
        fmt::format("{} {:.3g} / {:.3g}", recording.cells[n].name, mean_rate(rate), *std::max_element(rate.begin(), rate.end())));
  }
  return fmt::format("; {} {} frames = {}, mean / largest {}: {}", name, part.target.extent(1), core::human_seconds(seconds),
                     recording.target_kind == "trace" ? "value" : "rate (Hz)", fmt::join(cells, ", "));
}

}  // namespace

std::string description(const Recording& recording, int history) {
  std::string text = fmt::format("{}: frames of {:.5g} ms, windows of {} frames = {:.4g} ms", recording.path,
                                 recording.screen.frame_ms, history, history * recording.screen.frame_ms);
  if (!recording.train.target.empty()) text += part_in_words(recording, recording.train, "train");
  if (!recording.test.target.empty()) text += part_in_words(recording, recording.test, "test");
  return text;
}

void describe_and_check(const Recording& recording, int history) {
  constexpr double shortest_ms = 2, longest_ms = 50, shortest_window_ms = 100, longest_window_ms = 1500, largest_mean_hz = 100;
  core::log("{}", description(recording, history));
  const double frame_ms = recording.screen.frame_ms, window_ms = history * frame_ms;
  if (frame_ms < shortest_ms || frame_ms > longest_ms)
    core::warn(
        "{}: a frame interval of {:.5g} ms is unusual (2 to 50 ms are usual){}; the interval comes from the attribute frame_ms, "
        "train/time or "
        "recording.frame_ms",
        recording.path, frame_ms,
        frame_ms > longest_ms ? fmt::format(". If it was meant in Hz, it is {:.5g} ms", 1000 / frame_ms) : "");
  if (window_ms < shortest_window_ms || window_ms > longest_window_ms)
    core::warn(
        "{}: a window of {} frames of {:.5g} ms lasts {:.4g} ms; ganglion cells look 200 to 500 ms back. Set model.history = {}, "
        "or mend the frame interval",
        recording.path, history, frame_ms, window_ms, std::max(2L, std::lround(400 / frame_ms)));
  for (const Part* part : {&recording.train, &recording.test})
    for (std::size_t n = 0; n < (part->target.empty() ? 0 : part->target.extent(0)); ++n)
      if (const double mean = mean_rate(part->target.row(n)); mean > largest_mean_hz)
        core::warn("{}: cell {} ({}) fires at {:.4g} Hz on average; is the frame interval of {:.5g} ms right?", recording.path,
                   recording.cells[n].id, recording.cells[n].name, mean, frame_ms);
}

}  // namespace amacrine::recording
