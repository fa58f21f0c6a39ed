// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/verbs.hpp"

#include <functional>
#include <string>
#include <vector>

namespace amacrine::drivers {

/// The folders below `folder` that `pattern` names (as a shell would: "trials/*") and that hold a model.h5, in alphabetical
/// order. Local. Throws InputError where there are none.
std::vector<std::string> model_folders(const std::string& folder, const std::string& pattern);

/// Collective. Runs a verb for every model that options.models names, or without them for all of the study's sessions, in the
/// model's folder, on groups of options.ranks_per_model ranks side by side: a group takes the next model that nobody is at work
/// on, in this job or another. A model whose results are whole costs nothing, one that fails is named at the end and leaves its
/// group to go on. Returns the exit code. Throws core::Error where some failed, RefusedError where ranks are left over.
int run_for_models(Context& context, const std::function<int(Context&)>& verb);

}  // namespace amacrine::drivers
