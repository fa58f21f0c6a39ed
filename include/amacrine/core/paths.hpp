// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace amacrine::core {

/// `path` with a leading "~" or "~/" replaced by the user's home folder (variable HOME). Throws StudyError for "~name".
std::string expand_home(const std::string& path);

/// Where a study's input lies: `path` as seen from the working folder, or, where nothing is there, from the study file's folder.
/// A leading "~" is the home folder. Empty stays empty; what is found nowhere is returned as seen from the working folder.
std::string input_path(const std::string& path, const std::string& study_file);

}  // namespace amacrine::core
