// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/settings.hpp"

#include "amacrine/core/paths.hpp"
#include "amacrine/recording/circuit_definition.hpp"
#include "amacrine/recording/source.hpp"
#include "mapping.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

/// Seven circuits, spread over the middle of the field so that no two share a centre and no surround leaves it.
std::vector<SimulatedCell> default_cells() {
  return {{"osr", "osr", 20.5, 20.5},
          {"osr_alt", "osr_alt", 28.5, 20.5},
          {"latency", "latency", 24.5, 24.5},
          {"reversal", "reversal", 24.5, 28.5},
          {"anticipation", "anticipation", 20.5, 28.5},
          {"osr_depressing", "osr_depressing", 28.5, 28.5},
          {"anticipation_gain_control", "anticipation_gain_control", 24.5, 20.5}};
}

/// Names a cell's circuit can have: the program's and the study's own.
std::vector<std::string> circuit_words(const SimulationSettings& settings) {
  std::vector<std::string> words = circuit_names();
  for (const Circuit& own : settings.circuits) words.push_back(own.name);
  return words;
}

SimulatedCell read_cell(core::Study& study, const SimulatedCell& start, const std::vector<std::string>& words) {
  const std::string prefix = "simulation.cells." + start.name + ".";
  SimulatedCell cell = start;
  cell.circuit = study.choose(prefix + "circuit", start.circuit, words);
  cell.y = study.number(prefix + "y", start.y, 0.0, 49.0);
  cell.x = study.number(prefix + "x", start.x, 0.0, 49.0);
  return cell;
}

/// The cells the study names, before their keys are read.
std::vector<SimulatedCell> named_cells(core::Study& study, const std::vector<std::string>& words) {
  std::vector<SimulatedCell> cells;
  for (const std::string& name : study.tables("simulation.cells")) {
    const bool is_circuit = std::find(words.begin(), words.end(), name) != words.end();
    core::require<core::StudyError>(is_circuit || study.has("simulation.cells." + name + ".circuit"),
                                    "{}: simulated cell '{}' needs a key 'circuit', one of {}",
                                    study.where("simulation.cells." + name), name, fmt::join(words, ", "));
    cells.push_back({name, is_circuit ? name : "osr", 24.5, 24.5});
  }
  return cells.empty() ? default_cells() : cells;
}

/// `table`: "recording." or that of a session.
void check_cells(core::Study& study, const std::string& table, const RecordingSettings& settings) {
  const std::string where = study.where(table + "cells");
  for (int cell : settings.cells)
    core::require<core::StudyError>(cell >= 0, "{}: {}cells holds {}, but cells count from 0", where, table, cell);
  for (std::size_t i = 0; i < settings.cells.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      core::require<core::StudyError>(settings.cells[i] != settings.cells[j], "{}: {}cells names cell {} twice", where, table,
                                      settings.cells[i]);
  if (settings.centres != "given") return;
  core::require<core::StudyError>(!settings.centre_y.empty() && settings.centre_y.size() == settings.centre_x.size() &&
                                      (settings.cells.empty() || settings.cells.size() == settings.centre_y.size()),
                                  "{}: {}centres = \"given\" needs {}centre_y and {}centre_x (pixels), one "
                                  "number per selected cell; found {} and {} for {} cells",
                                  study.where(table + "centres"), table, table, table, settings.centre_y.size(),
                                  settings.centre_x.size(), settings.cells.size());
}

/// The keys of a recording that are its own, of [recording] or of a session's table.
void read_one(core::Study& study, const std::string& table, RecordingSettings& settings) {
  settings.file = session_file(core::input_path(study.get<std::string>(table + "file", ""), study.file()));
  settings.cells = study.get<std::vector<int>>(table + "cells", {});
  settings.validation_fraction = study.number(table + "validation_fraction", settings.validation_fraction, 0.0, 0.5);
  settings.blocks = static_cast<int>(study.integer(table + "blocks", settings.blocks, 1, 1000));
  settings.skip_seconds = study.number(table + "skip_seconds", settings.skip_seconds, 0.0, 3600.0);
  settings.centres = study.choose(table + "centres", settings.centres, {"auto", "sta", "given"});
  settings.centre_y = study.get<std::vector<double>>(table + "centre_y", {});
  settings.centre_x = study.get<std::vector<double>>(table + "centre_x", {});
  check_cells(study, table, settings);
}

void check_session_name(core::Study& study, const std::string& name) {
  const bool plain =
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
  core::require<core::StudyError>(plain,
                                  "{}: a session's name is a folder's, of letters, digits, '_' and '-', but this one is '{}'",
                                  study.where("sessions." + name), name);
}

}  // namespace

const Circuit& SimulationSettings::circuit_of(const SimulatedCell& cell) const {
  for (const Circuit& own : circuits)
    if (own.name == cell.circuit) return own;
  return circuit(cell.circuit);
}

SimulationSettings read_simulation(core::Study& study) {
  SimulationSettings settings;
  settings.seed = static_cast<std::uint64_t>(study.integer("simulation.seed", 1, 0, std::int64_t{1} << 53));
  settings.ensemble = study.choose("simulation.ensemble", "natural", {"natural", "white"});
  settings.train_minutes = study.number("simulation.train_minutes", 30.0, 1.0 / 60.0, 600.0);
  settings.test_seconds = study.number("simulation.test_seconds", 60.0, 1.0, 3600.0);
  settings.repeats = static_cast<int>(study.integer("simulation.repeats", 20, 10, 1000));
  settings.circuits = read_circuits(study);
  const std::vector<std::string> words = circuit_words(settings);
  for (const SimulatedCell& cell : named_cells(study, words)) settings.cells.push_back(read_cell(study, cell, words));
  return settings;
}

RecordingSettings preset_recording(const std::string& preset) {
  RecordingSettings settings;
  if (preset.empty()) return settings;
  settings.target = "firing_rate_10ms";
  settings.minimum_lag = 1;
  if (preset != "deep-retina") return settings;
  settings.normalisation = "per_pixel";
  settings.test_statistics = "own";
  settings.skip_seconds = 60;
  return settings;
}

RecordingSettings read_recording(core::Study& study, const RecordingSettings& base) {
  RecordingSettings settings = base;
  read_one(study, "recording.", settings);
  settings.target = study.choose("recording.target", base.target,
                                 {"binned", "firing_rate_5ms", "firing_rate_10ms", "firing_rate_20ms", "trace"});
  read_mapping(study, settings);
  settings.normalisation = study.choose("recording.normalisation", base.normalisation, {"scalar", "per_pixel", "none"});
  settings.test_statistics = study.choose("recording.test_statistics", base.test_statistics, {"train", "own"});
  settings.minimum_lag = static_cast<int>(study.integer("recording.minimum_lag", base.minimum_lag, 0, 1));
  settings.frame_ms = study.number("recording.frame_ms", 0.0, 0.0, 1000.0);
  settings.pixel_um = study.number("recording.pixel_um", 0.0, 0.0, 10000.0);
  return settings;
}

std::vector<std::string> SessionSettings::overrides() const {
  const RecordingSettings& r = recording;
  return {"recording.file=" + r.file,
          fmt::format("recording.cells=[{}]", fmt::join(r.cells, ", ")),
          fmt::format("recording.validation_fraction={}", r.validation_fraction),
          fmt::format("recording.blocks={}", r.blocks),
          fmt::format("recording.skip_seconds={}", r.skip_seconds),
          "recording.centres=" + r.centres,
          fmt::format("recording.centre_y=[{}]", fmt::join(r.centre_y, ", ")),
          fmt::format("recording.centre_x=[{}]", fmt::join(r.centre_x, ", "))};
}

std::vector<SessionSettings> read_sessions(core::Study& study, const RecordingSettings& base) {
  std::vector<SessionSettings> sessions;
  std::vector<std::string> names = study.tables("sessions");
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    check_session_name(study, name);
    const std::string table = "sessions." + name + ".";
    RecordingSettings settings = base;
    read_one(study, table, settings);
    core::require<core::StudyError>(!settings.file.empty(), "{}: session '{}' needs a key 'file', its recording",
                                    study.where("sessions." + name), name);
    for (const SessionSettings& other : sessions)
      core::require<core::StudyError>(other.recording.file != settings.file || other.recording.cells != settings.cells,
                                      "{}: sessions '{}' and '{}' are the same cells of the same file {}",
                                      study.where(table + "file"), other.name, name, settings.file);
    sessions.push_back({name, settings});
  }
  return sessions;
}

std::string recording_path(const RecordingSettings& settings, const std::string& output_folder) {
  return settings.file.empty() ? output_folder + "/recording.h5" : settings.file;
}

}  // namespace amacrine::recording
