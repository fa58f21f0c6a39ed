// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/training/members.hpp"
#include "amacrine/training/trainer.hpp"
#include "drivers/verbs.hpp"

#include <filesystem>

namespace amacrine::drivers {

namespace {

/// A model to be trained, the file it ends in, and how that file says it was made.
struct Plan {
  training::TrainingRun run;
  std::string path;
  io::Provenance provenance;
};

/// The study's network, one for each of its seeds and rates: each is what the study that asks for it alone would train.
std::vector<Plan> networks(const Context& context, const recording::Recording& recording, const io::Input& input) {
  std::vector<Plan> all;
  for (const training::Member& member : training::members(context.settings.training)) {
    core::Study study = core::Study::from_text(context.study.resolved(), context.study.file(), member.overrides);
    const Settings settings = read_settings(study);
    training::TrainingRun run{recording, settings.recording, settings.architecture, settings.training};
    run.architecture.cells = static_cast<int>(recording.cells.size());
    run.kind = run.architecture.hidden.empty() ? "ln" : "network";
    run.recording_checksum = input.checksum;
    run.checkpoint = context.output("train" + member.suffix + ".checkpoint");
    run.curves = context.output("curves" + member.suffix);
    all.push_back({run, context.output("model" + member.suffix + ".h5"),
                   io::make_provenance(context.world, study, "train", tables_of("train"), {input})});
  }
  return all;
}

/// Groups of models trained together: the networks, then the linear-nonlinear baseline of the first.
std::vector<std::vector<Plan>> plans(const Context& context, const recording::Recording& recording, const io::Input& input) {
  std::vector<std::vector<Plan>> groups{networks(context, recording, input)};
  const Plan& first = groups[0][0];
  if (!context.settings.training.ln || first.run.kind == "ln") return groups;
  Plan ln{training::ln_baseline(first.run), context.output("ln.h5"), first.provenance};
  ln.run.checkpoint = context.output("ln.checkpoint"), ln.run.curves = context.output("ln_curves");
  groups.push_back({ln});
  return groups;
}

/// A preset of the recipe sets the recording's and the network's defaults too; where the study says otherwise, people are told.
void compare_with_preset(const Settings& settings) {
  const std::string& preset = settings.training.preset;
  if (preset.empty()) return;
  const recording::RecordingSettings &ours = settings.recording, theirs = recording::preset_recording(preset);
  const auto differs = [&](const char* key, const auto& value, const auto& wanted) {
    if (value != wanted)
      core::warn("training.preset = \"{}\" goes with {} = {}, but this study has {}", preset, key, wanted, value);
  };
  differs("recording.normalisation", ours.normalisation, theirs.normalisation);
  differs("recording.test_statistics", ours.test_statistics, theirs.test_statistics);
  differs("recording.target", ours.target, theirs.target);
  differs("recording.minimum_lag", ours.minimum_lag, theirs.minimum_lag);
  differs("recording.skip_seconds", ours.skip_seconds, theirs.skip_seconds);
  differs("recording.validation_fraction", ours.validation_fraction, theirs.validation_fraction);
  model::Architecture network = model::preset_architecture(preset);
  network.cells = settings.architecture.cells;
  if (!(settings.architecture == network))
    core::warn("training.preset = \"{}\" goes with model.preset = \"{}\", but this study's network is another: {}", preset,
               preset, model::describe(settings.architecture));
}

/// Makes room for the files of a training; with --overwrite an earlier one's checkpoints go. Collective.
void prepare(const Context& context, const Plan& plan) {
  if (context.world.root()) std::filesystem::create_directories(context.settings.output);
  if (context.options.overwrite && context.world.root())
    for (const char* ending : {"", ".previous", ".partial"}) std::filesystem::remove(plan.run.checkpoint + ending);
  context.world.barrier();
}

std::vector<training::TrainingRun> runs_of(const std::vector<Plan>& group) {
  std::vector<training::TrainingRun> runs;
  runs.reserve(group.size());
  for (const Plan& plan : group) runs.push_back(plan.run);
  return runs;
}

/// Sizes and cost of a group's training, and the files it ends in.
void describe(const Context& context, const std::vector<Plan>& group) {
  for (const std::string& line : training::describe_training(context.world, runs_of(group))) core::log("{}", line);
  for (const Plan& plan : group) core::log("  into {}", plan.path);
}

void tell(const training::TrainingResult& result) {
  const training::EpochRecord& last = result.curve.back();
  core::log("train: {} after {} epochs ({:.0f} windows){}, validation loss {:.4f}, r {:.3f} against single trials",
            result.model.kind, last.epoch, last.windows, result.stopped_early ? ", ended by early stopping" : "",
            last.validation_loss, last.validation_r);
}

/// Trains a group of models and writes those that are finished. False where some were stopped and go on next time.
bool train_group(const Context& context, const std::vector<Plan>& group) {
  const double start = core::wall_seconds();
  const std::vector<training::TrainingResult> results = training::train_together(context.world, runs_of(group));
  bool finished = true;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const double seconds = core::wall_seconds() - start;
    if (!results[i].finished) {
      core::log("train: stopped by {} after {:.0f} s; the state is in {}. The same command goes on", results[i].stopped_by,
                seconds, group[i].run.checkpoint);
      finished = false;
      continue;
    }
    tell(results[i]);
    model::write_model(context.world, group[i].path, results[i].model, group[i].provenance);
    core::log("train: wrote {} in {}", group[i].path, core::human_seconds(seconds));
  }
  return finished;
}

/// The models of a group that do not exist yet. Collective.
std::vector<Plan> missing(const Context& context, const std::vector<Plan>& group) {
  std::vector<Plan> left;
  for (const Plan& plan : group)
    if (io::check_reuse(context.world, plan.path, plan.provenance, context.options.overwrite) == io::Reuse::make)
      left.push_back(plan);
  return left;
}

}  // namespace

/// Trains the study's networks on its recording, and the linear-nonlinear baseline beside them.
int train(Context& context) {
  const Settings& settings = context.settings;
  const std::string recording_file = recording::recording_path(settings.recording, settings.output);
  const io::Input input = io::checked_input(context.world, "recording", recording_file);
  compare_with_preset(settings);

  recording::Recording recording = recording::load_recording(recording_file, settings.recording, recording::Load::train);
  std::vector<std::vector<Plan>> groups;
  for (const std::vector<Plan>& group : plans(context, recording, input)) {
    const std::vector<Plan> left = missing(context, group);
    if (left.empty()) continue;
    describe(context, left);  // and refuse what cannot be trained, before anything is
    if (!context.options.overwrite) training::check_resume(context.world, runs_of(left));
    groups.push_back(left);
  }
  if (groups.empty() || context.options.dry_run) return 0;
  recording::fit_centres(recording, settings.recording);
  for (const std::vector<Plan>& group : groups) {
    for (const Plan& plan : group) prepare(context, plan);
    if (!train_group(context, group)) return static_cast<int>(core::ExitCode::run_again);
  }
  return 0;
}

}  // namespace amacrine::drivers
