// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/plan.hpp"

#include "amacrine/reduction/attributed.hpp"

#include <algorithm>

namespace amacrine::lesion {

std::size_t LesionPlan::most_frames() const {
  std::size_t most = 0;
  for (const auto& stimulus : windows.stimuli) most = std::max(most, stimulus.windows);
  return most;
}

attribution::AttributionSettings unit_settings(attribution::AttributionSettings settings) {
  settings.source = attribution::Source::catalogue;
  settings.levels = "unit";
  settings.quantities = {"attribution"};
  settings.weights = false;
  settings.storage = attribution::Storage::full;
  return settings;
}

LesionPlan make_lesion_plan(const attribution::AttributionSettings& settings, const std::vector<stimulus::Condition>& catalogue,
                            const model::Model& model) {
  LesionPlan plan;
  plan.windows = attribution::make_plan(settings, catalogue, model);
  plan.sizes = sizes_of(model.architecture.units(0));
  for (std::size_t s = 0; s < plan.windows.stimuli.size(); ++s) {
    const auto& condition = plan.windows.stimuli[s];
    const std::string name = reduction::stimulus_of(condition.condition.name);
    auto found = std::find_if(plan.stimuli.begin(), plan.stimuli.end(), [&](const auto& one) { return one.name == name; });
    if (found == plan.stimuli.end()) found = plan.stimuli.insert(found, {name, {}, 0});
    found->conditions.push_back(s);
    found->windows += condition.windows;
  }
  return plan;
}

}  // namespace amacrine::lesion
