// SPDX-License-Identifier: Apache-2.0
#include "drivers/sweep_trials.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/io/durable_file.hpp"
#include "amacrine/parallel/together.hpp"
#include "amacrine/training/checkpoint.hpp"

#include <cmath>
#include <filesystem>
#include <optional>
#include <set>

namespace amacrine::drivers {

namespace {

/// The epoch at whose end a trial comes to a rung: the same share of its budget as of the study's.
std::size_t epoch_of(const Trials& trials, const Trial& trial, std::size_t rung) {
  if (rung + 1 == trials.rungs.size()) return trial.epochs;
  const double share = static_cast<double>(trials.rungs[rung]) / static_cast<double>(trials.rungs.back());
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(share * static_cast<double>(trial.epochs))));
}

/// What `look` throws, with the trial that it was about.
template <class Look>
void about_trial(std::size_t trial, const std::vector<std::string>& values, const Look& look) {
  try {
    look();
  } catch (const core::Error& error) {
    throw core::Error(fmt::format("trial {} ({}): {}", trial, fmt::join(values, " "), error.what()), error.code());
  }
}

/// The value of the epoch whose model is kept.
double value_of(const sweep::SweepSettings& settings, const std::vector<training::EpochRecord>& curve) {
  double value = NAN;
  for (const training::EpochRecord& epoch : curve)
    if (epoch.best) value = settings.metric == training::Metric::loss ? epoch.validation_loss : epoch.validation_r;
  return value;
}

std::vector<std::string> files_of(const training::TrainingRun& run) {
  std::vector<std::string> files = training::checkpoint_files(run.checkpoint);
  files.insert(files.end(), {run.curves + ".csv", run.curves + ".jsonl"});
  return files;
}

/// The trial's folder, without what runs that were killed have left in it and, with --overwrite, without checkpoints of other
/// trainings. Collective over the group.
void prepare_folder(const Context& context, const parallel::Communicator& group, const training::TrainingRun& run) {
  std::vector<std::string> foreign;
  if (context.options.overwrite) foreign = training::foreign_checkpoints(group, {run});
  parallel::on_some(group, group.root(), [&] {
    const std::filesystem::path folder = std::filesystem::path(run.checkpoint).parent_path();
    std::error_code fault;
    std::filesystem::create_directories(folder, fault);
    core::require(std::filesystem::is_directory(folder), "{}: the trial's folder cannot be made: {}", folder.string(),
                  fault ? fault.message() : "something else is there");
    for (const std::string& file : files_of(run)) io::remove_leftovers(file);
    for (const std::string& checkpoint : foreign)
      for (const std::string& file : training::checkpoint_files(checkpoint)) std::filesystem::remove(file);
  });
}

sweep::Reach finish(const Trials& trials, const parallel::Communicator& group, const Trial& trial,
                    const training::TrainingResult& result) {
  sweep::Reach reach{!result.stopped_by.empty(), result.finished, result.curve.size(), 0, NAN};
  if (!result.curve.empty()) reach.windows = result.curve.back().windows;
  reach.value = value_of(trials.context.settings.sweep, result.curve);
  if (result.finished && std::isfinite(reach.value))
    model::write_model(group, trial.folder + "/model.h5", result.model,
                       io::make_provenance(group, trial.study, "train", tables_of("train"), {trials.input}));
  return reach;
}

}  // namespace

std::string metric_name(const sweep::SweepSettings& settings) {
  return settings.metric == training::Metric::loss ? "loss" : "correlation";
}

std::vector<Trial> read_trials(const Context& context, const std::vector<sweep::Proposal>& proposals) {
  std::vector<Trial> trials;
  for (std::size_t t = 0; t < proposals.size(); ++t)
    about_trial(t, proposals[t].values, [&] {
      core::Study study = core::Study::from_text(context.study.resolved(), context.study.file(), proposals[t].overrides);
      Settings settings = read_settings(study);
      trials.push_back({std::move(study), std::move(settings), context.output(fmt::format("trials/{:04}", t)), 0});
    });
  return trials;
}

training::TrainingRun run_of(const Trials& trials, const Settings& settings, const std::string& folder) {
  training::TrainingRun run{trials.recording, settings.recording, settings.architecture, settings.training};
  run.architecture.cells = static_cast<int>(trials.recording.cells.size());
  run.kind = run.architecture.hidden.empty() ? "ln" : "network";
  run.recording_checksum = trials.input.checksum;
  run.settings.max_minutes = 0;  // of a training, not of one of a sweep's tasks
  run.lock = &trials.lock;
  if (folder.empty()) return run;
  run.checkpoint = folder + "/train.checkpoint";
  run.curves = folder + "/curves";
  return run;
}

std::vector<std::string> check_trials(Trials& trials, const std::vector<sweep::Proposal>& proposals,
                                      const parallel::Communicator& group) {
  std::vector<std::string> shares;
  std::set<std::string> checked;
  for (std::size_t t = 0; t < proposals.size(); ++t)
    about_trial(t, proposals[t].values, [&] {
      Trial& trial = trials.all[t];
      const training::TrainingRun run = run_of(trials, trial.settings, trial.folder);
      trial.epochs = training::epochs_of(run);
      shares.push_back(training::shared_identity(run));
      if (checked.insert(shares.back()).second) {
        training::training_memory(group, run);
        core::require<core::InputError>(training::validates(run),
                                        "recording.validation_fraction = {:g} leaves no window to compare trials on; raise it",
                                        trial.settings.recording.validation_fraction);
      }
    });
  return shares;
}

double disk_bytes_left(const Trials& trials, const Trial& trial) {
  const training::TrainingRun run = run_of(trials, trial.settings, trial.folder);
  double there = 0;
  std::vector<std::string> files = files_of(run);
  files.push_back(trial.folder + "/model.h5");
  for (const std::string& file : files) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(file, missing);
    if (!missing) there += static_cast<double>(size);
  }
  return std::max(0.0, training::training_disk_bytes(run) - there);
}

std::vector<sweep::Reach> train_task(const Trials& trials, const parallel::Communicator& group, const sweep::Task& task,
                                     const std::function<bool()>& interrupt) {
  std::vector<training::TrainingRun> runs;
  for (const std::size_t t : task.trials) {
    const Trial& trial = trials.all[t];
    runs.push_back(run_of(trials, trial.settings, trial.folder));
    runs.back().until_epoch = epoch_of(trials, trial, task.rung);
    prepare_folder(trials.context, group, runs.back());
  }
  std::optional<core::LogRedirect> log;
  parallel::on_some(group, group.root(), [&] { log.emplace(trials.all[task.trials.front()].folder + "/train.log"); });
  const auto results = training::train_together(group, runs, interrupt);
  std::vector<sweep::Reach> reaches;
  for (std::size_t i = 0; i < results.size(); ++i)
    reaches.push_back(finish(trials, group, trials.all[task.trials[i]], results[i]));
  return reaches;
}

}  // namespace amacrine::drivers
