// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/block.hpp"
#include "attribution/naive.hpp"

/// A small network's first two cells attributed by the product.
namespace amacrine::attribution {

inline AttributionSettings rule_settings(Rule rule, int panels, Target target = Target::after_softplus) {
  AttributionSettings settings;
  settings.rule = rule;
  settings.panels = panels;
  settings.target = target;
  return settings;
}

template <class S = double>
Block attributed(const naive::Network& net, const core::Array<float, 3>& movie, std::size_t first, std::size_t windows,
                 const AttributionSettings& settings, Level level = Level::unit) {
  BlockAttributor<S> attributor(core::Exec(), naive::inference<S>(net), settings);
  return attributor.attribute(movie, first, windows, {0, 1}, level);
}

}  // namespace amacrine::attribution
