// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/baseline.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/lesion/lesion_file.hpp"
#include "amacrine/lesion/run.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/parallel/stop.hpp"
#include "drivers/inputs.hpp"
#include "drivers/subjects.hpp"
#include "drivers/verbs.hpp"

#include <algorithm>

namespace amacrine::drivers {

namespace {

/// The model, the reduction of its responses where there is one, and the baseline's frame where the study names one.
std::vector<io::Input> lesion_inputs(const Context& context, const std::string& model, const std::string& reduction) {
  std::vector<io::Input> inputs{io::checked_input(context.world, "network", model)};
  if (file_exists(context.world, reduction)) {
    inputs.push_back(io::checked_input(context.world, "reduction", reduction));
  } else {
    core::log("lesion: there is no {}; no pathways are removed (`amacrine reduce {}` finds them)", reduction,
              context.options.study_file);
  }
  const std::string& baseline = context.settings.attribution.baseline_frame.file;
  if (!baseline.empty()) inputs.push_back(io::checked_input(context.world, "baseline", baseline));
  return inputs;
}

std::vector<std::string> names_of(const model::Model& model, const lesion::LesionPlan& plan) {
  std::vector<std::string> names;
  for (int cell : plan.windows.cells) names.push_back(model.cells[static_cast<std::size_t>(cell)].name);
  return names;
}

/// Pathways of a plan, where there is a reduction. The network at rest tells whether it is of this model.
void add_pathways(const Context& context, const model::Model& model, const std::string& reduction,
                  const attribution::AttributionSettings& attribution, lesion::LesionPlan& plan) {
  if (!file_exists(context.world, reduction)) return;
  lesion::Lesioner<float> at_rest(core::Exec(), model, plan, attribution, context.settings.lesions);
  std::vector<double> rest;
  for (std::size_t n = 0; n < plan.cells(); ++n) rest.push_back(at_rest.rest(n));
  parallel::throw_if_stopped(context.world);  // what was broken off is no rest to compare with
  plan.pathways = lesion::read_pathways_of(reduction, plan, names_of(model, plan), rest);
  for (const auto& cell : plan.pathways)
    for (const auto& groups : cell) plan.pathway_slots = std::max(plan.pathway_slots, groups.size());
}

void announce(const lesion::LesionPlan& plan, const lesion::Lesioner<float>& lesioner, std::size_t bytes) {
  double work = 0;
  for (std::size_t n = 0; n < plan.cells(); ++n)
    for (std::size_t s = 0; s < plan.stimuli.size(); ++s) work += lesioner.multiply_adds(n, s);
  core::log(
      "lesion: {} cells, {} stimuli of {} conditions and {} windows, {} units in {} sizes, up to {} pathways; at most {:.3g} "
      "multiply-adds beside the attributions, {} of memory a rank, {} on disk",
      plan.cells(), plan.stimuli.size(), plan.windows.stimuli.size(), plan.windows.windows, plan.sizes.back().units,
      plan.sizes.size(), plan.pathway_slots, work, core::human_bytes(lesioner.bytes()),
      core::human_bytes(static_cast<double>(bytes)));
}

}  // namespace

/// Removes first-layer units from the network, the most important ones by several orders first, and pathway by pathway.
int lesion(Context& context) {
  const Settings& settings = context.settings;
  const std::string model_path = context.output("model.h5"), reduction = context.output("reduction_network.h5"),
                    path = context.output("lesions_network.h5");
  require_made(context, "network", model_path);
  model::Model model = model::read_model(model_path);
  place_given(context, model.cells);
  if (model.architecture.layers() == 0) {
    core::log("lesion: {} is an LN model, which has no hidden units to remove; it is left out", model_path);
    return 0;
  }
  const std::vector<io::Input> inputs = lesion_inputs(context, model_path, reduction);
  const io::Provenance provenance =
      io::make_provenance(context.world, context.study, "lesion", with_given_centres(context, tables_of("lesion")), inputs);
  const std::optional<io::OutputLock> lock = context.claim(path, provenance);
  if (!lock) return 0;

  const auto attribution = attribution::with_baseline(lesion::unit_settings(settings.attribution), model);
  lesion::LesionPlan plan = lesion::make_lesion_plan(attribution, stimulus::catalogue(settings.probe, model.screen), model);
  add_pathways(context, model, reduction, attribution, plan);
  lesion::Lesioner<float> lesioner(core::Exec(), model, plan, attribution, settings.lesions);
  const std::size_t bytes = lesion::LesionFile::bytes(plan, settings.lesions);
  announce(plan, lesioner, bytes);
  parallel::require_memory(context.world, lesioner.bytes(), "lesion", "use fewer ranks on a host, or another machine");
  io::require_space(context.world, path, bytes);
  if (context.options.dry_run) return 0;

  const std::vector<lesion::StimulusLesions> results = lesion::run_lesions(context.world, plan, lesioner);
  io::require_unchanged(context.world, inputs);
  const std::vector<std::string> names = names_of(model, plan);
  lesion::LesionFile file(context.world, path, plan, names, attribution, settings.lesions, provenance);
  for (std::size_t task = 0; task < results.size() && context.world.root(); ++task)
    file.write(task / plan.stimuli.size(), task % plan.stimuli.size(), results[task]);
  file.finish();
  core::log("{}lesion: wrote {}", lesion::lesion_table(plan, names, results), path);
  return 0;
}

}  // namespace amacrine::drivers
