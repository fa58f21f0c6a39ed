// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/provenance.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/settings.hpp"

#include <string>
#include <vector>

/// Simulated recordings: a stimulus ensemble shown to circuits of known mechanism, Poisson spikes, the lab's file layout.
namespace amacrine::recording {

/// The sizes of a simulated recording.
struct SimulationPlan {
  stimulus::Screen screen;
  ContrastCoding coding;
  std::size_t train_frames = 0, test_frames = 0;  ///< whole seconds
  double bytes = 0;                               ///< of the file
};
/// Throws InputError where a unit of a cell's circuit lies off the screen.
SimulationPlan plan_simulation(const SimulationSettings& settings);

/// What a simulated cell did.
struct SimulatedActivity {
  std::string name, circuit;
  double mean_hz = 0, max_hz = 0;  ///< noiseless rate over the training part
  double spikes = 0;               ///< of the training part
};

/// Collective. Makes the recording and writes it to `path` (docs/results/recording.md). First pieces of stimulus are dealt to
/// ranks as tasks, then cells of a part, each of which reads its movie from the file, a second at a time; no rank holds a movie.
/// The file's data are the same on any number of ranks: stimulus, spikes and repeats are keyed by (seed, second), (seed, cell,
/// bin) and (seed, cell, repeat, bin).
std::vector<SimulatedActivity> simulate_recording(const parallel::Communicator& communicator, const SimulationSettings& settings,
                                                  const std::string& path, const io::Provenance& provenance);

}  // namespace amacrine::recording
