// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/trainer.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/model/train_graph.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/sampler.hpp"
#include "amacrine/training/adam.hpp"
#include "amacrine/training/batches.hpp"
#include "amacrine/training/checkpoint.hpp"
#include "amacrine/training/identity.hpp"
#include "amacrine/training/initialise.hpp"
#include "amacrine/training/schedule.hpp"
#include "amacrine/training/stop.hpp"
#include "amacrine/training/validation.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::training {
namespace {

using core::View1;

recording::Sampling sampling_of(const TrainingRun& run) {
  return {static_cast<std::size_t>(run.architecture.history), static_cast<std::size_t>(run.recording_settings.minimum_lag),
          run.settings.segments, run.settings.windows, run.settings.data_seed};
}

void check_run(const parallel::Communicator& communicator, const TrainingRun& run) {
  const model::Architecture& a = run.architecture;
  recording::check_fits(run.recording,
                        {a.history, a.height, a.width, run.recording.screen.frame_ms, run.recording_settings.minimum_lag});
  core::require<core::RefusedError>(static_cast<std::size_t>(communicator.size()) <= run.settings.segments,
                                    "{} ranks cannot share batches of training.segments = {} segments; use at most {} ranks",
                                    communicator.size(), run.settings.segments, run.settings.segments);
}

/// The budget in steps, now that the length of the recording is known.
TrainingSettings resolve_budget(TrainingSettings settings, const recording::SegmentSampler& sampler) {
  if (settings.epoch_windows == 0) settings.epoch_windows = sampler.windows_per_epoch();
  if (settings.epochs > 0) settings.total_windows = settings.epochs * settings.steps_per_epoch() * settings.batch();
  return settings;
}

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

/// The state of a training and the steps that change it.
class Trainer {
 public:
  Trainer(const parallel::Communicator& communicator, const TrainingRun& run);
  TrainingResult run();

 private:
  void start();
  std::vector<float> pace() const;
  void resume(const TrainState& state);
  double step();
  void update(double rate, const std::vector<float>& gradient);
  void end_epoch(double rate);
  std::vector<float> validation_statistics();
  void save();
  model::Model model(const std::vector<float>& parameters, const std::vector<float>& statistics) const;
  std::string progress_note() const;

  parallel::Communicator communicator_;
  TrainingRun run_;
  recording::SegmentSampler sampler_;
  TrainingSettings settings_;
  recording::Normalisation normalisation_;
  BatchSource source_;
  Validator validator_;
  model::ParameterLayout layout_;
  model::TrainGraph<float> graph_;
  core::Exec exec_;
  View1<float> parameters_;
  Adam<float> adam_;
  TrainState state_;
  double last_loss_ = 0;
  std::string identity_;
};

Trainer::Trainer(const parallel::Communicator& communicator, const TrainingRun& run)
    : communicator_(communicator),
      run_((check_run(communicator, run), run)),
      sampler_(run_.recording, run_.recording_settings, sampling_of(run_)),
      settings_(resolve_budget(run_.settings, sampler_)),
      normalisation_(
          recording::fit_normalisation(run_.recording.train.movie, run_.recording.coding, run_.recording_settings.normalisation)),
      source_(run_.recording, normalisation_, static_cast<std::size_t>(run_.architecture.history),
              static_cast<std::size_t>(run_.recording_settings.minimum_lag)),
      validator_(communicator_, run_, sampler_, source_),
      layout_(model::make_layout(run_.architecture)),
      graph_(model::make_train_graph<float>(run_.architecture, settings_.segments, communicator_.owned(settings_.segments),
                                            settings_.windows, model::GraphUse::training, model::conv_engine(settings_.engine))),
      adam_(make_adam<float>(layout_, settings_, pace())),
      identity_(training_identity(run_)) {
  if (!graph_.hidden.empty()) core::log("  {}", model::describe_engines(graph_));
  start();
  if (run_.checkpoint.empty()) return;
  if (const auto state = read_checkpoint(communicator_, run_.checkpoint, identity_)) resume(*state);
}

void Trainer::start() {
  state_.parameters = initial_parameters(run_.architecture, layout_, settings_.model_seed);
  if (settings_.initial_gain > 0)
    start_from_rates(run_.architecture, layout_, mean_rates(run_.recording, sampler_), settings_.initial_gain, state_.parameters);
  state_.statistics = initial_statistics(layout_);
  parameters_ = core::to_device("training::parameters", state_.parameters);
}

void Trainer::resume(const TrainState& state) {
  state_ = state;
  parameters_ = core::to_device("training::parameters", state_.parameters);
  adam_.first = core::to_device("training::adam_first", state_.first);
  adam_.second = core::to_device("training::adam_second", state_.second);
  core::log("{}: going on from {} after {} of {} windows", run_.kind, run_.checkpoint, state_.step * settings_.batch(),
            settings_.total_windows);
}

void Trainer::save() {
  if (run_.checkpoint.empty()) return;
  state_.parameters = core::to_host(parameters_);
  state_.first = core::to_host(adam_.first);
  state_.second = core::to_host(adam_.second);
  write_checkpoint(communicator_, run_.checkpoint, state_, identity_);
}

std::vector<float> Trainer::pace() const {
  if (settings_.initial_gain <= 0) return {};
  return rate_pace(layout_, mean_rates(run_.recording, sampler_));
}

/// One step of the optimiser; returns the learning rate it used.
double Trainer::step() {
  const double start = core::wall_seconds();
  const std::size_t per_pass = sampler_.steps_per_epoch();
  const std::vector<std::size_t> batch = sampler_.batch(state_.step / per_pass, state_.step % per_pass);
  const parallel::Range owned = graph_.owned;
  source_.fill(exec_,
               {batch.begin() + static_cast<std::ptrdiff_t>(owned.begin), batch.begin() + static_cast<std::ptrdiff_t>(owned.end)},
               graph_);
  model::train_forward(exec_, communicator_, graph_, parameters_, {true, settings_.model_seed, state_.step});
  std::vector<float> gradient;
  last_loss_ = model::train_backward(exec_, communicator_, graph_, parameters_, loss_settings(settings_), gradient);
  core::require(
      std::isfinite(last_loss_),
      "{}: the loss became {} at step {} ({} windows seen). Lower training.learning_rate ({:g}) or look for outliers in the "
      "recording; the last whole checkpoint is from the end of epoch {}",
      run_.kind, last_loss_, state_.step + 1, state_.step * settings_.batch(), settings_.learning_rate, state_.curve.size());
  const double rate =
      scheduled_rate(settings_.schedule, settings_.learning_rate, state_.step, settings_.total_steps()) * state_.plateau.scale;
  update(rate, gradient);
  state_.seconds += core::wall_seconds() - start;
  state_.epoch_seconds += core::wall_seconds() - start;
  return rate;
}

void Trainer::update(double rate, const std::vector<float>& gradient) {
  adam_step(exec_, settings_.adam, rate, state_.step + 1, core::to_device("training::gradient", gradient), adam_, parameters_);
  exec_.fence("training::the gradient's copy ends here");
  const std::vector<double> batch = model::batch_statistics(graph_);
  const double past = run_.architecture.norm_momentum;
  for (std::size_t i = 0; i < batch.size(); ++i) state_.statistics[i] = past * state_.statistics[i] + (1.0 - past) * batch[i];
  state_.loss_sum += last_loss_;
  ++state_.loss_steps;
  ++state_.step;
}

std::vector<float> Trainer::validation_statistics() {
  if (settings_.running_statistics || layout_.statistic_count == 0) return {state_.statistics.begin(), state_.statistics.end()};
  return validator_.population_statistics(exec_, parameters_);
}

void Trainer::end_epoch(double rate) {
  const double start = core::wall_seconds();
  const std::vector<float> parameters = core::to_host(parameters_), statistics = validation_statistics();
  const Validation validation = validator_.score(model(parameters, statistics));
  EpochRecord record;
  record.epoch = state_.curve.size() + 1;
  record.windows = static_cast<double>(state_.step * settings_.batch());
  record.learning_rate = rate;
  record.train_loss = state_.loss_sum / static_cast<double>(state_.loss_steps);
  record.penalty = l2_penalty(layout_, settings_, parameters);
  record.validation_loss = validation.loss, record.validation_r = validation.mean_r, record.cell_r = validation.cell_r;
  record.windows_per_second = static_cast<double>(state_.loss_steps * settings_.batch()) / state_.epoch_seconds;
  const Metric metric = settings_.early_stopping.metric;
  const auto value = [&](Metric m) { return m == Metric::loss ? validation.loss : validation.mean_r; };
  record.best = state_.best.update(value(metric), metric, 0.0) || !state_.best.any;
  if (record.best) state_.best_parameters = parameters, state_.best_statistics = statistics;
  state_.early.update(value(metric), metric, settings_.early_stopping.min_delta);
  state_.stopped_early = settings_.early_stopping.patience > 0 && state_.early.waiting >= settings_.early_stopping.patience;
  state_.plateau.update(settings_.schedule, value(settings_.schedule.metric), settings_.learning_rate);
  state_.loss_sum = 0, state_.loss_steps = 0, state_.epoch_seconds = 0;
  state_.seconds += core::wall_seconds() - start;
  record.seconds = state_.seconds;
  state_.curve.push_back(record);
  save();
  if (run_.curves.empty() || !communicator_.root()) return;
  std::vector<std::string> names;
  for (const recording::Cell& cell : run_.recording.cells) names.push_back(cell.name);
  replace_file(run_.curves + ".csv", curves_csv(state_.curve, names));
  replace_file(run_.curves + ".jsonl", curves_jsonl(state_.curve, names));
}

model::Model Trainer::model(const std::vector<float>& parameters, const std::vector<float>& statistics) const {
  model::Model model;
  model.kind = run_.kind;
  model.architecture = run_.architecture;
  model.parameters = parameters;
  model.statistics = statistics;
  model.normalisation = normalisation_;
  model.coding = run_.recording.coding;
  model.screen = run_.recording.screen;
  model.minimum_lag = run_.recording_settings.minimum_lag;
  model.cells = run_.recording.cells;
  const int channels = run_.architecture.hidden.empty() ? 0 : run_.architecture.hidden.front().channels;
  for (int c = 0; c < channels; ++c) model.channel_names.push_back(fmt::format("channel {}", c));
  return model;
}

std::string Trainer::progress_note() const {
  std::string note = fmt::format("loss {:.4f}", last_loss_);
  if (!state_.curve.empty())
    note +=
        fmt::format(", validation loss {:.4f} r {:.3f}", state_.curve.back().validation_loss, state_.curve.back().validation_r);
  return note;
}

TrainingResult Trainer::run() {
  const StopRequest stop(settings_.max_minutes);
  const std::size_t total = settings_.total_steps();
  TrainingResult result;
  {
    core::Progress progress(run_.kind == "ln" ? "train ln" : "train", static_cast<double>(total * settings_.batch()), "windows");
    while (state_.step < total && !state_.stopped_early) {
      const double rate = step();
      if (state_.step % settings_.steps_per_epoch() == 0 || state_.step == total) end_epoch(rate);
      progress.update(static_cast<double>(state_.step * settings_.batch()), progress_note());
      if (state_.step == total || state_.stopped_early || !communicator_.any(stop.asked())) continue;
      save();
      result.finished = false;
      result.stopped_by = communicator_.broadcast(stop.why());
      break;
    }
  }
  result.curve = state_.curve;
  result.stopped_early = state_.stopped_early;
  if (!state_.best_parameters.empty()) result.model = model(state_.best_parameters, state_.best_statistics);
  return result;
}

TrainingResult train_model(const parallel::Communicator& communicator, const TrainingRun& run) {
  return Trainer(communicator, run).run();
}

TrainingRun ln_baseline(const TrainingRun& network) {
  TrainingRun run = network;
  run.kind = "ln";
  run.architecture = model::preset_architecture("ln");
  run.architecture.history = network.architecture.history;
  run.architecture.height = network.architecture.height, run.architecture.width = network.architecture.width;
  run.architecture.cells = network.architecture.cells;
  run.settings.total_windows = network.settings.ln_windows;
  run.settings.epochs = 0;
  run.settings.learning_rate = network.settings.ln_learning_rate;
  run.settings.l2 = network.settings.ln_l2;
  run.settings.adam.weight_decay = 0;
  return run;
}

std::vector<std::string> describe_training(const parallel::Communicator& communicator, const TrainingRun& run) {
  check_run(communicator, run);
  const recording::SegmentSampler sampler(run.recording, run.recording_settings, sampling_of(run));
  const TrainingSettings s = resolve_budget(run.settings, sampler);
  const model::Architecture& a = run.architecture;
  const std::size_t segments = communicator.owned(s.segments).size();
  const double windows = static_cast<double>(s.total_steps() * s.batch());
  const double bytes = model::train_graph_bytes(a, segments, s.windows, model::GraphUse::training, sizeof(float)) +
                       static_cast<double>(run.recording.train.movie.bytes());
  const std::size_t spread =
      s.running_statistics ? 0 : communicator.owned(sampler.spread(std::max(s.statistics_windows, s.batch())).size()).size();
  return {
      fmt::format("{}: {}", run.kind, model::describe(a)),
      fmt::format("  {} trainable parameters, {} windows a pass of the recording", model::make_layout(a).parameter_count,
                  sampler.windows_per_epoch()),
      fmt::format("  {} steps of {} segments x {} windows = {:.0f} windows, validation every {} windows", s.total_steps(),
                  s.segments, s.windows, windows, s.steps_per_epoch() * s.batch()),
      fmt::format("  {:.3g} multiply-adds forward, about three times that in all", a.multiply_adds() * windows),
      fmt::format("  {} on rank 0, {} more while statistics are recomputed", core::human_bytes(bytes),
                  core::human_bytes(model::train_graph_bytes(a, spread, s.windows, model::GraphUse::statistics, sizeof(float))))};
}

}  // namespace amacrine::training
