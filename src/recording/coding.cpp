// SPDX-License-Identifier: Apache-2.0
#include "coding.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "statistics.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace amacrine::recording {

namespace {

using core::InputError;

constexpr std::size_t frames_at_once = 1000;

/// Mean and sd of the training movie, streamed from the file.
ContrastCoding coding_from_movie(const Source& reader, const std::vector<std::size_t>& shape, MovieScan* scan) {
  const std::size_t pixels = shape[1] * shape[2];
  PixelStatistics statistics(pixels);
  for (std::size_t first = 0; first < shape[0]; first += frames_at_once) {
    const std::size_t count = std::min(frames_at_once, shape[0] - first);
    const std::vector<float> frames = reader.read<float>("train/stimulus", {first, 0, 0}, {count, shape[1], shape[2]});
    require_finite(reader, "train/stimulus", frames, pixels, first);
    for (std::size_t t = 0; t < count; ++t) {
      statistics.add(frames.data() + t * pixels);
      if (scan != nullptr) scan->add(std::span(frames).subspan(t * pixels, pixels));
    }
  }
  core::require<InputError>(
      statistics.sd() > 0,
      "{}: train/stimulus is {} in every pixel of every frame; expected a movie that changes. Was it written?", reader.path(),
      statistics.mean());
  return {statistics.mean(), statistics.sd()};
}

/// Zero and unit as attributes of one object; nothing where it has neither.
std::optional<ContrastCoding> coding_of(const Source& reader, const std::string& object) {
  const bool zero = reader.has_attribute("contrast_zero", object), unit = reader.has_attribute("contrast_unit", object);
  if (!zero && !unit) return {};
  const std::string where = object == "/" ? "the file" : "dataset " + object;
  core::require<InputError>(zero && unit,
                            "{}: {} has the attribute {}, but not {}; give both (contrast = (value - zero) / unit), or neither: "
                            "then mean and sd of the training movie are used",
                            reader.path(), where, zero ? "contrast_zero" : "contrast_unit",
                            zero ? "contrast_unit" : "contrast_zero");
  const ContrastCoding coding{reader.attribute("contrast_zero", object), reader.attribute("contrast_unit", object)};
  core::require<InputError>(std::isfinite(coding.zero) && std::isfinite(coding.unit) && coding.unit > 0,
                            "{}: attributes contrast_zero and contrast_unit are {} and {}; the unit must be above 0",
                            reader.path(), coding.zero, coding.unit);
  return coding;
}

}  // namespace

void require_finite(const Source& reader, const std::string& dataset, std::span<const float> values, std::size_t pixels,
                    std::size_t first) {
  for (std::size_t i = 0; i < values.size(); ++i)
    core::require<InputError>(std::isfinite(values[i]), "{}: dataset {} holds {} in frame {}; every pixel must be a number",
                              reader.path(), dataset, values[i], first + i / pixels);
}

void check_contrast(const Source& reader, const std::string& dataset, const std::vector<std::size_t>& shape,
                    const ContrastCoding& coding, const std::string& source) {
  constexpr std::size_t sampled_frames = 16;
  constexpr double largest = 10, smallest = 0.02;  // root mean square; natural scenes have 1, the strongest flashes 3
  const std::size_t count = std::min(sampled_frames, shape[0]);
  double squares = 0, low = INFINITY, high = -INFINITY, values = 0;
  for (std::size_t i = 0; i < count; ++i)
    for (float value : reader.read<float>(dataset, {i * shape[0] / count, 0, 0}, {1, shape[1], shape[2]})) {
      const double contrast = (value - coding.zero) / coding.unit;
      squares += contrast * contrast, values += 1;
      low = std::min<double>(low, value), high = std::max<double>(high, value);
    }
  const double rms = std::sqrt(squares / values);
  core::require<InputError>(!(rms > largest),
                            "{}: dataset {} has values from {:g} to {:g}, which {} = {:g} and {:g} make contrasts of {:.3g} "
                            "(root mean square); expected about 1: grey is 0, one "
                            "standard deviation 1. Give the value of grey and the standard deviation of the pixels",
                            reader.path(), dataset, low, high, source, coding.zero, coding.unit, rms);
  if (rms > 0 && rms < smallest)
    core::warn(
        "{}: {} = {:g} and {:g} make contrasts of {:.2g} (root mean square) of dataset {}; probes have contrasts of 0.5 to 3",
        reader.path(), source, coding.zero, coding.unit, rms, dataset);
}

ContrastCoding read_coding(const Source& reader, const std::vector<std::size_t>& shape, MovieScan* scan) {
  for (const std::string object : {"/", "train/stimulus"})
    if (const auto coding = coding_of(reader, object)) {
      check_contrast(reader, "train/stimulus", shape, *coding, "the attributes contrast_zero and contrast_unit");
      return *coding;
    }
  return coding_from_movie(reader, shape, scan);
}

}  // namespace amacrine::recording
