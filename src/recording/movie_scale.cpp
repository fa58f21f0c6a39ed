// SPDX-License-Identifier: Apache-2.0
#include "movie_scale.hpp"

#include "amacrine/core/log.hpp"
#include "statistics.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::recording {

namespace {

constexpr std::size_t sampled_frames = 64;
/// Contrasts of real movies differ less: those of one adaptation experiment by 7, at the same mean.
constexpr double largest_ratio = 4;

/// Mean and sd of frames spread evenly over a movie of this shape (T, Y, X).
PixelStatistics sampled(const Source& reader, const std::string& dataset, const std::vector<std::size_t>& shape) {
  PixelStatistics statistics(shape[1] * shape[2]);
  const std::size_t count = std::min(sampled_frames, shape[0]);
  for (std::size_t i = 0; i < count; ++i)
    statistics.add(reader.read<float>(dataset, {i * shape[0] / count, 0, 0}, {1, shape[1], shape[2]}).data());
  return statistics;
}

}  // namespace

void compare_scales(const Source& reader, const RecordingSettings& settings) {
  if (settings.test_statistics == "own" || !reader.has("test/stimulus")) return;
  const auto train_shape = reader.shape("train/stimulus"), test_shape = reader.shape("test/stimulus");
  if (test_shape.size() != 3 || test_shape[0] * test_shape[1] * test_shape[2] == 0) return;  // refused where it is read
  const PixelStatistics train = sampled(reader, "train/stimulus", train_shape),
                        test = sampled(reader, "test/stimulus", test_shape);
  const double smaller = std::min(train.sd(), test.sd()), larger = std::max(train.sd(), test.sd());
  if (!(smaller > 0) || larger <= largest_ratio * smaller) return;
  const std::string found =
      fmt::format("{}: train/stimulus has mean {:.3g} and sd {:.3g}, test/stimulus mean {:.3g} and sd {:.3g}", reader.path(),
                  train.mean(), train.sd(), test.mean(), test.sd());
  core::require<core::InputError>(
      std::abs(train.mean() - test.mean()) <= largest_ratio * smaller,
      "{}: they are not on one scale, and the training movie's statistics normalise both. Store both in the same values, or set "
      "recording.test_statistics = \"own\"",
      found);
  core::warn(
      "{}: is that the contrast shown? If they are not on one scale, store both in the same values or set "
      "recording.test_statistics = \"own\"",
      found);
}

}  // namespace amacrine::recording
