// SPDX-License-Identifier: Apache-2.0
#include "drivers/verbs.hpp"

#include <filesystem>

namespace amacrine::drivers {

std::string Context::output(const std::string& name) const { return (std::filesystem::path(settings.output) / name).string(); }

}  // namespace amacrine::drivers
