// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/train_graph.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <cstddef>
#include <list>

namespace amacrine::training {

/// Workspaces of training steps, made where they are first asked for. Trainings that take turns on a rank share those of one
/// size, so that memory does not grow with their number. References stay valid for the pool's life.
class GraphPool {
 public:
  struct Request {
    model::Architecture architecture;
    model::BatchLayout layout;
    model::GraphUse use = model::GraphUse::training;
    model::ConvEngine engine = model::ConvEngine::automatic;
    model::FrameRoom room = model::FrameRoom::held;
  };
  /// Those of this rank's part of the batch, among the ranks of the communicator.
  model::TrainGraph<float>& get(const parallel::Communicator& communicator, const Request& request);

 private:
  struct Entry {
    Request request;
    parallel::Range owned;
    model::TrainGraph<float> graph;
  };
  std::list<Entry> entries_;
};

}  // namespace amacrine::training
