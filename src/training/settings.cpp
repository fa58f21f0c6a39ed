// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/settings.hpp"

#include <algorithm>

namespace amacrine::training {
namespace {

/// Keras' deep-retina v1.0.0 and torch-deep-retina as published (retina literature's code), where they differ from our defaults.
TrainingSettings preset_defaults(const std::string& preset) {
  TrainingSettings s;
  s.preset = preset;
  if (preset.empty()) return s;
  s.epoch_windows = 0;
  s.running_statistics = true;
  s.initial_gain = 0.0;
  s.schedule.kind = Schedule::plateau;
  s.schedule.patience = 10;
  if (preset == "deep-retina") {
    s.segments = 125, s.windows = 40, s.spacing = 1;
    s.epochs = 250;
    s.loss_epsilon = 1e-7, s.adam.epsilon = 1e-7;
    s.learning_rate = 1e-2, s.l2 = 1e-2;
    s.schedule.factor = 0.2, s.schedule.threshold = 1e-4, s.schedule.metric = Metric::loss;
    s.early_stopping = {20, 0.0, Metric::loss};
  } else {
    s.segments = 16, s.windows = 32, s.spacing = 1;
    s.epochs = 50;
    s.learning_rate = 5e-3, s.l2 = 0.0, s.adam.weight_decay = 1e-3;
    s.schedule.factor = 0.1, s.schedule.threshold = 1e-2, s.schedule.metric = Metric::correlation;
    s.early_stopping = {10, 1e-2, Metric::correlation};
  }
  return s;
}

std::size_t count(core::Study& study, const std::string& key, std::size_t fallback, std::int64_t low, std::int64_t high) {
  return static_cast<std::size_t>(study.integer("training." + key, static_cast<std::int64_t>(fallback), low, high));
}

Metric read_metric(core::Study& study, const std::string& key, Metric fallback) {
  const std::string word =
      study.choose("training." + key, fallback == Metric::loss ? "loss" : "correlation", {"loss", "correlation"});
  return word == "loss" ? Metric::loss : Metric::correlation;
}

void read_schedule(core::Study& study, ScheduleSettings& s) {
  const char* const words[] = {"constant", "one_cycle", "plateau"};
  const std::string kind =
      study.choose("training.schedule", words[static_cast<int>(s.kind)], {"one_cycle", "plateau", "constant"});
  s.kind = kind == "one_cycle" ? Schedule::one_cycle : kind == "plateau" ? Schedule::plateau : Schedule::constant;
  s.warm_fraction = study.number("training.one_cycle_warm_fraction", s.warm_fraction, 0.0, 1.0);
  s.start_divisor = study.number("training.one_cycle_start_divisor", s.start_divisor, 1.0, 1e6);
  s.end_divisor = study.number("training.one_cycle_end_divisor", s.end_divisor, 1.0, 1e9);
  s.factor = study.number("training.plateau_factor", s.factor, 1e-6, 1.0);
  s.patience = static_cast<int>(study.integer("training.plateau_patience", s.patience, 1, 100'000));
  s.threshold = study.number("training.plateau_threshold", s.threshold, 0.0, 1e6);
  s.min_rate = study.number("training.plateau_min_rate", s.min_rate, 0.0, 1.0);
  s.metric = read_metric(study, "plateau_metric", s.metric);
}

void read_regularisation(core::Study& study, TrainingSettings& s) {
  s.loss = study.choose("training.loss", "poisson", {"poisson", "mse"}) == "mse" ? Loss::mse : Loss::poisson;
  s.loss_epsilon = study.number("training.loss_epsilon", s.loss_epsilon, 1e-30, 1.0);
  s.l2 = study.number("training.l2", s.l2, 0.0, 1e3);
  s.l2_readout = study.number("training.l2_readout", s.l2_readout, 0.0, 1e3);
  s.l1_output = study.number("training.l1_output", s.l1_output, 0.0, 1e3);
  s.adam.weight_decay = study.number("training.weight_decay", s.adam.weight_decay, 0.0, 1e3);
}

void read_optimiser(core::Study& study, TrainingSettings& s) {
  s.learning_rate = study.number("training.learning_rate", s.learning_rate, 1e-9, 10.0);
  s.adam.beta1 = study.number("training.adam_beta1", s.adam.beta1, 0.0, 0.999999);
  s.adam.beta2 = study.number("training.adam_beta2", s.adam.beta2, 0.0, 0.99999999);
  s.adam.epsilon = study.number("training.adam_epsilon", s.adam.epsilon, 1e-30, 1.0);
  s.averaging = study.number("training.averaging", s.averaging, 0.0, 0.9999999);
  read_schedule(study, s.schedule);
  s.divergence.lower_rate = study.choose("training.on_divergence", "stop", {"stop", "lower_rate"}) == "lower_rate";
  s.divergence.factor = study.number("training.divergence_factor", s.divergence.factor, 1e-6, 0.99);
  s.divergence.retries = static_cast<int>(study.integer("training.divergence_retries", s.divergence.retries, 1, 100));
  s.early_stopping.patience =
      static_cast<int>(study.integer("training.early_stopping_patience", s.early_stopping.patience, 0, 100'000));
  s.early_stopping.min_delta = study.number("training.early_stopping_min_delta", s.early_stopping.min_delta, 0.0, 1e6);
  s.early_stopping.metric = read_metric(study, "early_stopping_metric", s.early_stopping.metric);
}

void read_budget(core::Study& study, TrainingSettings& s) {
  s.segments = count(study, "segments", s.segments, 1, 100'000);
  s.windows = count(study, "windows", s.windows, 1, 100'000);
  s.spacing = count(study, "spacing", s.spacing, 1, 100'000);
  s.most_ranks = count(study, "most_ranks", s.most_ranks, 1, 100'000);
  core::require<core::StudyError>(
      s.batch() >= 2, "{}: a batch of one window has no variance to normalise by; raise training.segments or training.windows",
      study.where("training.segments"));
  s.epoch_windows = count(study, "epoch_windows", s.epoch_windows, 0, 1'000'000'000'000);
  s.total_windows = count(study, "total_windows", s.total_windows, 1, 1'000'000'000'000);
  s.epochs = count(study, "epochs", s.epochs, 0, 1'000'000);
  s.checkpoint_minutes = study.number("training.checkpoint_minutes", s.checkpoint_minutes, 0.0, 1e7);
  s.max_minutes = study.number("training.max_minutes", s.max_minutes, 0.0, 1e7);
}

template <class T>
void require_distinct(core::Study& study, const std::string& key, std::vector<T> values) {
  std::sort(values.begin(), values.end());
  const auto twice = std::adjacent_find(values.begin(), values.end());
  core::require<core::StudyError>(twice == values.end(), "{}: {} names {} twice", study.where(key), key,
                                  twice == values.end() ? T() : *twice);
}

void read_members(core::Study& study, TrainingSettings& s) {
  for (const int seed : study.get<std::vector<int>>("training.model_seeds", {})) {
    core::require<core::StudyError>(seed >= 0, "{}: training.model_seeds holds {}, but seeds are not negative",
                                    study.where("training.model_seeds"), seed);
    s.model_seeds.push_back(static_cast<std::uint64_t>(seed));
  }
  s.learning_rates = study.get<std::vector<double>>("training.learning_rates", {});
  for (const double rate : s.learning_rates)
    core::require<core::StudyError>(rate >= 1e-9 && rate <= 10.0,
                                    "{}: training.learning_rates holds {}, but rates are from 1e-9 to 10",
                                    study.where("training.learning_rates"), rate);
  require_distinct(study, "training.model_seeds", s.model_seeds);
  require_distinct(study, "training.learning_rates", s.learning_rates);
}

}  // namespace

std::string read_preset(core::Study& study) {
  return study.choose("training.preset", "", {"", "deep-retina", "torch-deep-retina"});
}

TrainingSettings read_training(core::Study& study) {
  TrainingSettings s = preset_defaults(read_preset(study));
  read_budget(study, s);
  read_optimiser(study, s);
  read_regularisation(study, s);
  s.running_statistics = study.get("training.running_statistics", s.running_statistics);
  core::require<core::StudyError>(
      s.averaging <= 0 || !s.running_statistics,
      "{}: averaged weights need statistics of their own; set training.running_statistics = false or training.averaging = 0",
      study.where("training.averaging"));
  s.initial_gain = study.number("training.initial_gain", s.initial_gain, 0.0, 100.0);
  s.statistics_windows = count(study, "statistics_windows", s.statistics_windows, 2, 1'000'000);
  s.data_seed = count(study, "data_seed", s.data_seed, 0, INT64_MAX);
  s.model_seed = count(study, "model_seed", s.model_seed, 0, INT64_MAX);
  read_members(study, s);
  s.engine = study.choose("training.engine", s.engine, {"auto", "direct", "spectral"});
  s.ln = study.get("training.ln", s.ln);
  s.ln_windows = count(study, "ln_windows", s.ln_windows, 100, 1'000'000'000'000);
  return s;
}

EvaluationSettings read_evaluation(core::Study& study) {
  EvaluationSettings s;
  s.discard_frames = static_cast<std::size_t>(study.integer("evaluation.discard_frames", 40, 0, 1'000'000));
  s.bootstrap_samples = static_cast<std::size_t>(study.integer("evaluation.bootstrap_samples", 1000, 0, 1'000'000));
  s.bootstrap_block = static_cast<std::size_t>(study.integer("evaluation.bootstrap_block", 100, 1, 1'000'000));
  s.confidence = study.number("evaluation.confidence", s.confidence, 0.5, 0.9999);
  s.seed = static_cast<std::uint64_t>(study.integer("evaluation.seed", 1, 0, INT64_MAX));
  return s;
}

}  // namespace amacrine::training
