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
/// statistics.
class TrainingStep {
 public:
  TrainingStep(const recording::Recording& recording, const model::Architecture& architecture, std::size_t segments,
               std::size_t windows);
  double operator()();  ///< returns the loss
  double windows() const { return static_cast<double>(graph_.samples()); }
  const model::TrainGraph<float>& graph() const { return graph_; }

 private:
  parallel::Communicator communicator_ = parallel::Communicator::world();
  core::Exec exec_;
  training::TrainingSettings settings_;
  training::BatchSource source_;
  model::TrainGraph<float> graph_;
  core::View1<float> parameters_;
  training::Adam<float> adam_;
  std::vector<double> statistics_;
  std::size_t frames_, step_ = 0;
};

}  // namespace amacrine::benchmark
