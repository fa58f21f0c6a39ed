// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/stimulus/catalogue.hpp"

#include <algorithm>
#include <stdexcept>

namespace amacrine::test {

/// The condition of that name. Throws std::out_of_range where there is none.
inline const stimulus::Condition& find_condition(const std::vector<stimulus::Condition>& conditions, const std::string& name) {
  const auto found = std::find_if(conditions.begin(), conditions.end(), [&](const auto& each) { return each.name == name; });
  if (found == conditions.end()) throw std::out_of_range("no condition " + name);
  return *found;
}

}  // namespace amacrine::test
