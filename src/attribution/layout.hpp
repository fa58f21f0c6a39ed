// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/result.hpp"

#include <set>
#include <string>

namespace amacrine::attribution {

/// Declares every dimension, variable and attribute of an attributions file.
void declare_layout(io::ResultWriter& writer, const std::string& subject, const Plan& plan, const model::Model& model,
                    const FirstLayerFacts& layer, const AttributionSettings& settings);

/// Whether a level keeps the largest values of a row only. The second layer's channels are kept whole.
bool keeps_top(Level level, const AttributionSettings& settings);

/// What a level other than the first layer's channels runs over: names and sizes of its axes after (window, cell).
struct LevelAxes {
  std::vector<std::string> names;
  std::vector<std::size_t> sizes;
  std::size_t size() const;
  /// Values kept of a row.
  std::size_t kept(const AttributionSettings& settings) const;
};
LevelAxes level_axes(Level level, const FirstLayerFacts& layer, const model::Architecture& architecture);

/// Names of the parameters and of the events that any stimulus of the plan has.
std::set<std::string> parameter_names(const Plan& plan);
std::set<std::string> event_names(const Plan& plan);
bool any_bars(const Plan& plan);

}  // namespace amacrine::attribution
