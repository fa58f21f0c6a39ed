// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/adam.hpp"
#include "amacrine/training/batches.hpp"
#include "amacrine/training/checkpoint.hpp"
#include "amacrine/training/graph_pool.hpp"
#include "amacrine/training/trainer.hpp"
#include "amacrine/training/validation.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace amacrine::training {

/// What the models of a group have in common: the movie, the batches cut from it, and the workspaces, which each model uses in
/// turn. Built from any of the group's runs, which must outlive it, as must the pool of workspaces.
struct SharedBatch {
  SharedBatch(const parallel::Communicator& communicator, const TrainingRun& run, GraphPool& pool);
  SharedBatch(const SharedBatch&) = delete;
  SharedBatch& operator=(const SharedBatch&) = delete;

  /// Fills the graph with the batch of a step of the optimiser.
  void fill(std::size_t step);

  parallel::Communicator communicator;
  core::Exec exec;
  recording::SegmentSampler sampler;
  recording::Normalisation normalisation;
  BatchSource source;
  Validator validator;
  model::TrainGraph<float>& graph;
};

/// What a batch says of the parameters: its loss, the gradient (P), and the statistics of its norms in the layout's order.
struct BatchGradient {
  double loss = 0;
  std::vector<float> values;
  std::vector<double> statistics;
  double seconds = 0;  ///< wall clock that it took
};

/// A number of a step or a validation that is not finite.
struct NotFinite {
  std::string what;  ///< "loss", "gradient", ...
  double value = 0;
};

/// The weights at the end of an epoch and how they do on the validation part.
struct EpochScore {
  std::vector<float> parameters, statistics;
  Validation validation;
  double seconds = 0;  ///< wall clock that it took
};

/// One model in training: its state and the steps that change it.
class ModelTrainer {
 public:
  ModelTrainer(SharedBatch& shared, const TrainingRun& run);

  std::size_t steps() const { return state_.step; }
  bool at_work() const { return (state_.step < last_step() && !state_.stopped_early) || epoch_due(); }
  /// Whether the last step ended an epoch that is not in the curve yet.
  bool epoch_due() const;
  /// Collective. What is due at an epoch's end, where the run before was stopped inside it. Throws parallel::Stopped, and is due
  /// again then.
  void finish_epoch();
  double windows_seen() const { return static_cast<double>(state_.step * settings_.batch()); }
  double budget() const { return static_cast<double>(last_step() * settings_.batch()); }
  /// Collective. One step on the batch that the shared one holds, and what is due at an epoch's end. `seconds` is its share of
  /// the time spent on the batch itself. Throws parallel::Stopped where the run is stopped inside the validation; the step is
  /// done then.
  void step(model::FrameSpectra spectra, double seconds);

  /// The parts of a step, for models that exchange gradients. Collective: the gradient on the batch that the shared one holds.
  BatchGradient gradient(model::FrameSpectra spectra, double seconds);
  /// Collective. Moves the parameters. `gradient` is finite.
  void apply(const BatchGradient& gradient);
  /// Collective. The score of the weights as they are; changes nothing. Throws parallel::Stopped.
  EpochScore score();
  /// Collective. Ends the epoch. `deciding` is the validation by which the best epoch, early stopping and the plateau are judged.
  void end_epoch(const EpochScore& score, const Validation& deciding);
  /// Collective. Goes back to the end of the last epoch with a lower rate. Throws core::Error where that is not wanted or does
  /// not help.
  void diverge(const NotFinite& found);
  /// Collective. Goes back to the state after `step` steps, which is its start or in one of its checkpoints. Throws InputError
  /// where it is in neither.
  void rewind(std::size_t step);

  void save();  ///< collective
  const model::ParameterLayout& layout() const { return layout_; }
  TrainingResult result() const;
  std::string progress_note() const;

 private:
  TrainState initial_state() const;
  std::vector<float> rate_scales() const;
  /// Of the noise: sessions of a joint training draw each their own.
  std::uint64_t noise_seed() const;
  void resume(const TrainState& state);
  /// The learning rate of a step, numbered from 0.
  double rate_of(std::size_t step) const;
  /// Steps after which it pauses or ends.
  std::size_t last_step() const {
    const std::size_t all = settings_.total_steps();
    return run_.until_epoch == 0 ? all : std::min(all, run_.until_epoch * settings_.steps_per_epoch());
  }
  bool averages() const { return settings_.averaging > 0; }
  /// The weights that are validated and exported.
  const core::View1<float>& exported() const { return averages() ? average_ : parameters_; }
  /// Brings the state on the host up to date.
  const TrainState& snapshot();
  void load(const TrainState& state);
  /// Where a training that diverges goes back to, after the state was loaded.
  void find_epoch();
  /// Keeps what a training that diverges goes back to: the end of an epoch, or the start.
  void keep_epoch();
  std::vector<float> validation_statistics();
  void write_curves() const;
  model::Model model(const std::vector<float>& parameters, const std::vector<float>& statistics) const;

  SharedBatch& shared_;
  TrainingRun run_;
  TrainingSettings settings_;
  const model::ParameterLayout& layout_;
  core::View1<float> parameters_;
  core::View1<float> average_;  ///< (0) without averaging
  Adam<float> adam_;
  TrainState state_;
  std::optional<TrainState> epoch_;  ///< at the end of the last epoch, where a training that diverges goes back to it
  double last_loss_ = 0;
  std::string identity_;
};

/// What of the batch's loss and gradient is not finite; nothing where all is.
std::optional<NotFinite> not_finite(const BatchGradient& gradient);

/// How its batches lie in segments, and how ranks may share them.
model::BatchLayout layout_of(const TrainingRun& run);
recording::Sampling sampling_of(const TrainingRun& run);
/// The budget in steps, now that the length of the recording is known.
TrainingSettings resolve_budget(TrainingSettings settings, const recording::SegmentSampler& sampler);
/// Throws where recording, model and number of ranks do not fit.
void check_run(const parallel::Communicator& communicator, const TrainingRun& run);
/// Throws InputError where early stopping or the plateau schedule would follow a validation part that is empty.
void check_validation(const TrainingRun& run, const recording::SegmentSampler& sampler);

}  // namespace amacrine::training
