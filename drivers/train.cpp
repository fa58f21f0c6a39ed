// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/training/checkpoint.hpp"
#include "amacrine/training/ln_fit.hpp"
#include "amacrine/training/members.hpp"
#include "amacrine/training/trainer.hpp"
#include "drivers/inputs.hpp"
#include "drivers/verbs.hpp"

#include <filesystem>
#include <map>
#include <optional>

namespace amacrine::drivers {

namespace {

/// A model to be trained: its study's settings, the file it ends in, how that file says it was made, and the right to make it.
struct Plan {
  Settings settings;
  std::string path, checkpoint, curves;
  io::Provenance provenance;
  bool baseline = false;  ///< the linear-nonlinear one beside the networks
  std::optional<io::OutputLock> lock{};
};

using Group = std::vector<Plan>;  ///< of models trained together

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

/// The linear-nonlinear baseline of a network; nothing where the study wants none or its model is one.
Group baseline_of(const Context& context, const Plan& network) {
  Group ln;
  if (!context.settings.training.ln || network.settings.architecture.hidden.empty()) return ln;
  ln.push_back({network.settings, context.output("ln.h5"), "", "", network.provenance, true, std::nullopt});
  return ln;
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

std::vector<training::TrainingRun> runs_of(const Group& group, const recording::Recording& recording) {
  std::vector<training::TrainingRun> runs;
  for (const Plan& plan : group) {
    training::TrainingRun run{recording, plan.settings.recording, plan.settings.architecture, plan.settings.training};
    run.architecture.cells = static_cast<int>(recording.cells.size());
    run.kind = run.architecture.hidden.empty() ? "ln" : "network";
    run.recording_checksum = plan.provenance.inputs.front().checksum;
    runs.push_back(plan.baseline ? training::ln_baseline(run) : run);
    runs.back().checkpoint = plan.checkpoint, runs.back().curves = plan.curves;
    runs.back().lock = &*plan.lock;
  }
  return runs;
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

/// Clears what is in the way of a training: what dead runs left, and with --overwrite the checkpoints of other trainings.
/// Collective.
void clear(const Context& context, const Group& group, const recording::Recording& recording) {
  std::vector<std::string> foreign;
  if (context.options.overwrite) foreign = training::foreign_checkpoints(context.world, runs_of(group, recording));
  for (const std::string& checkpoint : foreign)
    core::log("{} is of another training or damaged and will be replaced", checkpoint);
  if (context.world.root()) {
    for (const Plan& plan : group)
      for (const std::string& file : {plan.checkpoint, plan.curves + ".csv", plan.curves + ".jsonl"})
        training::remove_leftovers(file);
    for (const std::string& checkpoint : foreign)
      for (const std::string& file : training::checkpoint_files(checkpoint)) std::filesystem::remove(file);
  }
  context.world.barrier();
}

/// Refuses trainings for which disk or memory are too small.
void require_room(const Context& context, const Group& models, const Group& baseline, const recording::Recording& recording) {
  const std::vector<training::TrainingRun> runs = runs_of(models, recording);
  double disk = 0;
  for (const training::TrainingRun& run : runs) disk += training::training_disk_bytes(run);
  for (const training::TrainingRun& run : runs_of(baseline, recording)) disk += training::training_disk_bytes(run);
  io::require_space(context.world, (models.empty() ? baseline : models).front().path, static_cast<std::size_t>(disk));
  if (models.empty() || !parallel::device_memory_is_host()) return;
  const training::TrainingMemory needs = training::training_memory(context.world, runs.front());
  parallel::require_memory(context.world, needs.workspaces + needs.statistics, "training",
                           "lower training.segments or training.windows, or use another machine");
}

/// Sizes and cost of all trainings, and the files they end in. Throws where one cannot be, or cannot go on from its checkpoint.
void describe(const Context& context, const Group& models, const Group& baseline, const recording::Recording& recording) {
  if (!models.empty()) {
    const std::vector<training::TrainingRun> runs = runs_of(models, recording);
    for (const std::string& line : training::describe_training(context.world, runs)) core::log("{}", line);
    for (const Plan& plan : models) core::log("  into {}", plan.path);
    if (!context.options.overwrite) training::check_resume(context.world, runs);
  }
  for (const training::TrainingRun& run : runs_of(baseline, recording)) training::require_ln_windows(run);
  for (const Plan& plan : baseline) core::log("ln: fitted directly, into {}", plan.path);
}

void tell(const training::TrainingResult& result) {
  const training::EpochRecord& last = result.curve.back();
  core::log("train: {} after {} epochs ({:.0f} windows){}, validation loss {:.4f}, r {:.3f} against single trials",
            result.model.kind, last.epoch, last.windows, result.stopped_early ? ", ended by early stopping" : "",
            last.validation_loss, last.validation_r);
}

/// Trains a group of models and writes those that are finished. False where some were stopped and go on next time.
bool train_group(const Context& context, const Group& group, const recording::Recording& recording) {
  const double start = core::wall_seconds();
  const std::vector<training::TrainingResult> results = training::train_together(context.world, runs_of(group, recording));
  bool finished = true;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const double seconds = core::wall_seconds() - start;
    if (!results[i].finished) {
      core::log("train: stopped by {} after {:.0f} s; the state is in {}. The same command goes on", results[i].stopped_by,
                seconds, group[i].checkpoint);
      finished = false;
      continue;
    }
    tell(results[i]);
    model::write_model(context.world, group[i].path, results[i].model, group[i].provenance);
    core::log("train: wrote {} in {}", group[i].path, core::human_seconds(seconds));
  }
  return finished;
}

void fit_baseline(const Context& context, const Plan& plan, const training::TrainingRun& run) {
  const double start = core::wall_seconds();
  core::log("train: fitting the linear-nonlinear baseline of {} cell(s)", run.recording.cells.size());
  model::write_model(context.world, plan.path, training::fit_ln(context.world, run), plan.provenance);
  core::log("train: wrote {} in {}", plan.path, core::human_seconds(core::wall_seconds() - start));
}

}  // namespace

/// Trains the study's networks on its recording, and the linear-nonlinear baseline beside them.
int train(Context& context) {
  const Settings& settings = context.settings;
  const std::string recording_file = recording::recording_path(settings.recording, settings.output);
  require_made(context, "recording", recording_file);
  compare_with_preset(settings);
  const io::Input input = recording::training_input(context.world, recording_file);
  Group models = networks(context, input), baseline = baseline_of(context, models.front());
  claim(context, models, baseline);
  if (models.empty() && baseline.empty()) return 0;

  recording::Recording recording = load_training_part(context, recording_file, input);
  describe(context, models, baseline, recording);  // and refuse what cannot be trained, before anything is
  require_room(context, models, baseline, recording);
  if (context.options.dry_run) return 0;
  recording::fit_centres(recording, settings.recording);
  if (!models.empty()) {
    clear(context, models, recording);
    if (!train_group(context, models, recording)) return static_cast<int>(core::ExitCode::run_again);
  }
  for (const training::TrainingRun& run : runs_of(baseline, recording)) fit_baseline(context, baseline.front(), run);
  return 0;
}

}  // namespace amacrine::drivers
