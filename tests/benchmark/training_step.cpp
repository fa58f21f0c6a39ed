// SPDX-License-Identifier: Apache-2.0
#include "training_step.hpp"

#include "amacrine/core/random.hpp"
#include "amacrine/training/initialise.hpp"

namespace amacrine::benchmark {

model::Architecture bn_cnn(int cells, model::Norm norm) {
  model::Architecture a;
  a.norm = norm;
  a.cells = cells;
  return a;
}

recording::Recording noise_recording(std::size_t frames, std::size_t cells) {
  core::Random random(1, core::Stream::test);
  core::Array<std::uint8_t, 3> movie({frames, 50, 50});
  for (std::uint8_t& value : movie.values()) value = static_cast<std::uint8_t>(127 + 42 * random.uniform(-1.7, 1.7));
  recording::Recording recording;
  recording.path = "white noise";
  recording.train.movie.pixels = std::move(movie);
  recording.train.target = core::Array<float, 2>({cells, frames});
  for (float& rate : recording.train.target.values()) rate = static_cast<float>(100 * random.poisson(0.1));
  recording.cells.resize(cells);
  return recording;
}

TrainingStep::TrainingStep(const recording::Recording& recording, const model::Architecture& architecture, std::size_t segments,
                           std::size_t windows)
    : source_(recording, recording::Normalisation{}, static_cast<std::size_t>(architecture.history), 0),
      graph_(model::make_train_graph<float>(architecture, segments, communicator_.owned(segments), windows,
                                            model::GraphUse::training)),
      adam_(training::make_adam<float>(graph_.layout, settings_)),
      statistics_(training::initial_statistics(graph_.layout)),
      frames_(recording.train.movie.frames()) {
  std::vector<float> parameters = training::initial_parameters(architecture, graph_.layout, settings_.model_seed);
  training::start_from_rates(architecture, graph_.layout, std::vector<double>(recording.cells.size(), 10.0), 0.5, parameters);
  parameters_ = core::to_device("benchmark::parameters", parameters);
}

double TrainingStep::operator()() {
  const std::size_t history = static_cast<std::size_t>(graph_.architecture.history);
  core::Random random(settings_.data_seed, core::Stream::segments, step_);
  std::vector<std::size_t> first(graph_.owned.size());
  for (std::size_t& frame : first) frame = history + random.below(static_cast<std::uint32_t>(frames_ - history - graph_.windows));
  source_.fill(exec_, first, graph_);
  model::train_forward(exec_, communicator_, graph_, parameters_, {true, settings_.model_seed, step_});
  std::vector<float> gradient;
  const double loss = model::train_backward(exec_, communicator_, graph_, parameters_, {}, gradient);
  training::adam_step(exec_, settings_.adam, 1e-3, ++step_, core::to_device("benchmark::gradient", gradient), adam_, parameters_);
  exec_.fence("benchmark::step");
  const std::vector<double> batch = model::batch_statistics(graph_);
  const double past = graph_.architecture.norm_momentum;
  for (std::size_t i = 0; i < batch.size(); ++i) statistics_[i] = past * statistics_[i] + (1.0 - past) * batch[i];
  return loss;
}

}  // namespace amacrine::benchmark
