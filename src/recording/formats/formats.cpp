// SPDX-License-Identifier: Apache-2.0
#include "format.hpp"

#include <fmt/ranges.h>

namespace amacrine::recording {

namespace formats {

const std::vector<Format>& all() {
  static const std::vector<Format> formats{declared_mapping(), public_layout(), open_retina_session()};
  return formats;
}

namespace {

/// "stim (1500, 20, 15)" of the datasets in the root group and the groups below it, some of them.
std::string held_by(const io::Reader& file) {
  constexpr std::size_t most = 8;
  std::vector<std::string> found;
  const auto add = [&](const std::string& name) {
    if (file.is_dataset(name)) found.push_back(fmt::format("{} ({})", name, fmt::join(file.shape(name), ", ")));
  };
  for (const std::string& name : file.list()) {
    if (file.is_dataset(name)) {
      add(name);
    } else {
      for (const std::string& member : file.list(name)) add(name + "/" + member);
    }
  }
  const bool more = found.size() > most;
  if (more) found.resize(most);
  return found.empty() ? "no dataset" : fmt::format("{}{}", fmt::join(found, ", "), more ? ", ..." : "");
}

/// The first format that recognises the file; null where none does, with what each looked for.
const Format* format_of(const io::Reader& file, const RecordingSettings& settings, std::string& reason) {
  std::vector<std::string> looked_for;
  for (const Format& format : all()) {
    const Verdict verdict = format.recognise(file, settings);
    looked_for.push_back(fmt::format("{} ({})", format.name, verdict.reason));
    if (!verdict.recognised) continue;
    reason = verdict.reason;
    return &format;
  }
  reason = fmt::format("{}", fmt::join(looked_for, "; "));
  return nullptr;
}

}  // namespace
}  // namespace formats

Recognition recognise(const io::Reader& file, const RecordingSettings& settings) {
  Recognition found;
  const formats::Format* format = formats::format_of(file, settings, found.reason);
  if (format != nullptr) found.format = format->name;
  return found;
}

std::unique_ptr<Source> open_source(io::Reader file, const RecordingSettings& settings) {
  std::string reason;
  const formats::Format* format = formats::format_of(file, settings, reason);
  core::require<core::InputError>(
      format != nullptr,
      "{}: is a recording of no format that is known here. Looked for: {}. It holds {}. If it is one, declare what "
      "its datasets are: set train_stimulus, stimulus_axes, train_response and response_axes in "
      "[recording.mapping], and recording.target and recording.frame_ms (docs/recordings.md)",
      file.path(), reason, formats::held_by(file));
  return format->open(std::move(file), settings, {format->name, reason});
}

std::unique_ptr<Source> open_source(const std::string& path, const RecordingSettings& settings) {
  return open_source(io::Reader(path), settings);
}

}  // namespace amacrine::recording
