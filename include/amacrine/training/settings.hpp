// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/model/segment_shape.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace amacrine::training {

enum class Loss { poisson, mse };
enum class Schedule { constant, one_cycle, plateau };
enum class Metric { loss, correlation };  ///< of the validation part: loss falls, correlation rises

/// Adam (Kingma & Ba 2015), bias-corrected. `weight_decay` adds weight_decay * p to the gradient of *every* parameter, as torch
/// does.
struct AdamSettings {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.0;
};

/// How the learning rate moves. one_cycle: from rate / start_divisor up to the rate over the first `warm_fraction` of the
/// budget, down to rate / end_divisor, both along cosines. plateau: times `factor` after `patience` epochs without improvement.
struct ScheduleSettings {
  Schedule kind = Schedule::one_cycle;
  double warm_fraction = 0.3, start_divisor = 25.0, end_divisor = 1000.0;
  double factor = 0.2, min_rate = 0.0, threshold = 1e-4;
  int patience = 10;
  Metric metric = Metric::loss;
};

/// Training ends after `patience` epochs that did not improve the metric by more than `min_delta` (0: never).
struct EarlyStopping {
  int patience = 0;
  double min_delta = 0.0;
  Metric metric = Metric::loss;
};

/// What is done where a loss or a gradient is not finite: training stops, or goes back to the end of the last epoch and on from
/// there with `factor` times the rate, at most `retries` times.
struct DivergenceSettings {
  bool lower_rate = false;
  double factor = 0.1;
  int retries = 3;
};

/// The [training] table: docs/study/training.md.
struct TrainingSettings {
  std::string preset;                   ///< "", "deep-retina" or "torch-deep-retina"
  std::size_t segments = 128;           ///< segments of a batch (model::batch_layout)
  std::size_t windows = 4;              ///< windows of a segment; a batch has segments * windows windows
  std::size_t spacing = 4;              ///< frames from one window of a segment to the next, 1 being neighbours
  std::size_t most_ranks = 32;          ///< ranks that can share a batch; sets the order of its sums, so the bits depend on it
  std::size_t epoch_windows = 25'600;   ///< windows between two validations; 0: as many as the training part has
  std::size_t total_windows = 307'200;  ///< the whole budget: a multiple of the batch, rounded up
  std::size_t epochs = 0;               ///< where not 0, the budget is epochs * epoch_windows instead
  Loss loss = Loss::poisson;
  double loss_epsilon = 1e-8;  ///< inside the logarithm
  double learning_rate = 1e-2;
  AdamSettings adam;
  double averaging = 0.0;  ///< decay a step of the weights' average that is validated and exported; 0: the weights themselves
  ScheduleSettings schedule;
  EarlyStopping early_stopping;
  DivergenceSettings divergence;
  double l2 = 1e-3;                       ///< penalty l2 * sum w^2 on convolution kernels
  double l2_readout = 0.0;                ///< the same on the readout's weights
  double l1_output = 0.0;                 ///< l1_output * mean over windows and cells of |rate|
  bool running_statistics = false;        ///< validate and export with running statistics (presets) instead of recomputed ones
  double initial_gain = 0.5;              ///< sd of a cell's initial drive over its mean rate; 0: gamma 1 and beta 0 (presets)
  std::size_t statistics_windows = 2048;  ///< spread training windows for recomputed statistics
  std::uint64_t data_seed = 1, model_seed = 1;
  std::vector<std::uint64_t> model_seeds;  ///< models trained together, one for each seed ...
  std::vector<double> learning_rates;      ///< ... and rate: members.hpp; empty: model_seed, learning_rate
  double checkpoint_minutes = 5.0;         ///< longest time between checkpoints; 0: at the ends of epochs only
  double max_minutes = 0.0;                ///< wall-clock limit of one run, 0: none; then checkpoint and exit code 75
  std::string engine = "auto";             ///< "auto", "direct" or "spectral"
  bool ln = true;                          ///< also train the linear-nonlinear baseline
  std::size_t ln_windows = 200'000;        ///< at most so many windows, spread evenly, are used for it

  std::size_t batch() const { return segments * windows; }
  model::WindowRun run() const { return {windows, spacing}; }
  model::Batch batch_of(std::size_t runs) const { return {runs, run(), most_ranks}; }
  std::size_t steps_per_epoch() const { return (epoch_windows + batch() - 1) / batch(); }
  std::size_t total_steps() const { return (total_windows + batch() - 1) / batch(); }
};

/// The recipe preset a study names, "" for ours: it sets the defaults of [recording] and [model] too.
std::string read_preset(core::Study& study);
/// Reads the [training] table. Throws StudyError (file, line, key, what is allowed).
TrainingSettings read_training(core::Study& study);

/// The [evaluation] table: docs/study/evaluation.md.
struct EvaluationSettings {
  std::size_t discard_frames = 40;       ///< left out at the start of the test part: their windows reach before the movie
  std::size_t bootstrap_samples = 1000;  ///< 0: no intervals
  std::size_t bootstrap_block = 100;     ///< frames drawn together, since neighbouring bins are correlated
  double confidence = 0.95;
  std::uint64_t seed = 1;
};

/// Reads the [evaluation] table. Throws StudyError.
EvaluationSettings read_evaluation(core::Study& study);

}  // namespace amacrine::training
