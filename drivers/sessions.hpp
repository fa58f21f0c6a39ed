// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"
#include "drivers/verbs.hpp"

#include <string>
#include <vector>

/// Studies of several recordings: each session has a folder of its own, in which all verbs work as in a study of one recording.
namespace amacrine::drivers {

/// "sessions/NAME" in the study's output folder.
std::string session_folder(const Context& context, const recording::SessionSettings& session);
/// The folders of all of the study's sessions.
std::vector<std::string> session_folders(const Context& context);
/// The study of the session whose folder this is; nothing where it is none's.
const recording::SessionSettings* session_of(const Context& context, const std::string& folder);
/// The study as one of this recording alone, with its results in the session's folder, for the ranks that work on it.
Context session_context(const Context& context, const parallel::Communicator& ranks, const recording::SessionSettings& session);

/// Throws StudyError where the study has sessions and gives a recording of its own beside them, or `verb` works on one recording
/// only.
void check_sessions(const Context& context, const std::string& verb, bool works_in_folders);

/// Trains one model of all sessions: hidden layers in common, a readout for each. Collective.
int train_sessions(Context& context);

}  // namespace amacrine::drivers
