// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/paths.hpp"

#include "amacrine/core/errors.hpp"

#include <cstdlib>
#include <filesystem>

namespace amacrine::core {

std::string expand_home(const std::string& path) {
  if (path.empty() || path[0] != '~') return path;
  const char* home = std::getenv("HOME");
  require<StudyError>((path.size() == 1 || path[1] == '/') && home != nullptr && *home != '\0',
                      "the path '{}' cannot be expanded; '~' and '~/...' stand for the home folder (variable HOME)", path);
  return home + path.substr(1);
}

std::string input_path(const std::string& path, const std::string& study_file) {
  const std::string expanded = expand_home(path);
  std::error_code unknown;
  if (expanded.empty() || std::filesystem::path(expanded).is_absolute() || std::filesystem::exists(expanded, unknown))
    return expanded;
  const std::string beside = (std::filesystem::path(study_file).parent_path() / expanded).string();
  return std::filesystem::exists(beside, unknown) ? beside : expanded;
}

}  // namespace amacrine::core
