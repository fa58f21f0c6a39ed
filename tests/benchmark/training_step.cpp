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
                           const model::WindowRun& run, std::size_t models)
    : source_(recording, recording::Normalisation{}, static_cast<std::size_t>(architecture.history), 0),
      graph_(model::make_train_graph<float>(
          architecture, model::batch_layout(architecture, {segments, run}, model::GraphUse::training),
          communicator_.owned(model::batch_layout(architecture, {segments, run}, model::GraphUse::training).segments),
          model::GraphUse::training, model::ConvEngine::automatic, model::FrameRoom::fused)),
      frames_(recording.train.movie.frames()) {
  for (std::uint64_t seed = 1; seed <= models; ++seed) {
    std::vector<float> parameters = training::initial_parameters(architecture, graph_.layout, seed);
    training::start_from_rates(architecture, graph_.layout, std::vector<double>(recording.cells.size(), 10.0), 0.5, parameters);
    models_.push_back({seed, core::to_device("benchmark::parameters", parameters),
                       training::make_adam<float>(graph_.layout, settings_), training::initial_statistics(graph_.layout)});
  }
}

double TrainingStep::operator()() {
  const std::size_t history = static_cast<std::size_t>(graph_.architecture.history);
  core::Random random(settings_.data_seed, core::Stream::segments, step_);
  std::vector<std::size_t> first(graph_.owned.size() * graph_.runs);
  for (std::size_t& frame : first)
    frame = history + random.below(static_cast<std::uint32_t>(frames_ - graph_.shape().run_frames(history)));
  source_.fill(exec_, first, graph_);
  double loss = 0;
  for (Model& each : models_)
    loss = step(each, &each == &models_.front() ? model::FrameSpectra::fresh : model::FrameSpectra::kept);
  ++step_;
  return loss;
}

double TrainingStep::step(Model& m, model::FrameSpectra spectra) {
  model::train_forward(exec_, communicator_, graph_, m.parameters, {true, m.seed, step_}, spectra);
  std::vector<float> gradient;
  const double loss = model::train_backward(exec_, communicator_, graph_, m.parameters, {}, gradient);
  training::adam_step(exec_, settings_.adam, 1e-3, step_ + 1, core::to_device("benchmark::gradient", gradient), m.adam,
                      m.parameters);
  exec_.fence("benchmark::step");
  const std::vector<double> batch = model::batch_statistics(graph_);
  const double past = graph_.architecture.norm_momentum;
  for (std::size_t i = 0; i < batch.size(); ++i) m.statistics[i] = past * m.statistics[i] + (1.0 - past) * batch[i];
  return loss;
}

}  // namespace amacrine::benchmark
