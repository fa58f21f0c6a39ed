// SPDX-License-Identifier: Apache-2.0
#include "movie_scan.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

constexpr std::size_t scanned_at_once = 500;

/// Equal frames that follow each other.
struct Run {
  std::size_t begin, end;
  std::uint64_t hash;
  std::size_t size() const { return end - begin; }
};

std::vector<Run> runs_of(const MovieScan& scan) {
  std::vector<Run> runs;
  const auto& frames = scan.frames();
  for (std::size_t t = 0; t < frames.size(); ++t) {
    if (runs.empty() || runs.back().hash != frames[t].hash) runs.push_back({t, t, frames[t].hash});
    runs.back().end = t + 1;
  }
  return runs;
}

/// Mean and sd over the pixels of all frames outside the stretches.
std::pair<double, double> of_the_rest(const MovieScan& scan, const std::vector<Still>& stills) {
  double count = 0, sum = 0, squares = 0;
  auto still = stills.begin();
  for (std::size_t t = 0; t < scan.frames().size(); ++t) {
    while (still != stills.end() && t >= still->end) ++still;
    if (still != stills.end() && t >= still->begin) continue;
    count += 1, sum += scan.frames()[t].mean, squares += scan.frames()[t].square;
  }
  if (count == 0) return {0, 0};
  return {sum / count, std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count)))};
}

std::string places(const std::vector<Still>& stills, double frame_ms) {
  constexpr std::size_t most = 5;
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min(most, stills.size()); ++i)
    words.push_back(fmt::format("frames {} to {} ({:.1f} s{})", stills[i].begin, stills[i].end - 1,
                                static_cast<double>(stills[i].size()) * frame_ms / 1000,
                                stills[i].uniform ? fmt::format(", all {:g}", stills[i].value) : ""));
  return fmt::format("{}{}", fmt::join(words, ", "),
                     stills.size() > most ? fmt::format(" and {} more", stills.size() - most) : "");
}

std::size_t total_frames(const std::vector<Still>& stills) {
  std::size_t sum = 0;
  for (const Still& still : stills) sum += still.size();
  return sum;
}

/// The hash of `count` pictures from run `first` on, however long each is held.
std::uint64_t hash_of_pictures(const std::vector<Run>& runs, std::size_t first, std::size_t count) {
  std::uint64_t hash = 0;
  for (std::size_t i = first; i < first + count; ++i) hash = hash * 0x9E3779B97F4A7C15U + runs[i].hash;
  return hash;
}

}  // namespace

void MovieScan::add(std::span<const float> pixels) {
  const std::string_view bytes(reinterpret_cast<const char*>(pixels.data()), pixels.size_bytes());
  Frame frame{std::hash<std::string_view>{}(bytes), 0, 0, true};
  for (float value : pixels) {
    frame.mean += value;
    frame.square += static_cast<double>(value) * value;
    frame.uniform = frame.uniform && value == pixels[0];
  }
  frame.mean /= static_cast<double>(pixels.size());
  frame.square /= static_cast<double>(pixels.size());
  frames_.push_back(frame);
}

MovieScan scan_movie(const StoredMovie& movie) {
  MovieScan scan;
  std::vector<float> frame(movie.height() * movie.width());
  for (std::size_t t = 0; t < movie.frames(); ++t) {
    movie.contrast(t, {0, 1}, frame.data());
    scan.add(frame);
  }
  return scan;
}

MovieScan scan_movie(const Source& reader, const std::string& dataset, const std::vector<std::size_t>& shape) {
  MovieScan scan;
  const std::size_t pixels = shape[1] * shape[2];
  for (std::size_t first = 0; first < shape[0]; first += scanned_at_once) {
    const std::size_t count = std::min(scanned_at_once, shape[0] - first);
    const std::vector<float> frames = reader.read<float>(dataset, {first, 0, 0}, {count, shape[1], shape[2]});
    for (std::size_t t = 0; t < count; ++t) scan.add(std::span(frames).subspan(t * pixels, pixels));
  }
  return scan;
}

std::vector<Still> still_stretches(const MovieScan& scan, double frame_ms) {
  constexpr double shortest_ms = 1000, near_grey = 0.5;  // of the rest's sd
  constexpr std::size_t times_as_long = 10;
  const std::vector<Run> runs = runs_of(scan);
  if (runs.size() < 2) return {};
  std::vector<std::size_t> held;
  for (const Run& run : runs) held.push_back(run.size());
  std::nth_element(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(held.size() / 2), held.end());
  const std::size_t least =
      std::max(static_cast<std::size_t>(std::ceil(shortest_ms / frame_ms)), times_as_long * held[held.size() / 2]);
  std::vector<Still> stills;
  for (const Run& run : runs)
    if (run.size() >= least)
      stills.push_back({run.begin, run.end, scan.frames()[run.begin].uniform, false, scan.frames()[run.begin].mean});
  const auto [mean, sd] = of_the_rest(scan, stills);
  for (Still& still : stills) still.grey = still.uniform && std::abs(still.value - mean) <= near_grey * sd;
  return stills;
}

void check_still(const std::string& what, const MovieScan& scan, double frame_ms) {
  const std::size_t frames = scan.frames().size();
  std::vector<Still> grey, dead;
  for (const Still& still : still_stretches(scan, frame_ms)) (still.grey ? grey : dead).push_back(still);
  if (!dead.empty()) {
    const Still& last = dead.back();
    core::require<core::InputError>(!(last.end == frames && last.uniform && 20 * last.size() >= frames),
                                    "{}: the last {} of {} frames (from frame {} on) are {:g} in every pixel: was the movie "
                                    "written to its end? Write the rest, or cut the "
                                    "movie and its responses there",
                                    what, last.size(), frames, last.begin, last.value);
    core::warn("{}: the movie stands still for {} of {} frames: {}. If it was not shown like that, mend the file", what,
               total_frames(dead), frames, places(dead, frame_ms));
  }
  if (grey.empty()) return;
  const std::string found =
      fmt::format("{}: {} of {} frames are grey pauses: {}", what, total_frames(grey), frames, places(grey, frame_ms));
  if (10 * total_frames(grey) < frames) return core::log("{}", found);
  core::warn("{}. If nothing was written there, mend the file", found);
}

Copy find_copy(const MovieScan& train, const MovieScan& test) {
  constexpr std::size_t enough = 40, least = 5;
  const std::vector<Run> shown = runs_of(train), held_out = runs_of(test);
  const std::size_t length = std::min(enough, held_out.size());
  if (length < least || shown.size() < length) return {};
  std::unordered_map<std::uint64_t, std::size_t> of_test;
  for (std::size_t i = 0; i + length <= held_out.size(); ++i) of_test.emplace(hash_of_pictures(held_out, i, length), i);
  for (std::size_t i = 0; i + length <= shown.size(); ++i) {
    const auto found = of_test.find(hash_of_pictures(shown, i, length));
    if (found == of_test.end()) continue;
    std::size_t j = i + length, k = found->second + length;
    while (j < shown.size() && k < held_out.size() && shown[j].hash == held_out[k].hash) ++j, ++k;
    return {shown[i].begin, shown[j - 1].end, held_out[found->second].begin};
  }
  return {};
}

}  // namespace amacrine::recording
