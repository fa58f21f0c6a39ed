// SPDX-License-Identifier: Apache-2.0
#include "model_trainer.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/io/durable_file.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/training/averaging.hpp"
#include "amacrine/training/identity.hpp"
#include "amacrine/training/initialise.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::training {
namespace {

std::vector<double> mean_rates(const recording::Recording& recording, const recording::SegmentSampler& sampler) {
  std::vector<double> means;
  for (std::size_t n = 0; n < recording.cells.size(); ++n) {
    double sum = 0, count = 0;
    for (const parallel::Range& range : sampler.training()) {
      for (const float value : recording.train.target.row(n).subspan(range.begin, range.size()))
        sum += static_cast<double>(value);
      count += static_cast<double>(range.size());
    }
    means.push_back(sum / count);
  }
  return means;
}

}  // namespace

model::BatchLayout layout_of(const TrainingRun& run) {
  return model::batch_layout(run.architecture, run.settings.batch_of(run.settings.segments), model::GraphUse::training,
                             model::conv_engine(run.settings.engine));
}

recording::Sampling sampling_of(const TrainingRun& run) {
  return {static_cast<std::size_t>(run.architecture.history),
          static_cast<std::size_t>(run.recording_settings.minimum_lag),
          run.settings.segments,
          run.settings.windows,
          run.settings.data_seed,
          run.settings.run().spacing};
}

TrainingSettings resolve_budget(TrainingSettings settings, const recording::SegmentSampler& sampler) {
  if (settings.epoch_windows == 0) settings.epoch_windows = sampler.windows_per_epoch();
  if (settings.epochs > 0) settings.total_windows = settings.epochs * settings.steps_per_epoch() * settings.batch();
  return settings;
}

void check_run(const parallel::Communicator& communicator, const TrainingRun& run) {
  const model::Architecture& a = run.architecture;
  recording::check_fits(run.recording,
                        {a.history, a.height, a.width, run.recording.screen.frame_ms, run.recording_settings.minimum_lag});
  const std::size_t most = layout_of(run).segments.owners();
  core::require<core::RefusedError>(
      static_cast<std::size_t>(communicator.size()) <= most,
      "{} ranks cannot share batches of training.segments = {} segments of {} windows; use at most {} ranks{}",
      communicator.size(), run.settings.segments, run.settings.windows, most,
      static_cast<std::size_t>(communicator.size()) <= run.settings.segments
          ? fmt::format(", or set training.most_ranks = {}", communicator.size())
          : std::string());
}

void check_validation(const TrainingRun& run, const recording::SegmentSampler& sampler) {
  const bool stops = run.settings.early_stopping.patience > 0, plateau = run.settings.schedule.kind == Schedule::plateau;
  core::require<core::InputError>(
      !sampler.validation().empty() || !(stops || plateau),
      "{}: recording.validation_fraction = {:g} leaves no window of train/stimulus for validation (one needs {} frames), but {} "
      "follows the validation; raise recording.validation_fraction or set {}",
      run.recording.path, run.recording_settings.validation_fraction,
      run.architecture.history + run.recording_settings.minimum_lag, stops ? "early stopping" : "training.schedule = \"plateau\"",
      stops ? "training.early_stopping_patience = 0" : "another training.schedule");
}

SharedBatch::SharedBatch(const parallel::Communicator& ranks, const TrainingRun& run, GraphPool& pool)
    : communicator((check_run(ranks, run), ranks)),
      sampler(run.recording, run.recording_settings, sampling_of(run)),
      normalisation(
          recording::fit_normalisation(run.recording.train.movie, run.recording.coding, run.recording_settings.normalisation)),
      source(run.recording, normalisation, static_cast<std::size_t>(run.architecture.history),
             static_cast<std::size_t>(run.recording_settings.minimum_lag)),
      validator(communicator, run, sampler, source, pool),
      graph(pool.get(communicator, {run.architecture, layout_of(run), model::GraphUse::training,
                                    model::conv_engine(run.settings.engine), model::FrameRoom::fused})) {}

void SharedBatch::fill(std::size_t step) {
  const std::size_t per_pass = sampler.steps_per_epoch();
  const std::vector<std::size_t> batch = sampler.batch(step / per_pass, step % per_pass);
  const auto at = [&](std::size_t segment) { return batch.begin() + static_cast<std::ptrdiff_t>(segment * graph.runs); };
  source.fill(exec, {at(graph.owned.begin), at(graph.owned.end)}, graph);
}

ModelTrainer::ModelTrainer(SharedBatch& shared, const TrainingRun& run)
    : shared_(shared),
      run_(run),
      settings_(resolve_budget(run.settings, shared.sampler)),
      layout_(shared.graph.layout),
      adam_(make_adam<float>(layout_, settings_, rate_scales())),
      identity_(training_identity(run)) {
  check_validation(run, shared.sampler);
  load(initial_state());
  if (!run_.checkpoint.empty())
    if (const auto state = read_checkpoint(shared_.communicator, run_.checkpoint, identity_)) resume(*state);
  find_epoch();
}

void ModelTrainer::find_epoch() {
  if (!settings_.divergence.lower_rate) return;
  if (state_.loss_steps == 0) {
    keep_epoch();
  } else {
    epoch_ = read_epoch_state(shared_.communicator, run_.checkpoint, identity_);
    if (epoch_ && epoch_->curve.size() != state_.curve.size()) epoch_.reset();
  }
}

TrainState ModelTrainer::initial_state() const {
  TrainState state;
  state.parameters = initial_parameters(run_.architecture, layout_, settings_.model_seed);
  if (settings_.initial_gain > 0)
    start_from_rates(run_.architecture, layout_, mean_rates(run_.recording, shared_.sampler), settings_.initial_gain,
                     state.parameters);
  state.statistics = initial_statistics(layout_);
  state.first.assign(layout_.parameter_count, 0.0F), state.second.assign(layout_.parameter_count, 0.0F);
  if (averages()) state.average = state.parameters;
  return state;
}

void ModelTrainer::load(const TrainState& state) {
  state_ = state;
  parameters_ = core::to_device("training::parameters", state_.parameters);
  adam_.first = core::to_device("training::adam_first", state_.first);
  adam_.second = core::to_device("training::adam_second", state_.second);
  if (averages()) average_ = core::to_device("training::average", state_.average);
}

void ModelTrainer::resume(const TrainState& state) {
  load(state);
  write_curves();  // the run before may have been killed between the checkpoint and the curves
  core::log("{}: going on from {} after {} of {} windows", run_.kind, run_.checkpoint, state_.step * settings_.batch(),
            settings_.total_windows);
}

void ModelTrainer::rewind(std::size_t step) {
  if (state_.step == step) return;
  if (step == 0) {
    load(initial_state());
  } else {
    const auto state = read_checkpoint_at(shared_.communicator, run_.checkpoint, identity_, step);
    core::require<core::InputError>(state.has_value(),
                                    "{} and {}.previous are of other steps than {}, where another session's checkpoint ends; "
                                    "copy all sessions' checkpoints back from one moment, or start anew with --overwrite",
                                    run_.checkpoint, run_.checkpoint, step);
    load(*state);
  }
  find_epoch();
  save();  // so that the state before is not lost at the next save
}

void ModelTrainer::save() {
  if (run_.checkpoint.empty()) return;
  if (run_.lock != nullptr) run_.lock->require_held(shared_.communicator);
  write_checkpoint(shared_.communicator, run_.checkpoint, snapshot(), identity_);
}

const TrainState& ModelTrainer::snapshot() {
  state_.parameters = core::to_host(parameters_);
  state_.first = core::to_host(adam_.first);
  state_.second = core::to_host(adam_.second);
  if (averages()) state_.average = core::to_host(average_);
  return state_;
}

void ModelTrainer::keep_epoch() {
  if (!settings_.divergence.lower_rate) return;
  epoch_ = snapshot();
  if (!run_.checkpoint.empty()) write_epoch_state(shared_.communicator, run_.checkpoint, *epoch_, identity_);
}

void ModelTrainer::diverge(const NotFinite& number) {
  const DivergenceSettings& policy = settings_.divergence;
  const std::string found = fmt::format("{}: the {} became {} at step {} ({} windows seen)", run_.kind, number.what, number.value,
                                        state_.step + 1, state_.step * settings_.batch());
  const std::size_t epoch = state_.curve.size();
  core::require(policy.lower_rate,
                "{}. Lower training.learning_rate ({:g}), set training.on_divergence = \"lower_rate\", or look for outliers in "
                "the recording; the last whole checkpoint is from the end of epoch {}",
                found, settings_.learning_rate, epoch);
  core::require(epoch_.has_value(), "{}, and the state at the end of epoch {} is lost ({}.epoch): start anew with --overwrite",
                found, epoch, run_.checkpoint);
  const std::uint64_t cuts = state_.rate_cuts + 1;
  core::require(
      cuts <= static_cast<std::uint64_t>(policy.retries),
      "{}, though the rate was lowered {} times (training.divergence_retries) to {:g}. Look for outliers in the recording", found,
      state_.rate_cuts, settings_.learning_rate * state_.plateau.scale);
  epoch_->plateau.scale *= policy.factor;
  epoch_->rate_cuts = cuts;
  load(*epoch_);
  core::warn("{}; going back to the end of epoch {} with {:g} times the rate ({} of at most {} times)", found, epoch,
             state_.plateau.scale, cuts, policy.retries);
  keep_epoch();
  save();
}

std::vector<float> ModelTrainer::rate_scales() const {
  if (settings_.initial_gain <= 0) return {};
  return training::rate_scales(layout_, mean_rates(run_.recording, shared_.sampler));
}

double ModelTrainer::rate_of(std::size_t step) const {
  return scheduled_rate(settings_.schedule, settings_.learning_rate, step, settings_.total_steps()) * state_.plateau.scale;
}

bool ModelTrainer::epoch_due() const {
  const std::size_t per_epoch = settings_.steps_per_epoch(), total = settings_.total_steps();
  const std::size_t ended = state_.step / per_epoch + (state_.step == total && total % per_epoch != 0 ? 1 : 0);
  return state_.curve.size() < ended;
}

void ModelTrainer::finish_epoch() {
  if (!epoch_due()) return;
  const EpochScore scored = score();
  const double loss = scored.validation.loss;
  if (!shared_.sampler.validation().empty() && !std::isfinite(loss)) return diverge({"validation loss", loss});
  end_epoch(scored, scored.validation);
}

std::optional<NotFinite> not_finite(const BatchGradient& gradient) {
  if (!std::isfinite(gradient.loss)) return NotFinite{"loss", gradient.loss};
  for (const float value : gradient.values)
    if (!std::isfinite(value)) return NotFinite{"gradient", static_cast<double>(value)};
  return std::nullopt;
}

void ModelTrainer::step(model::FrameSpectra spectra, double seconds) {
  const BatchGradient found = gradient(spectra, seconds);
  if (const auto number = not_finite(found)) return diverge(*number);
  apply(found);
  finish_epoch();
}

std::uint64_t ModelTrainer::noise_seed() const {
  if (run_.session == 0) return settings_.model_seed;
  core::Random random(settings_.model_seed, core::Stream::noise, run_.session);
  const std::uint64_t high = random.bits();
  return high << 32 | random.bits();
}

BatchGradient ModelTrainer::gradient(model::FrameSpectra spectra, double seconds) {
  const double start = core::wall_seconds() - seconds;
  model::TrainGraph<float>& graph = shared_.graph;
  model::train_forward(shared_.exec, shared_.communicator, graph, parameters_, {true, noise_seed(), state_.step}, spectra);
  BatchGradient found;
  found.loss =
      model::train_backward(shared_.exec, shared_.communicator, graph, parameters_, loss_settings(settings_), found.values);
  found.statistics = model::batch_statistics(graph);
  found.seconds = core::wall_seconds() - start;
  return found;
}

void ModelTrainer::apply(const BatchGradient& gradient) {
  const double start = core::wall_seconds() - gradient.seconds;
  adam_step(shared_.exec, settings_.adam, rate_of(state_.step), state_.step + 1,
            core::to_device("training::gradient", gradient.values), adam_, parameters_);
  if (averages()) average_step(shared_.exec, settings_.averaging, state_.step + 1, parameters_, average_);
  shared_.exec.fence("training::the gradient's copy ends here");
  const double past = run_.architecture.norm_momentum;
  for (std::size_t i = 0; i < gradient.statistics.size(); ++i)
    state_.statistics[i] = past * state_.statistics[i] + (1.0 - past) * gradient.statistics[i];
  last_loss_ = gradient.loss;
  state_.loss_sum += gradient.loss;
  ++state_.loss_steps;
  ++state_.step;
  const double took = core::wall_seconds() - start;
  state_.seconds += took;
  state_.epoch_seconds += took;
}

std::vector<float> ModelTrainer::validation_statistics() {
  if (settings_.running_statistics || layout_.statistic_count == 0) return {state_.statistics.begin(), state_.statistics.end()};
  return shared_.validator.population_statistics(shared_.exec, exported());
}

EpochScore ModelTrainer::score() {
  const double start = core::wall_seconds();
  EpochScore scored;
  scored.parameters = core::to_host(exported());
  scored.statistics = validation_statistics();
  scored.validation = shared_.validator.score(model(scored.parameters, scored.statistics), loss_settings(settings_));
  scored.seconds = core::wall_seconds() - start;
  return scored;
}

void ModelTrainer::end_epoch(const EpochScore& score, const Validation& deciding) {
  const Validation& validation = score.validation;
  EpochRecord record;
  record.epoch = state_.curve.size() + 1;
  record.windows = windows_seen();
  record.learning_rate = rate_of(state_.step - 1);
  record.train_loss = state_.loss_sum / static_cast<double>(state_.loss_steps);
  record.penalty = l2_penalty(layout_, settings_, score.parameters);
  record.validation_loss = validation.loss, record.validation_r = validation.mean_r, record.cell_r = validation.cell_r;
  record.windows_per_second = static_cast<double>(state_.loss_steps * settings_.batch()) / state_.epoch_seconds;
  const Metric metric = settings_.early_stopping.metric;
  const auto value = [&](Metric m) { return m == Metric::loss ? deciding.loss : deciding.mean_r; };
  record.best = state_.best.update(value(metric), metric, 0.0) || !state_.best.any;
  if (shared_.sampler.validation().empty())  // nothing to choose by: the last epoch is kept
    for (EpochRecord& earlier : state_.curve) earlier.best = false;
  if (record.best) state_.best_parameters = score.parameters, state_.best_statistics = score.statistics;
  state_.early.update(value(metric), metric, settings_.early_stopping.min_delta);
  state_.stopped_early = settings_.early_stopping.patience > 0 && state_.early.waiting >= settings_.early_stopping.patience;
  state_.plateau.update(settings_.schedule, value(settings_.schedule.metric), settings_.learning_rate);
  state_.loss_sum = 0, state_.loss_steps = 0, state_.epoch_seconds = 0;
  state_.seconds += score.seconds;
  record.seconds = state_.seconds;
  state_.curve.push_back(record);
  keep_epoch();
  save();
  write_curves();
}

void ModelTrainer::write_curves() const {
  if (run_.curves.empty() || !shared_.communicator.root()) return;
  std::vector<std::string> names;
  for (const recording::Cell& cell : run_.recording.cells) names.push_back(cell.name);
  io::replace_file(run_.curves + ".csv", curves_csv(state_.curve, names));
  io::replace_file(run_.curves + ".jsonl", curves_jsonl(state_.curve, names));
}

model::Model ModelTrainer::model(const std::vector<float>& parameters, const std::vector<float>& statistics) const {
  model::Model model;
  model.kind = run_.kind;
  model.architecture = run_.architecture;
  model.parameters = parameters;
  model.statistics = statistics;
  model.normalisation = shared_.normalisation;
  model.coding = run_.recording.coding;
  model.screen = run_.recording.screen;
  model.minimum_lag = run_.recording_settings.minimum_lag;
  model.cells = run_.recording.cells;
  const int channels = run_.architecture.hidden.empty() ? 0 : run_.architecture.hidden.front().channels;
  for (int c = 0; c < channels; ++c) model.channel_names.push_back(fmt::format("channel {}", c));
  return model;
}

TrainingResult ModelTrainer::result() const {
  TrainingResult result;
  result.curve = state_.curve;
  result.stopped_early = state_.stopped_early;
  result.finished = !at_work() && (state_.stopped_early || state_.step >= settings_.total_steps());
  if (!state_.best_parameters.empty()) result.model = model(state_.best_parameters, state_.best_statistics);
  return result;
}

std::string ModelTrainer::progress_note() const {
  std::string note = fmt::format("loss {:.4f}", last_loss_);
  if (!state_.curve.empty())
    note +=
        fmt::format(", validation loss {:.4f} r {:.3f}", state_.curve.back().validation_loss, state_.curve.back().validation_r);
  return note;
}

}  // namespace amacrine::training
