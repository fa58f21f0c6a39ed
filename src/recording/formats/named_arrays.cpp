// SPDX-License-Identifier: Apache-2.0
#include "named_arrays.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>

#include <fmt/ranges.h>

namespace amacrine::recording::formats {

using core::InputError;

void NamedArrays::add(const std::string& name, StoredPtr array, const std::string& axes) {
  arrays_[name] = {std::move(array), axes};
}

const Stored& NamedArrays::of(const std::string& dataset) const {
  const auto found = arrays_.find(dataset);
  core::require<InputError>(found != arrays_.end(), "{}: has no {}", path(), dataset);
  return *found->second.array;
}

std::vector<Origin> NamedArrays::origins() const {
  std::vector<Origin> all;
  const std::string here = " of " + path();
  for (const auto& [name, entry] : arrays_) {
    std::string place = entry.array->place();
    for (std::size_t at = place.find(here); at != std::string::npos; at = place.find(here)) place.erase(at, here.size());
    all.push_back({name, place, entry.axes});
  }
  return all;
}

bool NamedArrays::has(const std::string& name) const {
  return std::any_of(arrays_.begin(), arrays_.end(),
                     [&](const auto& entry) { return entry.first == name || entry.first.starts_with(name + "/"); });
}

std::vector<std::string> NamedArrays::list(const std::string& group) const {
  std::vector<std::string> names;
  const std::string before = group == "/" ? "" : group + "/";
  for (const auto& [name, entry] : arrays_) {
    if (!name.starts_with(before)) continue;
    const std::string rest = name.substr(before.size());
    const std::string member = rest.substr(0, rest.find('/'));
    if (names.empty() || names.back() != member) names.push_back(member);
  }
  return names;
}

std::pair<const io::Reader*, std::string> NamedArrays::object_of(const std::string& object) const {
  if (object == "/") return {file_.get(), "/"};
  const auto found = arrays_.find(object);
  if (found == arrays_.end()) return {nullptr, ""};
  return {found->second.array->file(), found->second.array->dataset()};
}

bool NamedArrays::has_attribute(const std::string& name, const std::string& object) const {
  const auto [file, there] = object_of(object);
  return file != nullptr && file->has_attribute(name, there);
}

double NamedArrays::attribute(const std::string& name, const std::string& object) const {
  const auto [file, there] = object_of(object);
  core::require<InputError>(file != nullptr, "{}: {} has no attribute {}", path(), object, name);
  return file->attribute(name, there);
}

std::string NamedArrays::text_attribute(const std::string& name, const std::string& object) const {
  const auto [file, there] = object_of(object);
  core::require<InputError>(file != nullptr, "{}: {} has no attribute {}", path(), object, name);
  return file->text_attribute(name, there);
}

std::vector<std::string> NamedArrays::text_attributes(const std::string& name, const std::string& object) const {
  const auto [file, there] = object_of(object);
  core::require<InputError>(file != nullptr, "{}: {} has no attribute {}", path(), object, name);
  return file->text_attributes(name, there);
}

void NamedArrays::read_block(const std::string& dataset, const Counts& offset, const Counts& count,
                             std::vector<double>& to) const {
  std::vector<float> values;
  of(dataset).read(offset, count, values);
  to.assign(values.begin(), values.end());
}

std::string axes_in_words(const Stored& array, const std::string& axes) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < array.shape().size(); ++i)
    words.push_back(i < axes.size() ? fmt::format("{} {}", axes[i], array.shape()[i]) : fmt::format("{}", array.shape()[i]));
  return fmt::format("{}", fmt::join(words, ", "));
}

void check_lengths(const NamedArrays& source, const std::string& part, const std::string& keys) {
  const std::string movie = part + "/stimulus";
  if (!source.holds(movie)) return;
  const std::size_t frames = source.array(movie).shape()[0];
  for (const Origin& origin : source.origins()) {
    // Trials of a cell are looked at when they are read.
    if (!origin.name.starts_with(part + "/response/")) continue;
    const std::size_t bins = source.array(origin.name).shape().back();
    core::require<InputError>(bins == frames,
                              "{} gives {} frames for {}, but {} gives {} bins for {}; expected one bin for each frame. Mend {}",
                              source.array(movie).place(), frames, movie, origin.place, bins, origin.name, keys);
  }
}

void require_interval(const io::Reader& file, const RecordingSettings& settings) {
  core::require<InputError>(settings.frame_ms > 0 || file.has_attribute("frame_ms"),
                            "{}: does not say how long a frame lasts; set recording.frame_ms, in ms", file.path());
}

}  // namespace amacrine::recording::formats
