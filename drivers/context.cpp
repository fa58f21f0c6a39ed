// SPDX-License-Identifier: Apache-2.0
#include "drivers/verbs.hpp"

#include <filesystem>

namespace amacrine::drivers {

std::string Context::output(const std::string& name) const { return (std::filesystem::path(settings.output) / name).string(); }

std::optional<io::OutputLock> Context::claim(const std::string& path, const io::Provenance& provenance, bool replace) const {
  auto lock = io::claim_output(world, path, provenance, options.overwrite || replace,
                               {options.verb, options.study_file, options.takeover, options.dry_run});
  if (lock && status != nullptr) status->take();
  return lock;
}

}  // namespace amacrine::drivers
