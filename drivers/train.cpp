// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/training/members.hpp"
#include "drivers/inputs.hpp"
#include "drivers/sessions.hpp"
#include "drivers/training_plan.hpp"
#include "drivers/verbs.hpp"

#include <map>

namespace amacrine::drivers {

namespace {

/// The study's network, one for each of its seeds and rates: each is what the study that asks for it alone would train.
Group networks(const Context& context, const io::Input& input) {
  Group all;
  for (const training::Member& member : training::members(context.settings.training)) {
    core::Study study = core::Study::from_text(context.study.resolved(), context.study.file(), member.overrides);
    Settings settings = read_settings(study);
    all.push_back({std::move(settings), context.output("model" + member.suffix + ".h5"),
                   context.output("train" + member.suffix + ".checkpoint"), context.output("curves" + member.suffix),
                   io::make_provenance(context.world, study, "train", tables_of("train"), {input})});
  }
  return all;
}

/// Takes the rights to make the models that do not exist yet, in the order of their names, so that of several jobs after the same
/// models one gets on; leaves out the others. Collective.
void claim(const Context& context, Group& models, Group& baseline) {
  std::map<std::string, Plan*> by_name;
  for (Group* group : {&models, &baseline})
    for (Plan& plan : *group) by_name[plan.path] = &plan;
  for (auto& [path, plan] : by_name) plan->lock = context.claim(path, plan->provenance);
  for (Group* group : {&models, &baseline}) std::erase_if(*group, [](const Plan& plan) { return !plan.lock; });
}

/// Trains a group of models and writes those that are finished. False where some were stopped and go on next time.
bool train_group(const Context& context, const Group& group, const std::vector<training::TrainingRun>& runs) {
  const double start = core::wall_seconds();
  const std::vector<training::TrainingResult> results = training::train_together(context.world, runs);
  bool finished = true;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const double seconds = core::wall_seconds() - start;
    if (!results[i].finished) {
      core::log("train: stopped by {} after {:.0f} s; the state is in {}. The same command goes on", results[i].stopped_by,
                seconds, group[i].checkpoint);
      finished = false;
      continue;
    }
    core::log("train: {}", told(results[i]));
    model::write_model(context.world, group[i].path, results[i].model, group[i].provenance);
    core::log("train: wrote {} in {}", group[i].path, core::human_seconds(seconds));
  }
  return finished;
}

/// Trains the study's networks on its recording, and the linear-nonlinear baseline beside them.
int train_recording(Context& context) {
  const Settings& settings = context.settings;
  const std::string recording_file = recording::recording_path(settings.recording, settings.output);
  require_made(context, "recording", recording_file);
  const io::Input input = recording::training_input(context.world, recording_file, settings.recording);
  Group models = networks(context, input), baseline = baseline_of(context, models.front());
  claim(context, models, baseline);
  if (models.empty() && baseline.empty()) return 0;

  recording::Recording recording = load_training_part(context, recording_file, input);
  const std::vector<training::TrainingRun> runs = runs_of(models, recording), baselines = runs_of(baseline, recording);
  describe_networks(context, models, runs);  // and refuse what cannot be trained, before anything is
  describe_baseline(baseline, baselines);
  require_room(context, runs, baselines, (models.empty() ? baseline : models).front().path);
  if (context.options.dry_run) return 0;
  recording::fit_centres(recording, settings.recording);
  if (!models.empty()) {
    clear_for(context, runs);
    if (!train_group(context, models, runs)) return static_cast<int>(core::ExitCode::run_again);
  }
  for (const training::TrainingRun& run : baselines) fit_baseline(context, baseline.front(), run);
  return 0;
}

}  // namespace

int train(Context& context) {
  compare_with_preset(context.settings);
  return context.settings.sessions.empty() ? train_recording(context) : train_sessions(context);
}

}  // namespace amacrine::drivers
