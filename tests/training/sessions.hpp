// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/training/joint.hpp"
#include "training/synthetic.hpp"

#include <string>
#include <vector>

/// Sessions of a joint training, of recordings in memory.
namespace amacrine::training::sessions {

/// Recordings of one, two, three cells, of different lengths and with different movies.
inline std::vector<recording::Recording> make_recordings(std::size_t count) {
  std::vector<recording::Recording> all;
  for (std::size_t s = 0; s < count; ++s) {
    all.push_back(synthetic::make_recording(2000 + 500 * s, s + 1, 5 + s));
    all.back().path = "synthetic session " + std::to_string(s);
  }
  return all;
}

/// The runs of the sessions of `share`, with checkpoints PREFIX0, PREFIX1, ... where a prefix is given.
inline std::vector<TrainingRun> make_runs(const SessionShare& share, const std::vector<recording::Recording>& recordings,
                                          const std::string& prefix = "") {
  std::vector<TrainingRun> runs;
  std::vector<std::string> descriptions;
  for (std::size_t s = share.mine.begin; s < share.mine.end; ++s) {
    runs.push_back(synthetic::make_run(recordings[s]));
    runs.back().settings.total_windows = 600, runs.back().settings.epoch_windows = 200;
    runs.back().settings.engine = "spectral";
    if (!prefix.empty()) runs.back().checkpoint = prefix + std::to_string(s);
    descriptions.push_back("session " + std::to_string(s));
  }
  join_sessions(share, runs, descriptions);
  return runs;
}

}  // namespace amacrine::training::sessions
