// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/recording/source.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace amacrine::drivers {

/// Format, parts, cells and durations of a recording; what must be declared (`needs`) where it cannot be opened without.
nlohmann::ordered_json describe_recording(io::Reader file, const recording::RecordingSettings& settings);

/// The recording that a study names, as it is read, with the receptive fields of its cells. Throws StudyError and InputError as
/// recording::load_recording does.
nlohmann::ordered_json describe_study(const std::string& path);

/// The [recording] that a resolved study holds; that of an empty study where it cannot be read.
recording::RecordingSettings settings_of(const std::string& study);

/// The lines of describe_recording for people.
std::string recording_text(const nlohmann::ordered_json& recording);

}  // namespace amacrine::drivers
