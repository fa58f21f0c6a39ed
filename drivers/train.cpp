// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/training/trainer.hpp"
#include "drivers/verbs.hpp"

#include <filesystem>

namespace amacrine::drivers {

namespace {

/// A model to be trained and the file it ends in.
struct Plan {
  training::TrainingRun run;
  std::string path;
};

std::vector<Plan> plans(const Context& context, const recording::Recording& recording, const std::string& checksum) {
  const Settings& settings = context.settings;
  training::TrainingRun network{recording, settings.recording, settings.architecture, settings.training};
  network.architecture.cells = static_cast<int>(recording.cells.size());
  network.kind = network.architecture.hidden.empty() ? "ln" : "network";
  network.recording_checksum = checksum;
  network.checkpoint = context.output("train.checkpoint"), network.curves = context.output("curves");
  std::vector<Plan> all{{network, context.output("model.h5")}};
  if (settings.training.ln && network.kind != "ln") {
    all.push_back({training::ln_baseline(network), context.output("ln.h5")});
    all.back().run.checkpoint = context.output("ln.checkpoint"), all.back().run.curves = context.output("ln_curves");
  }
  return all;
}

/// A preset of the recipe has its say about the recording and the network too; where the study says otherwise, people are told.
void compare_with_preset(const Settings& settings) {
  const std::string& preset = settings.training.preset;
  if (preset.empty()) return;
  const recording::RecordingSettings& r = settings.recording;
  const bool keras = preset == "deep-retina";
  const auto differs = [&](const char* key, const auto& value, const auto& wanted) {
    if (value != wanted)
      core::warn("training.preset = \"{}\" goes with {} = {}, but this study has {}", preset, key, wanted, value);
  };
  differs("recording.normalisation", r.normalisation, std::string(keras ? "per_pixel" : "scalar"));
  differs("recording.test_statistics", r.test_statistics, std::string(keras ? "own" : "train"));
  differs("recording.target", r.target, std::string("firing_rate_10ms"));
  differs("recording.minimum_lag", r.minimum_lag, 1);
  differs("recording.skip_seconds", r.skip_seconds, keras ? 60.0 : 0.0);
  if (settings.architecture.norm != model::Norm::per_unit)
    core::warn("training.preset = \"{}\" goes with model.preset = \"{}\", but this study's norm is not per unit", preset, preset);
}

/// Makes room for the files of a training; with --overwrite an earlier one's checkpoints go. Collective.
void prepare(const Context& context, const Plan& plan) {
  if (context.world.root()) std::filesystem::create_directories(context.settings.output);
  if (context.options.overwrite && context.world.root())
    for (const char* ending : {"", ".previous", ".partial"}) std::filesystem::remove(plan.run.checkpoint + ending);
  context.world.barrier();
}

/// Trains one model and writes it. False where it was stopped and goes on next time.
bool train_one(const Context& context, const Plan& plan, const io::Provenance& provenance) {
  for (const std::string& line : training::describe_training(context.world, plan.run)) core::log("{}", line);
  const double start = core::wall_seconds();
  const training::TrainingResult result = training::train_model(context.world, plan.run);
  if (!result.finished) {
    core::log("train: stopped by {} after {:.0f} s; the state is in {}. The same command goes on", result.stopped_by,
              core::wall_seconds() - start, plan.run.checkpoint);
    return false;
  }
  const training::EpochRecord& last = result.curve.back();
  core::log("train: {} after {} epochs ({:.0f} windows){}, validation loss {:.4f}, r {:.3f} against single trials", plan.run.kind,
            last.epoch, last.windows, result.stopped_early ? ", ended by early stopping" : "", last.validation_loss,
            last.validation_r);
  model::write_model(context.world, plan.path, result.model, provenance);
  core::log("train: wrote {} in {}", plan.path, core::human_seconds(core::wall_seconds() - start));
  return true;
}

}  // namespace

/// Trains the study's network on its recording, and the linear-nonlinear baseline beside it.
int train(Context& context) {
  const Settings& settings = context.settings;
  const std::string recording_file = recording::recording_path(settings.recording, settings.output);
  const io::Input input = io::checked_input(context.world, "recording", recording_file);
  const io::Provenance provenance = io::make_provenance(context.world, context.study, "train", tables_of("train"), {input});
  compare_with_preset(settings);

  recording::Recording recording = recording::load_recording(recording_file, settings.recording, recording::Load::train);
  bool have_centres = false;
  for (const Plan& plan : plans(context, recording, input.checksum)) {
    if (context.options.dry_run) {
      for (const std::string& line : training::describe_training(context.world, plan.run)) core::log("{}", line);
      core::log("  into {}", plan.path);
      continue;
    }
    if (io::check_reuse(context.world, plan.path, provenance, context.options.overwrite) == io::Reuse::reuse) continue;
    if (!have_centres) recording::fit_centres(recording, settings.recording);
    have_centres = true;
    prepare(context, plan);
    if (!train_one(context, plan, provenance)) return static_cast<int>(core::ExitCode::run_again);
  }
  return 0;
}

}  // namespace amacrine::drivers
