// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/provenance.hpp"
#include "amacrine/model/architecture.hpp"
#include "amacrine/model/parameters.hpp"
#include "amacrine/recording/recording.hpp"

#include <string>
#include <vector>

namespace amacrine::model {

/// Everything a trained model is, on the host: what a model file holds.
struct Model {
  std::string kind = "network";  ///< "network", "ln" or "circuit"
  Architecture architecture;
  std::vector<float> parameters;  ///< flat, make_layout(architecture).parameters
  std::vector<float> statistics;  ///< flat, make_layout(architecture).statistics
  recording::Normalisation normalisation;
  recording::ContrastCoding coding;
  stimulus::Screen screen;
  int minimum_lag = 0;  ///< 0: the window ends with the target's frame; 1: one frame earlier
  std::vector<recording::Cell> cells;
  std::vector<std::string> channel_names;  ///< first-layer channels; planted unit names for circuits, else "channel 0"...
};

/// Collective: writes a complete model file (kind "model"). Layout: docs/results/model.md.
void write_model(const parallel::Communicator& communicator, const std::string& path, const Model& model,
                 const io::Provenance& provenance);
/// Local. Throws InputError (file, dataset, expectation).
Model read_model(const std::string& path);

}  // namespace amacrine::model
