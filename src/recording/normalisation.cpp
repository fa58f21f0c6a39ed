// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/reader.hpp"
#include "statistics.hpp"

#include <variant>

namespace amacrine::recording {

Normalisation fit_normalisation(const StoredMovie& movie, const ContrastCoding& coding, const std::string& kind) {
  Normalisation result;
  result.kind = kind;
  if (kind == "none") return result;
  core::require(kind == "scalar" || kind == "per_pixel", "no normalisation is called '{}'; there are scalar, per_pixel and none",
                kind);
  core::require(movie.frames() > 0, "a normalisation needs a movie, but this one has no frames");
  const std::size_t pixels = movie.height() * movie.width();
  PixelStatistics statistics(pixels);
  std::visit(
      [&](const auto& values) {
        for (std::size_t t = 0; t < values.extent(0); ++t) statistics.add(values.row(t).data());
      },
      movie.pixels);
  const auto in_contrast = [&](double mean, double sd) {
    result.mean.push_back((mean - coding.zero) / coding.unit);
    result.scale.push_back(sd > 0 ? sd / coding.unit : 1.0);
  };
  result.mean.clear();
  result.scale.clear();
  if (kind == "scalar") {
    in_contrast(statistics.mean(), statistics.sd());
  } else {
    for (std::size_t p = 0; p < pixels; ++p) in_contrast(statistics.mean(p), statistics.sd(p));
  }
  return result;
}

Normalisation test_normalisation(const Recording& recording, const RecordingSettings& settings, const Normalisation& train) {
  if (settings.test_statistics == "train") return train;
  return fit_normalisation(recording.test.movie, recording.coding, train.kind);
}

}  // namespace amacrine::recording
