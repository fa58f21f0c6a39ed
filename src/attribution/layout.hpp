// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/result.hpp"

#include <set>
#include <string>

namespace amacrine::attribution {

/// Declares every dimension, variable and attribute of an attributions file.
void declare_layout(io::ResultWriter& writer, const std::string& subject, const Plan& plan, const model::Model& model,
                    const FirstLayerFacts& layer, const AttributionSettings& settings);

/// Names of the parameters and of the events that any stimulus of the plan has.
std::set<std::string> parameter_names(const Plan& plan);
std::set<std::string> event_names(const Plan& plan);
bool any_bars(const Plan& plan);

}  // namespace amacrine::attribution
