// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/model.hpp"
#include "amacrine/recording/circuit.hpp"
#include "amacrine/recording/recording.hpp"
#include "drivers/verbs.hpp"

#include <functional>
#include <string>
#include <vector>

namespace amacrine::drivers {

/// Collective: whether rank 0 sees the file.
bool file_exists(const parallel::Communicator& world, const std::string& path);

/// Throws InputError where a model's cells, sizes or frame interval are not the recording's.
void check_model_fits(const model::Model& model, const std::string& path, const recording::Recording& recording);

/// The circuit behind each cell of a simulated recording; empty for recordings of real cells.
struct PlantedCell {
  recording::Circuit circuit;  ///< as it was simulated (recording::recorded_circuits)
  stimulus::Centre centre;     ///< where it was put
};
std::vector<PlantedCell> planted_cells(const std::string& recording_file, const std::vector<recording::Cell>& cells);

/// Someone who answers stimuli: a trained model, the noiseless circuits, or simulated trials of them.
struct Subject {
  std::string name;  ///< "network", "ln", "circuit", "recorded"
  stimulus::Screen screen;
  std::vector<recording::Cell> cells;
  recording::Normalisation normalisation;  ///< of contrast, as the subject sees it
  std::vector<io::Input> inputs;
  std::vector<std::string> tables;  ///< of the study that determine its answers
  double cost_per_frame = 0;        ///< multiply-adds for one frame of one movie
  /// Rates in Hz, one series per asked-for cell, for a movie (T, Y, X) in contrast with grey before it. `key` numbers the movie:
  /// trials of the same key are the same.
  using Rates = std::vector<std::vector<double>>;
  std::function<Rates(const core::Array<float, 3>& contrast, const std::vector<std::size_t>& cells, std::uint64_t key)> answer;
  /// Of trials: each series is the mean over all, then the means of this many groups of them.
  std::size_t groups = 0;
};

/// The subjects a study asks to probe, in its order. Those that do not exist here (no LN model; cells that are not simulated) are
/// left out and named in the log. Collective. Throws InputError where the network's file is missing.
std::vector<Subject> probe_subjects(const Context& context);

}  // namespace amacrine::drivers
