// SPDX-License-Identifier: Apache-2.0
#include "layout_checks.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace amacrine::recording {

using core::InputError;

void refuse_transposed(const Source& reader, const std::string& target) {
  const std::string responses = "train/response/" + target;
  if (!reader.has("train/stimulus") || !reader.has(responses)) return;
  const std::vector<std::size_t> movie = reader.shape("train/stimulus"), cells = reader.shape(responses);
  if (movie.size() != 3 || cells.size() != 2 || movie[0] == cells[1]) return;
  const bool whole = movie[2] == cells[0], alone = movie[2] == cells[1];
  core::require<InputError>(
      !whole && !alone,
      "{}: {} looks transposed: train/stimulus is ({}), {} is ({}); expected (time, height, width) and (cells, time). MATLAB "
      "writes axes in reverse order: permute {} before writing, or write {} again with h5py as array.T",
      reader.path(), whole ? "the whole file" : "train/stimulus", fmt::join(movie, ", "), responses, fmt::join(cells, ", "),
      whole ? "every array" : "the movie", whole ? "each" : "it");
}

void check_time_length(const Source& reader, const std::string& part, std::size_t frames) {
  if (!reader.has(part + "/time")) return;
  const std::vector<std::size_t> shape = reader.shape(part + "/time");
  core::require<InputError>(shape.size() != 1 || shape[0] == frames,
                            "{}: {}/time has {} entries, {}/stimulus {} frames; expected one time for each frame. Which frame "
                            "belongs to which response? Mend the axis, or the movie and its responses",
                            reader.path(), part, shape[0], part, frames);
}

void refuse_packed(const Source& reader, const std::string& dataset) {
  for (const auto& [name, neutral] : {std::pair{"scale_factor", 1.0}, {"add_offset", 0.0}})
    if (reader.has_attribute(name, dataset)) {
      const double value = reader.attribute(name, dataset);
      core::require<InputError>(value == neutral,
                                "{}: dataset {} is packed: its attribute {} is {}. Packed numbers are not unpacked here: write "
                                "the values themselves, without the attribute",
                                reader.path(), dataset, name, value);
    }
}

template <class T>
void refuse_missing(const Source& reader, const std::string& dataset, std::span<const T> values, std::size_t row,
                    std::size_t first) {
  for (const char* name : {"_FillValue", "missing_value"}) {
    if (!reader.has_attribute(name, dataset)) continue;
    const double missing = reader.attribute(name, dataset);
    const auto is_missing = [missing](T value) {
      return static_cast<double>(value) == static_cast<double>(static_cast<T>(missing));
    };
    const bool storable = std::isfinite(missing) && static_cast<double>(static_cast<T>(missing)) == missing;
    if (!storable) continue;
    const auto found = std::find_if(values.begin(), values.end(), is_missing);
    core::require<InputError>(found == values.end(),
                              "{}: dataset {} has no value in {} of its places, the first in row {} of its first axis: they hold "
                              "{}, which its attribute {} calls "
                              "missing. Write them, or remove the attribute if that is a value like any other",
                              reader.path(), dataset, std::count_if(values.begin(), values.end(), is_missing),
                              first + static_cast<std::size_t>(found - values.begin()) / row, missing, name);
  }
}

template void refuse_missing(const Source&, const std::string&, std::span<const float>, std::size_t, std::size_t);
template void refuse_missing(const Source&, const std::string&, std::span<const std::uint8_t>, std::size_t, std::size_t);

}  // namespace amacrine::recording
