// SPDX-License-Identifier: Apache-2.0
#include "drivers/sessions.hpp"

#include "amacrine/core/errors.hpp"

#include <filesystem>

namespace amacrine::drivers {

std::string session_folder(const Context& context, const recording::SessionSettings& session) {
  return context.output((std::filesystem::path("sessions") / session.name).string());
}

std::vector<std::string> session_folders(const Context& context) {
  std::vector<std::string> folders;
  for (const recording::SessionSettings& session : context.settings.sessions) folders.push_back(session_folder(context, session));
  return folders;
}

const recording::SessionSettings* session_of(const Context& context, const std::string& folder) {
  for (const recording::SessionSettings& session : context.settings.sessions)
    if (std::filesystem::path(session_folder(context, session)).lexically_normal() ==
        std::filesystem::path(folder).lexically_normal())
      return &session;
  return nullptr;
}

void check_sessions(const Context& context, const std::string& verb, bool works_in_folders) {
  if (context.settings.sessions.empty()) return;
  core::require<core::StudyError>(works_in_folders || verb == "train",
                                  "{}: `amacrine {}` works on one recording, but this study has sessions; give it a study of one",
                                  context.study.file(), verb);
  const recording::RecordingSettings& beside = context.settings.recording;
  const bool own = !beside.file.empty() || !beside.cells.empty() || !beside.centre_y.empty();
  core::require<core::StudyError>(
      !own,
      "{}: a study with sessions names files, cells and centres in their tables, [sessions.NAME], and "
      "not in [recording]; take recording.file, recording.cells and the centres out",
      context.study.where("recording.file"));
}

Context session_context(const Context& context, const parallel::Communicator& ranks, const recording::SessionSettings& session) {
  std::vector<std::string> overrides = session.overrides();
  overrides.push_back("study.output=" + session_folder(context, session));
  core::Study study = core::Study::from_text(context.study.resolved(), context.study.file(), overrides);
  Settings settings = read_settings(study);
  return {ranks, std::move(study), std::move(settings), context.options, nullptr};
}

}  // namespace amacrine::drivers
