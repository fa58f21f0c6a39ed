// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/recording/circuit.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace amacrine::recording {

/// A simulated ganglion cell: which circuit, and where its receptive field lies (pixel-index coordinates).
struct SimulatedCell {
  std::string name;     ///< the sub-table's name
  std::string circuit;  ///< one of the study's or of circuit_names()
  double y = 24.5, x = 24.5;
};

/// The [simulation] table: a recording with known mechanism.
struct SimulationSettings {
  std::uint64_t seed = 1;
  std::string ensemble = "natural";  ///< "natural" or "white"
  double train_minutes = 30.0;
  double test_seconds = 60.0;
  int repeats = 20;  ///< trials of the test part, at least 10
  std::vector<SimulatedCell> cells;
  std::vector<Circuit> circuits{};  ///< the study's own (circuit_definition.hpp), whether cells have them or not

  /// The circuit of that name: the study's own, else the program's. Throws InputError where neither has it.
  const Circuit& circuit_of(const SimulatedCell& cell) const;
};

/// The [recording.mapping] table: what the datasets of a recording are that is not in the public layout. Axes have a letter each,
/// in the order in which the file (or MATLAB) shows them: t time, h height, w width, c colour channel, n cell, r repeat, 1 an
/// axis of length 1.
struct Mapping {
  std::string train_stimulus, test_stimulus;      ///< datasets of the movies
  std::string train_response, test_response;      ///< of the responses, the test part's a mean over trials
  std::string test_repeats;                       ///< of single trials, cells that have fewer of them filled up with NaN
  std::vector<std::string> test_repeats_by_cell;  ///< or one dataset for each cell
  std::string stimulus_axes, response_axes, repeats_axes;
  std::string order = "auto";  ///< "hdf5": axes as HDF5 lists them; "matlab": reversed; "auto": by the attribute MATLAB_class
  int channel = -1;            ///< of movies with several, from 0 on; -1: not declared
  std::vector<std::string> train_names;  ///< of an open-retina session: movies trained on; empty: all but test_name
  std::string test_name;                 ///< the movie tested on; empty: none
  bool test_name_declared = false;
  bool datasets_declared() const;  ///< whether any dataset is named
};

/// The [recording] table: which file to read and how.
struct RecordingSettings {
  std::string file;                        ///< empty: the study's own simulated recording
  std::vector<int> cells;                  ///< 0-based indices on the file's cell axis; empty: all
  std::string target = "binned";           ///< "binned", "firing_rate_5ms", "firing_rate_10ms", "firing_rate_20ms", "trace"
  std::string normalisation = "scalar";    ///< "scalar", "per_pixel", "none"
  std::string test_statistics = "train";   ///< whose statistics normalise the test movie: "train" or "own"
  int minimum_lag = 0;                     ///< frames between the newest frame of a window and the bin it predicts: 0 or 1
  double validation_fraction = 0.05;       ///< contiguous tail of the training part
  int blocks = 1;                          ///< stimulus blocks of equal length in the training part
  double skip_seconds = 0.0;               ///< left out of training at the start of each block
  double frame_ms = 0.0;                   ///< 0: as the file says, else 10
  double pixel_um = 0.0;                   ///< 0: as the file says, else 55
  std::string centres = "auto";            ///< "auto" (the file's, else fitted), "sta" (fitted), "given" (centre_y, centre_x)
  std::vector<double> centre_y, centre_x;  ///< one per selected cell where centres = "given"
  Mapping mapping;
  bool target_declared = false;  ///< whether the study names its target
};

/// A recording of a joint training, a [sessions.NAME] table: the keys of [recording] that are its own.
struct SessionSettings {
  std::string name;
  RecordingSettings recording;
  /// What makes a study of one recording the study of this session: "recording.file=...", ...
  std::vector<std::string> overrides() const;
};

/// Reads every key of [simulation]. Without cell sub-tables seven of the program's circuits are recorded, each at
/// its own place.
/// Throws StudyError for values out of range.
SimulationSettings read_simulation(core::Study& study);
/// How a recipe preset ("", "deep-retina", "torch-deep-retina") reads a recording (docs/study/training.md).
RecordingSettings preset_recording(const std::string& preset);
/// Reads every key of [recording], `base` giving the defaults. Throws StudyError for values out of range.
RecordingSettings read_recording(core::Study& study, const RecordingSettings& base = {});

/// Reads the tables [sessions.NAME], in alphabetical order of names; `base` (the study's [recording]) gives what they leave out.
/// No sessions: an ordinary study. Throws StudyError for names that cannot be a folder's, a session without a file, and two of
/// the same cells of one file.
std::vector<SessionSettings> read_sessions(core::Study& study, const RecordingSettings& base);

/// The file a study works on: recording.file, or recording.h5 in its output folder.
std::string recording_path(const RecordingSettings& settings, const std::string& output_folder);

}  // namespace amacrine::recording
