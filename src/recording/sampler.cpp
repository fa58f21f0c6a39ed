// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/sampler.hpp"

#include "amacrine/core/random.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::recording {

namespace {

/// Appends the part of [begin, end) that is not empty.
void append(std::vector<parallel::Range>& ranges, std::size_t begin, std::size_t end) {
  if (end > begin) ranges.push_back({begin, end});
}

std::size_t total(const std::vector<parallel::Range>& ranges) {
  std::size_t sum = 0;
  for (const parallel::Range& range : ranges) sum += range.size();
  return sum;
}

}  // namespace

SegmentSampler::SegmentSampler(const Recording& recording, const RecordingSettings& settings, const Sampling& sampling)
    : sampling_(sampling) {
  const std::size_t frames = recording.train.movie.frames();
  const std::size_t reach = sampling.history - 1 + sampling.minimum_lag;  // frames a window needs before its target
  // Frames of windows apart are read in whole rounds of the spacing, the last perhaps beyond the last window's.
  const std::size_t beyond = (sampling.spacing - sampling.history % sampling.spacing) % sampling.spacing;
  const auto kept = static_cast<std::size_t>(std::llround(static_cast<double>(frames) * settings.validation_fraction));
  const std::size_t split = frames - kept;
  for (std::size_t block = 0; block < recording.block_starts.size(); ++block) {
    const std::size_t start = recording.block_starts[block];
    const std::size_t end = block + 1 < recording.block_starts.size() ? recording.block_starts[block + 1] : frames;
    const std::size_t first = start + std::max(recording.skip_frames, reach);
    append(training_, first, std::min({end, split, frames - std::min(frames, beyond)}));
    append(validation_, std::max(first, split + reach), end);
  }
  for (const parallel::Range& range : training_) segments_ += segments_of(range);
  core::require<core::InputError>(segments_ >= sampling.segments && sampling.segments > 0,
                                  "{}: dataset train/stimulus has {} windows for training in {} block(s), room for {} segments "
                                  "of {} windows {} frame(s) apart; a batch needs {}. Use a longer recording, "
                                  "or shorter or fewer segments",
                                  recording.path, total(training_), recording.block_starts.size(), segments_, sampling.windows,
                                  sampling.spacing, sampling.segments);
}

/// Segments come in rounds: as many as there are frames between neighbouring windows, one beginning at each. Their windows fill
/// spacing * windows frames.
std::size_t SegmentSampler::segments_of(const parallel::Range& range) const {
  const std::size_t round = sampling_.windows * sampling_.spacing;
  if (round == 0 || range.size() < round) return 0;
  return std::max<std::size_t>(1, (range.size() + 1 - round) / round) * sampling_.spacing;  // leaves room for every phase
}

/// First target frame of a range's segment, from that of its first one on.
std::size_t SegmentSampler::first_of(std::size_t segment) const {
  return segment / sampling_.spacing * sampling_.spacing * sampling_.windows + segment % sampling_.spacing;
}

void SegmentSampler::shuffle(std::size_t epoch) const {
  if (epoch == shuffled_epoch_) return;
  core::Random random(sampling_.data_seed, core::Stream::segments, epoch);
  order_.clear();
  for (const parallel::Range& range : training_) {
    const std::size_t count = segments_of(range);
    if (count == 0) continue;
    const std::size_t slack = range.size() - count * sampling_.windows;
    const std::size_t phase = random.below(static_cast<std::uint32_t>(slack + 1));
    for (std::size_t segment = 0; segment < count; ++segment) order_.push_back(range.begin + phase + first_of(segment));
  }
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(static_cast<std::uint32_t>(i))]);
  shuffled_epoch_ = epoch;
}

std::vector<std::size_t> SegmentSampler::batch(std::size_t epoch, std::size_t step) const {
  core::require(step < steps_per_epoch(), "step {} was asked for, but an epoch has {}", step, steps_per_epoch());
  shuffle(epoch);
  const auto first = order_.begin() + static_cast<std::ptrdiff_t>(step * sampling_.segments);
  return {first, first + static_cast<std::ptrdiff_t>(sampling_.segments)};
}

std::vector<parallel::Range> SegmentSampler::validation_segments() const {
  std::vector<parallel::Range> runs;
  for (const parallel::Range& range : validation_)
    for (std::size_t at = range.begin; at < range.end; at += sampling_.windows)
      runs.push_back({at, std::min(range.end, at + sampling_.windows)});
  return runs;
}

std::vector<std::size_t> SegmentSampler::spread(std::size_t windows) const {
  std::vector<std::size_t> all;
  for (const parallel::Range& range : training_)
    for (std::size_t segment = 0; segment < segments_of(range); ++segment) all.push_back(range.begin + first_of(segment));
  const std::size_t wanted = std::min(all.size(), (windows + sampling_.windows - 1) / sampling_.windows);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(all[(2 * i + 1) * all.size() / (2 * wanted)]);
  return chosen;
}

}  // namespace amacrine::recording
