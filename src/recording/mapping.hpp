// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/recording/settings.hpp"

/// The table [recording.mapping]. Private to the room.
namespace amacrine::recording {

/// Reads every key of [recording.mapping], where the study has that table, and whether it names recording.target. Throws
/// StudyError naming the key that others need.
void read_mapping(core::Study& study, RecordingSettings& settings);

}  // namespace amacrine::recording
