// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/train_graph.hpp"
#include "amacrine/recording/recording.hpp"
#include "amacrine/training/adam.hpp"
#include "amacrine/training/batches.hpp"

#include <cstddef>
#include <vector>

namespace amacrine::benchmark {

/// BN-CNN (McIntosh et al. 2016; batch norm as in Maheswaranathan et al. 2018): 40 x 50 x 50 -> 8 @ 15 x 15 -> 8 @ 11 x 11 ->
/// cells, noise 0.05 after every norm, output norm, softplus.
model::Architecture bn_cnn(int cells, model::Norm norm);

/// A white-noise movie of bytes and Poisson-like rates: what a step costs does not depend on what is in them.
recording::Recording noise_recording(std::size_t frames, std::size_t cells);

/// Whole steps of training as the trainer takes them: gather from the resident movie, forward, backward, Adam, running
/// statistics. Several models take their steps on each batch one after another, as in training::train_together.
class TrainingStep {
 public:
  TrainingStep(const recording::Recording& recording, const model::Architecture& architecture, std::size_t segments,
               const model::WindowRun& run, std::size_t models = 1);
  double operator()();  ///< returns the last model's loss
  /// Windows x models.
  double windows() const { return static_cast<double>(graph_.samples() * models_.size()); }
  const model::TrainGraph<float>& graph() const { return graph_; }

 private:
  parallel::Communicator communicator_ = parallel::Communicator::world();
  core::Exec exec_;
  training::TrainingSettings settings_;
  training::BatchSource source_;
  model::TrainGraph<float> graph_;
  struct Model {
    std::uint64_t seed;
    core::View1<float> parameters;
    training::Adam<float> adam;
    std::vector<double> statistics;
  };
  double step(Model& model, model::FrameSpectra spectra);

  std::vector<Model> models_;
  std::size_t frames_, step_ = 0;
};

}  // namespace amacrine::benchmark
