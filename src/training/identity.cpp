// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/identity.hpp"

#include <map>

namespace amacrine::training {
namespace {

using Lines = std::map<std::string, std::string>;

void add_training(const TrainingSettings& s, Lines& lines) {
  const auto put = [&](const char* key, auto value) { lines[fmt::format("training.{}", key)] = fmt::format("{}", value); };
  put("segments", s.segments), put("windows", s.windows), put("spacing", s.run().spacing);
  put("most_ranks", s.batch_of(s.segments).owners());
  put("epoch_windows", s.epoch_windows), put("total_windows", s.total_windows), put("epochs", s.epochs);
  put("loss", static_cast<int>(s.loss)), put("loss_epsilon", s.loss_epsilon);
  put("learning_rate", s.learning_rate);
  put("adam", fmt::format("{} {} {} {}", s.adam.beta1, s.adam.beta2, s.adam.epsilon, s.adam.weight_decay));
  put("averaging", s.averaging);
  const ScheduleSettings& c = s.schedule;
  put("schedule", fmt::format("{} {} {} {} {} {} {} {} {}", static_cast<int>(c.kind), c.warm_fraction, c.start_divisor,
                              c.end_divisor, c.factor, c.min_rate, c.threshold, c.patience, static_cast<int>(c.metric)));
  put("early_stopping",
      fmt::format("{} {} {}", s.early_stopping.patience, s.early_stopping.min_delta, static_cast<int>(s.early_stopping.metric)));
  const DivergenceSettings& d = s.divergence;
  put("divergence", d.lower_rate ? fmt::format("{} {}", d.factor, d.retries) : std::string("stop"));
  put("l2", s.l2), put("l2_readout", s.l2_readout), put("l1_output", s.l1_output);
  put("running_statistics", s.running_statistics), put("statistics_windows", s.statistics_windows);
  put("initial_gain", s.initial_gain), put("engine", s.engine);
  put("data_seed", s.data_seed), put("model_seed", s.model_seed);
}

void add_recording(const TrainingRun& run, Lines& lines) {
  const recording::RecordingSettings& s = run.recording_settings;
  const auto put = [&](const char* key, auto value) { lines[fmt::format("recording.{}", key)] = fmt::format("{}", value); };
  put("checksum", run.recording_checksum), put("frames", run.recording.train.movie.frames());
  std::string cells;
  for (const int cell : s.cells) cells += fmt::format("{} ", cell);
  put("cells", cells);
  put("target", s.target), put("normalisation", s.normalisation), put("minimum_lag", s.minimum_lag);
  put("validation_fraction", s.validation_fraction), put("blocks", s.blocks), put("skip_seconds", s.skip_seconds);
}

}  // namespace

std::string training_identity(const TrainingRun& run) {
  Lines lines{{"model.architecture", model::to_json(run.architecture)}, {"model.kind", run.kind}};
  add_training(run.settings, lines);
  add_recording(run, lines);
  if (!run.all_sessions.empty()) lines["sessions"] = fmt::format("{} of {}", run.session, run.all_sessions);
  std::string text;
  for (const auto& [key, value] : lines) text += fmt::format("{} = '{}'\n", key, value);
  return text;
}

}  // namespace amacrine::training
