// SPDX-License-Identifier: Apache-2.0
#include "drivers/training_plan.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/io/durable_file.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/training/checkpoint.hpp"
#include "amacrine/training/ln_fit.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace amacrine::drivers {

Group baseline_of(const Context& context, const Plan& network) {
  Group ln;
  if (!context.settings.training.ln || network.settings.architecture.hidden.empty()) return ln;
  ln.push_back({network.settings, context.output("ln.h5"), "", "", network.provenance, true, std::nullopt});
  return ln;
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
    runs.back().lock = plan.lock ? &*plan.lock : nullptr;
  }
  return runs;
}

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

void clear_for(const Context& context, const std::vector<training::TrainingRun>& runs) {
  std::vector<std::string> foreign;
  if (context.options.overwrite) foreign = training::foreign_checkpoints(context.world, runs);
  for (const std::string& checkpoint : foreign)
    core::log("{} is of another training or damaged and will be replaced", checkpoint);
  if (context.world.root()) {
    for (const training::TrainingRun& run : runs)
      for (const std::string& file : {run.checkpoint, run.curves + ".csv", run.curves + ".jsonl"}) io::remove_leftovers(file);
    for (const std::string& checkpoint : foreign)
      for (const std::string& file : training::checkpoint_files(checkpoint)) std::filesystem::remove(file);
  }
  context.world.barrier();
}

void require_room(const Context& context, const std::vector<training::TrainingRun>& networks,
                  const std::vector<training::TrainingRun>& baselines, const std::string& path) {
  double disk = 0;
  for (const auto* runs : {&networks, &baselines})
    for (const training::TrainingRun& run : *runs) disk += training::training_disk_bytes(run);
  io::require_space(context.world, path, static_cast<std::size_t>(disk));
  if (networks.empty() || !parallel::device_memory_is_host()) return;
  const training::TrainingMemory needs = training::training_memory(context.world, networks.front());
  parallel::require_memory(context.world, needs.workspaces + needs.statistics, "training",
                           "lower training.segments or training.windows, or use another machine");
}

void describe_networks(const Context& context, const Group& group, const std::vector<training::TrainingRun>& runs) {
  if (runs.empty()) return;
  for (const std::string& line : training::describe_training(context.world, runs)) core::log("{}", line);
  for (const Plan& plan : group) core::log("  into {}", plan.path);
  if (!context.options.overwrite) training::check_resume(context.world, runs);
}

void describe_baseline(const Group& group, const std::vector<training::TrainingRun>& runs) {
  for (const training::TrainingRun& run : runs) training::require_ln_windows(run);
  for (const Plan& plan : group) core::log("ln: fitted directly, into {}", plan.path);
}

std::string told(const training::TrainingResult& result) {
  const training::EpochRecord& last = result.curve.back();
  return fmt::format("{} after {} epochs ({:.0f} windows){}, validation loss {:.4f}, r {:.3f} against single trials",
                     result.model.kind, last.epoch, last.windows, result.stopped_early ? ", ended by early stopping" : "",
                     last.validation_loss, last.validation_r);
}

void fit_baseline(const Context& context, const Plan& plan, const training::TrainingRun& run) {
  const double start = core::wall_seconds();
  core::log("train: fitting the linear-nonlinear baseline of {} cell(s)", run.recording.cells.size());
  model::write_model(context.world, plan.path, training::fit_ln(context.world, run), plan.provenance);
  core::log("train: wrote {} in {}", plan.path, core::human_seconds(core::wall_seconds() - start));
}

}  // namespace amacrine::drivers
