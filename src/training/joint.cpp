// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/joint.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/parallel/together.hpp"
#include "amacrine/training/identity.hpp"
#include "model_trainer.hpp"
#include "session_means.hpp"
#include "step_watch.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <optional>

namespace amacrine::training {
namespace {

/// The sessions of this rank in training.
struct Sessions {
  Sessions(const SessionShare& how, const std::vector<TrainingRun>& runs);

  const SessionShare& share;
  GraphPool pool;
  std::deque<SharedBatch> batches;  ///< of each session
  std::deque<ModelTrainer> models;
  SessionMeans means;
  std::size_t trunk = 0;  ///< parameters in common
  bool validates = false;
};

std::vector<std::size_t> cells_of(const std::vector<TrainingRun>& runs) {
  std::vector<std::size_t> cells;
  for (const TrainingRun& run : runs) cells.push_back(run.recording.cells.size());
  return cells;
}

Sessions::Sessions(const SessionShare& how, const std::vector<TrainingRun>& runs) : share(how), means(how, cells_of(runs)) {
  for (const TrainingRun& run : runs) models.emplace_back(batches.emplace_back(share.ranks, run, pool), run);
  trunk = trunk_size(models.front().layout());
  validates = !batches.front().sampler.validation().empty();
}

/// All sessions at the step of the one that has the fewest behind it: a job that was killed while it saved has some a save ahead.
void go_to_common_step(Sessions& sessions) {
  double fewest = std::numeric_limits<double>::infinity();
  for (const ModelTrainer& model : sessions.models) fewest = std::min(fewest, static_cast<double>(model.steps()));
  const auto common = static_cast<std::size_t>(-sessions.share.world.maximum(-fewest));
  for (ModelTrainer& model : sessions.models) model.rewind(common);
}

/// What is not finite in any session: this rank's own, or word of another's. Collective.
std::optional<NotFinite> agree(const Sessions& sessions, const std::optional<NotFinite>& own) {
  if (!sessions.share.world.any(own.has_value())) return std::nullopt;
  return own ? own : NotFinite{"loss or gradient of another session", std::numeric_limits<double>::quiet_NaN()};
}

void diverge_all(Sessions& sessions, const NotFinite& found) {
  for (ModelTrainer& model : sessions.models) model.diverge(found);
}

/// The sessions' gradients, those of the trunk averaged; nothing where one is not finite, and all went back.
bool step_all(Sessions& sessions) {
  std::vector<BatchGradient> gradients;
  std::optional<NotFinite> fault;
  for (std::size_t s = 0; s < sessions.models.size(); ++s) {
    const double start = core::wall_seconds();
    sessions.batches[s].fill(sessions.models[s].steps());
    gradients.push_back(sessions.models[s].gradient(model::FrameSpectra::fresh, core::wall_seconds() - start));
    if (!fault) fault = not_finite(gradients.back());
  }
  if (const auto found = agree(sessions, fault)) {
    diverge_all(sessions, *found);
    return false;
  }
  std::vector<std::vector<float>*> values;
  for (BatchGradient& gradient : gradients) values.push_back(&gradient.values);
  sessions.means.average(values, sessions.trunk);
  for (std::size_t s = 0; s < sessions.models.size(); ++s) sessions.models[s].apply(gradients[s]);
  return true;
}

/// Scores of this rank's sessions. Throws parallel::Stopped on all ranks where any was stopped.
std::vector<EpochScore> score_all(Sessions& sessions) {
  std::vector<EpochScore> scores;
  std::string stopped;
  try {
    for (ModelTrainer& model : sessions.models) scores.push_back(model.score());
  } catch (const parallel::Stopped& stop) {
    stopped = stop.signal;
  }
  if (sessions.share.world.any(!stopped.empty())) throw parallel::Stopped(stopped.empty() ? "what stopped other ranks" : stopped);
  return scores;
}

/// The mean over the sessions whose value is defined: one of silent cells alone has no correlation. Collective.
double mean_of_defined(const SessionMeans& means, std::vector<double> values) {
  std::vector<double> defined;
  for (double& value : values) {
    defined.push_back(std::isfinite(value) ? 1.0 : 0.0);
    if (!std::isfinite(value)) value = 0;
  }
  return means.mean(values) / means.mean(defined);
}

/// Ends the epoch of all sessions where it is due, which is so for all or none.
void finish_epochs(Sessions& sessions) {
  if (!sessions.models.front().epoch_due()) return;
  const std::vector<EpochScore> scores = score_all(sessions);
  std::optional<NotFinite> fault;
  std::vector<double> losses, correlations;
  for (const EpochScore& score : scores) {
    losses.push_back(score.validation.loss), correlations.push_back(score.validation.mean_r);
    if (!std::isfinite(losses.back())) fault = NotFinite{"validation loss", losses.back()};
  }
  if (!sessions.validates) fault.reset();
  if (const auto found = agree(sessions, fault)) return diverge_all(sessions, *found);
  const Validation deciding{sessions.means.mean(losses), mean_of_defined(sessions.means, correlations), {}};
  for (std::size_t s = 0; s < scores.size(); ++s) sessions.models[s].end_epoch(scores[s], deciding);
}

void save_sessions(Sessions& sessions) {
  for (ModelTrainer& model : sessions.models) model.save();
}

/// Steps until the sessions are trained or the run is stopped; what stopped it, or nothing.
std::string train_all(Sessions& sessions, StepWatch& watch, core::Progress& progress) {
  const ModelTrainer& first = sessions.models.front();
  try {
    for (finish_epochs(sessions); first.at_work();) {
      const double start = core::wall_seconds();
      if (step_all(sessions)) finish_epochs(sessions);
      watch.record(core::wall_seconds() - start);
      progress.update(first.windows_seen(), first.progress_note());
      if (!first.at_work()) break;
      const StepWatch::Due due = watch.due();
      if (due == StepWatch::Due::save) save_sessions(sessions);
      if (due == StepWatch::Due::stop) return watch.stopped_by();
    }
  } catch (const parallel::Stopped& stopped) {  // inside a validation, on all ranks
    return stopped.signal;
  }
  return {};
}

/// What all sessions must have in common, as lines "key = 'value'".
std::string common_to(const TrainingRun& run) {
  model::Architecture trunk = run.architecture;
  trunk.cells = 0;
  return fmt::format("model.architecture = '{}'; frame_ms = '{}'; pixel_um = '{}'; validation = '{}'", model::to_json(trunk),
                     run.recording.screen.frame_ms, run.recording.screen.pixel_um,
                     validates(run) ? "has windows" : "has no window");
}

/// Throws on every rank where the sessions differ. Collective.
void require_alike(const SessionShare& share, const std::vector<TrainingRun>& runs) {
  const std::string expected = share.world.broadcast(common_to(runs.front()));
  std::string fault;
  for (const TrainingRun& run : runs)
    if (fault.empty() && common_to(run) != expected)
      fault = fmt::format(
          "{} does not fit the first session: sessions of one model need the same frame interval, size of a pixel and hidden "
          "layers, "
          "and all or none windows to validate on; it has {}, the first {}",
          run.recording.path, common_to(run), expected);
  for (const std::string& text : parallel::gather_texts(share.world, fault))
    if (!text.empty()) core::fail<core::RefusedError>("{}", text);
}

}  // namespace

SessionShare::SessionShare(const parallel::Communicator& all, std::size_t sessions)
    : world(all),
      ranks(all.split_by(static_cast<int>(
          all.size() <= static_cast<int>(sessions)
              ? static_cast<std::size_t>(all.rank())
              : parallel::split(sessions, static_cast<std::size_t>(all.size()), static_cast<std::size_t>(all.rank())).begin))),
      count(sessions),
      mine(parallel::split(sessions, static_cast<std::size_t>(all.size()), static_cast<std::size_t>(all.rank()))),
      firsts(all.split_by(ranks.root() ? 0 : 1)) {
  core::require(sessions > 0, "a joint training was asked for without a session");
  if (mine.size() == 0) mine.end = mine.begin + 1;  // of the group's one session
}

std::size_t trunk_size(const model::ParameterLayout& layout) { return layout.parameter("readout.weight").offset; }

void join_sessions(const SessionShare& share, std::vector<TrainingRun>& runs, const std::vector<std::string>& descriptions) {
  core::require(runs.size() == share.mine.size() && descriptions.size() == runs.size(),
                "{} sessions with {} descriptions were given of {} that this rank has", runs.size(), descriptions.size(),
                share.mine.size());
  core::require<core::RefusedError>(
      !runs.front().architecture.hidden.empty(),
      "sessions share their hidden layers, but this study's model has none: give model.channels, or "
      "train each session in a study of its own");
  require_alike(share, runs);
  double longest = 0;
  std::string described;
  for (std::size_t s = 0; s < runs.size(); ++s) {
    runs[s].session = share.mine.begin + s;
    const recording::SegmentSampler sampler(runs[s].recording, runs[s].recording_settings, sampling_of(runs[s]));
    longest = std::max(longest, static_cast<double>(sampler.windows_per_epoch()));
    described += descriptions[s] + "; ";
  }
  longest = share.world.maximum(longest);
  const std::vector<std::string> all = parallel::gather_texts(share.world, share.ranks.root() ? described : "");
  for (TrainingRun& run : runs) {
    if (run.settings.epoch_windows == 0) run.settings.epoch_windows = static_cast<std::size_t>(longest);
    run.all_sessions = fmt::format("{}", fmt::join(all, ""));
  }
}

std::vector<TrainingResult> train_sessions(const SessionShare& share, const std::vector<TrainingRun>& runs,
                                           const std::function<bool()>& interrupt) {
  Sessions sessions(share, runs);
  go_to_common_step(sessions);
  const TrainingSettings& settings = runs.front().settings;
  std::string stopped_by;
  {
    StepWatch watch(share.world, {settings.max_minutes, 60 * settings.checkpoint_minutes, interrupt});
    core::Progress progress("train", sessions.models.front().budget(), "windows of each session");
    stopped_by = train_all(sessions, watch, progress);
  }
  if (!stopped_by.empty()) save_sessions(sessions);
  std::vector<TrainingResult> results;
  for (const ModelTrainer& model : sessions.models) {
    results.push_back(model.result());
    if (model.at_work()) results.back().stopped_by = stopped_by;
  }
  return results;
}

}  // namespace amacrine::training
