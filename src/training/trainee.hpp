// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/adam.hpp"
#include "amacrine/training/batches.hpp"
#include "amacrine/training/checkpoint.hpp"
#include "amacrine/training/trainer.hpp"
#include "amacrine/training/validation.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace amacrine::training {

/// What the models of a group have in common: the movie, the batches cut from it, and the workspaces, which each model uses in
/// turn. Built from any of the group's runs, which must outlive it.
struct Bench {
  Bench(const parallel::Communicator& communicator, const TrainingRun& run);
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  /// Fills the graph with the batch of a step of the optimiser.
  void fill(std::size_t step);

  parallel::Communicator communicator;
  core::Exec exec;
  recording::SegmentSampler sampler;
  recording::Normalisation normalisation;
  BatchSource source;
  Validator validator;
  model::TrainGraph<float> graph;
};

/// One model in training: its state and the steps that change it.
class Trainee {
 public:
  Trainee(Bench& bench, const TrainingRun& run);

  std::size_t steps() const { return state_.step; }
  bool at_work() const { return (state_.step < last_step() && !state_.stopped_early) || epoch_due(); }
  /// Collective. What is due at an epoch's end, where the run before was stopped inside it. Throws parallel::Stopped, and is due
  /// again then.
  void finish_epoch();
  double windows_seen() const { return static_cast<double>(state_.step * settings_.batch()); }
  double budget() const { return static_cast<double>(last_step() * settings_.batch()); }
  /// Collective. One step on the batch the bench holds, and what is due at an epoch's end. `seconds` is its share of the time
  /// spent on the batch itself. Throws parallel::Stopped where the run is stopped inside the validation; the step is done then.
  void step(model::FrameSpectra spectra, double seconds);
  void save();  ///< collective
  TrainingResult result() const;
  std::string progress_note() const;

 private:
  void start();
  std::vector<float> pace() const;
  void resume(const TrainState& state);
  /// The learning rate of a step, numbered from 0.
  double rate_of(std::size_t step) const;
  /// Steps after which it pauses or ends.
  std::size_t last_step() const {
    const std::size_t all = settings_.total_steps();
    return run_.until_epoch == 0 ? all : std::min(all, run_.until_epoch * settings_.steps_per_epoch());
  }
  /// Whether the last step ended an epoch that is not in the curve yet.
  bool epoch_due() const;
  bool averages() const { return settings_.averaging > 0; }
  /// The weights that are validated and exported.
  const core::View1<float>& exported() const { return averages() ? average_ : parameters_; }
  void update(double rate, const std::vector<float>& gradient);
  void end_epoch();
  /// Brings the state on the host up to date.
  const TrainState& snapshot();
  void load(const TrainState& state);
  /// Keeps what a training that diverges goes back to: the end of an epoch, or the start.
  void keep_epoch();
  /// Goes back to the end of the last epoch with a lower rate. Throws core::Error where that is not wanted or does not help.
  void diverge(const std::string& what, double value);
  std::vector<float> validation_statistics();
  void write_curves() const;
  model::Model model(const std::vector<float>& parameters, const std::vector<float>& statistics) const;

  Bench& bench_;
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
