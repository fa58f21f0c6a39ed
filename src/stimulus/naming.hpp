// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/stimulus/catalogue.hpp"

#include <string>
#include <utility>
#include <vector>

namespace amacrine::stimulus {

/// "family/key=value,key=value"; sets other than "circuits" follow the family as "@set".
std::string condition_name(Family family, ParameterSet set, const std::vector<std::pair<std::string, double>>& keys);

}  // namespace amacrine::stimulus
