// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/trainer.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/core/study.hpp"
#include "amacrine/model/train_graph.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/training/identity.hpp"
#include "model_trainer.hpp"
#include "step_watch.hpp"

#include <algorithm>

namespace amacrine::training {
namespace {

void check_group(const std::vector<TrainingRun>& runs) {
  core::require(!runs.empty(), "training was asked for without a model");
  for (const TrainingRun& run : runs) {
    core::require(&run.recording == &runs[0].recording, "models trained together need one recording");
    std::string differences;
    for (const std::string& line : core::study_differences(shared_identity(runs[0]), shared_identity(run)))
      differences += "\n  " + line;
    core::require<core::RefusedError>(differences.empty(), "models trained together see the same batches, but these differ in:{}",
                                      differences);
  }
}

/// The models whose turn it is: those at work that have done the fewest steps. After a crash some may be an epoch ahead; they
/// wait for the others, so that the group shares its batches again.
std::vector<ModelTrainer*> next_in_line(std::vector<ModelTrainer>& group) {
  std::vector<ModelTrainer*> next;
  for (ModelTrainer& trainer : group) {
    if (!trainer.at_work() || (!next.empty() && trainer.steps() > next.front()->steps())) continue;
    if (!next.empty() && trainer.steps() < next.front()->steps()) next.clear();
    next.push_back(&trainer);
  }
  return next;
}

/// One batch for all whose turn it is: cut and transformed once.
void step_together(SharedBatch& shared, const std::vector<ModelTrainer*>& next) {
  const double start = core::wall_seconds();
  shared.fill(next.front()->steps());
  const double share = (core::wall_seconds() - start) / static_cast<double>(next.size());
  for (ModelTrainer* trainer : next)
    trainer->step(trainer == next.front() ? model::FrameSpectra::fresh : model::FrameSpectra::kept, share);
}

/// What the steps of a group are taken with.
struct Course {
  SharedBatch& shared;
  std::vector<ModelTrainer>& group;
  StepWatch watch;
  core::Progress progress;
};

void save_all(std::vector<ModelTrainer>& group) {
  for (ModelTrainer& trainer : group)
    if (trainer.at_work()) trainer.save();
}

/// One step of all whose turn it is; false where the run was asked to stop.
bool advance(Course& course) {
  const std::vector<ModelTrainer*> next = next_in_line(course.group);
  const double start = core::wall_seconds();
  step_together(course.shared, next);
  course.watch.record(core::wall_seconds() - start);
  double seen = 0;
  for (const ModelTrainer& trainer : course.group) seen += trainer.windows_seen();
  course.progress.update(seen, next.front()->progress_note());
  if (next_in_line(course.group).empty()) return true;
  const StepWatch::Due due = course.watch.due();
  if (due == StepWatch::Due::save) save_all(course.group);
  return due != StepWatch::Due::stop;
}

/// Steps until all models are trained or the run is stopped; what stopped it, or nothing.
std::string take_steps(Course& course) {
  try {
    for (ModelTrainer& trainer : course.group) trainer.finish_epoch();
    while (!next_in_line(course.group).empty())
      if (!advance(course)) return course.watch.stopped_by();
  } catch (const parallel::Stopped& stopped) {  // inside a validation, on all ranks
    return stopped.signal;
  }
  return {};
}

}  // namespace

/// All but what only the model itself sees.
std::string shared_identity(const TrainingRun& run) {
  TrainingRun shared = run;
  shared.settings = TrainingSettings();
  shared.settings.segments = run.settings.segments, shared.settings.windows = run.settings.windows;
  shared.settings.spacing = run.settings.spacing, shared.settings.most_ranks = run.settings.most_ranks;
  shared.settings.data_seed = run.settings.data_seed, shared.settings.engine = run.settings.engine;
  shared.settings.statistics_windows = run.settings.statistics_windows;
  return training_identity(shared);
}

bool validates(const TrainingRun& run) {
  return !recording::SegmentSampler(run.recording, run.recording_settings, sampling_of(run)).validation().empty();
}

std::size_t epochs_of(const TrainingRun& run) {
  const recording::SegmentSampler sampler(run.recording, run.recording_settings, sampling_of(run));
  const TrainingSettings settings = resolve_budget(run.settings, sampler);
  return (settings.total_steps() + settings.steps_per_epoch() - 1) / settings.steps_per_epoch();
}

std::vector<TrainingResult> train_together(const parallel::Communicator& communicator, const std::vector<TrainingRun>& runs,
                                           const std::function<bool()>& interrupt) {
  check_group(runs);
  GraphPool pool;
  SharedBatch shared(communicator, runs.front(), pool);
  if (shared.sampler.validation().empty())
    core::warn("{}: recording.validation_fraction = {:g} leaves nothing to validate on; the last epoch's weights are kept",
               runs.front().recording.path, runs.front().recording_settings.validation_fraction);
  std::vector<ModelTrainer> group;
  group.reserve(runs.size());
  double shortest = 0, total = 0;
  for (const TrainingRun& run : runs) {
    group.emplace_back(shared, run);
    total += group.back().budget();
    shortest = run.settings.max_minutes > 0 && (shortest <= 0 || run.settings.max_minutes < shortest) ? run.settings.max_minutes
                                                                                                      : shortest;
  }
  std::string stopped_by;
  {
    Course course{shared, group, StepWatch(communicator, {shortest, 60 * runs.front().settings.checkpoint_minutes, interrupt}),
                  core::Progress(runs.front().kind == "ln" ? "train ln" : "train", total, "windows")};
    stopped_by = take_steps(course);
  }
  if (!stopped_by.empty()) save_all(group);
  std::vector<TrainingResult> results;
  for (const ModelTrainer& trainer : group) {
    results.push_back(trainer.result());
    if (trainer.at_work()) results.back().stopped_by = stopped_by;
  }
  return results;
}

TrainingResult train_model(const parallel::Communicator& communicator, const TrainingRun& run) {
  return train_together(communicator, {run}).front();
}

TrainingRun ln_baseline(const TrainingRun& network) {
  TrainingRun run = network;
  run.kind = "ln";
  run.architecture = model::preset_architecture("ln");
  run.architecture.history = network.architecture.history;
  run.architecture.height = network.architecture.height, run.architecture.width = network.architecture.width;
  run.architecture.cells = network.architecture.cells;
  run.checkpoint.clear(), run.curves.clear();
  return run;
}

TrainingMemory training_memory(const parallel::Communicator& communicator, const TrainingRun& run) {
  check_run(communicator, run);
  const recording::SegmentSampler sampler(run.recording, run.recording_settings, sampling_of(run));
  const TrainingSettings& s = run.settings;
  const model::ConvEngine engine = model::conv_engine(s.engine);
  const auto workspaces = [&](std::size_t segments, model::GraphUse use) {
    const model::BatchLayout layout = model::batch_layout(run.architecture, s.batch_of(segments), use, engine);
    return model::train_graph_bytes(run.architecture, layout, communicator.owned(layout.segments).size(), use, engine,
                                    model::FrameRoom::fused);
  };
  TrainingMemory memory;
  memory.recording = static_cast<double>(run.recording.train.movie.bytes());
  // Responses lie there as they were read and as the device reads them, and the simulated rates beside them.
  memory.recording +=
      static_cast<double>((2 * run.recording.train.target.size() + run.recording.train.noiseless.size()) * sizeof(float));
  memory.workspaces = workspaces(s.segments, model::GraphUse::training);
  const std::size_t spread = sampler.spread(std::max(s.statistics_windows, s.batch())).size();
  if (!s.running_statistics && model::make_layout(run.architecture).statistic_count > 0)
    memory.statistics = workspaces(spread, model::GraphUse::statistics);
  return memory;
}

void check_resume(const parallel::Communicator& communicator, const std::vector<TrainingRun>& runs) {
  for (const TrainingRun& run : runs)
    if (!run.checkpoint.empty()) read_checkpoint(communicator, run.checkpoint, training_identity(run));
}

std::vector<std::string> foreign_checkpoints(const parallel::Communicator& communicator, const std::vector<TrainingRun>& runs) {
  std::vector<std::string> foreign;
  for (const TrainingRun& run : runs) {
    if (run.checkpoint.empty()) continue;
    try {
      read_checkpoint(communicator, run.checkpoint, training_identity(run));
    } catch (const core::RefusedError&) {
      foreign.push_back(run.checkpoint);
    } catch (const core::InputError&) {
      foreign.push_back(run.checkpoint);
    }
  }
  return foreign;
}

double training_disk_bytes(const TrainingRun& run) {
  const model::ParameterLayout layout = model::make_layout(run.architecture);
  const double parameters = static_cast<double>(layout.parameter_count), statistics = static_cast<double>(layout.statistic_count),
               pixels = static_cast<double>(run.architecture.height) * run.architecture.width,
               cells = static_cast<double>(run.architecture.cells);
  const TrainingSettings& s = run.settings;
  const double epochs =
      static_cast<double>(s.epochs > 0 ? s.epochs : s.total_windows / std::max<std::size_t>(1, s.epoch_windows) + 1);
  const double curve = epochs * (200 + 30 * cells);
  // Parameters: last, best, average, Adam's two moments; statistics: last (double) and best.
  const double checkpoint = 5 * 4 * parameters + 12 * statistics + curve + 4096;
  return 3 * checkpoint + 2 * curve + 4 * (parameters + statistics) + 16 * pixels + 65536;
}

std::vector<std::string> describe_training(const parallel::Communicator& communicator, const std::vector<TrainingRun>& runs) {
  const TrainingRun& run = runs.at(0);
  const TrainingMemory memory = training_memory(communicator, run);
  const recording::SegmentSampler sampler(run.recording, run.recording_settings, sampling_of(run));
  for (const TrainingRun& each : runs) check_validation(each, sampler);
  const TrainingSettings s = resolve_budget(run.settings, sampler);
  const double windows = static_cast<double>(s.total_steps() * s.batch());
  std::vector<std::string> lines{
      fmt::format("{}: {}", run.kind, model::describe(run.architecture)),
      fmt::format("  {} trainable parameters, {} windows a pass of the recording",
                  model::make_layout(run.architecture).parameter_count, sampler.windows_per_epoch()),
      fmt::format("  {} steps of {} segments x {} windows{} = {:.0f} windows, validation every {} windows", s.total_steps(),
                  s.segments, s.windows, s.run().spacing > 1 ? fmt::format(" {} frames apart", s.spacing) : "", windows,
                  s.steps_per_epoch() * s.batch()),
      fmt::format("  {:.3g} multiply-adds forward, about three times that in all", run.architecture.multiply_adds() * windows),
      fmt::format("  {} on rank 0: {} of movie and responses, {} of workspaces, {} more once statistics are recomputed",
                  core::human_bytes(memory.total()), core::human_bytes(memory.recording), core::human_bytes(memory.workspaces),
                  core::human_bytes(memory.statistics))};
  if (runs.size() > 1)
    lines.push_back(fmt::format("  {} models, each of this size and budget, share batches and workspaces", runs.size()));
  return lines;
}

}  // namespace amacrine::training
