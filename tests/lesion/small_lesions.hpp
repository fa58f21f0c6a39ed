// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/lesion/lesioner.hpp"
#include "attribution/small_model.hpp"

namespace amacrine::lesion {

/// Flashes shown to a random network of 3 cells.
struct SmallLesions {
  model::Model model;
  attribution::AttributionSettings attribution;
  LesionSettings settings;
  LesionPlan plan;

  explicit SmallLesions(const std::vector<model::ConvLayer>& hidden,
                        attribution::Target target = attribution::Target::after_softplus)
      : model(attribution::random_small_model(13, 12, hidden, model::Norm::per_unit)) {
    attribution.stimuli = {"osr", "latency"};
    attribution.target = target;
    attribution.after_ms = 80;
    attribution = unit_settings(attribution);
    settings.windows = 5;
    settings.silent_below_hz = 1e-6;
    settings.random_orders = 3;
    plan = make_lesion_plan(attribution, catalogue(), model);
  }
  std::vector<stimulus::Condition> catalogue() const {
    stimulus::ProbeSettings probe;
    probe.families = {"osr", "latency"};
    probe.sets = {"circuits"};
    probe.osr_periods_ms = {80, 100};
    probe.latency_contrasts = {-1, -2, 2};
    return stimulus::catalogue(probe, model.screen);
  }
  template <class S = double>
  Lesioner<S> lesioner() const {
    return {core::Exec(), model, plan, attribution, settings};
  }
};

}  // namespace amacrine::lesion
