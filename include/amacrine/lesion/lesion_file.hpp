// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/lesion/lesioner.hpp"

#include <string>
#include <vector>

namespace amacrine::lesion {

/// Writes a lesions file (docs/results/lesions.md).
class LesionFile {
 public:
  /// Collective: declares and preallocates everything. `cells`: names of the plan's.
  LesionFile(const parallel::Communicator& communicator, const std::string& path, const LesionPlan& plan,
             const std::vector<std::string>& cells, const attribution::AttributionSettings& attribution,
             const LesionSettings& settings, const io::Provenance& provenance);
  /// Bytes of the file's values, about.
  static std::size_t bytes(const LesionPlan& plan, const LesionSettings& settings);
  /// Local, one rank: what is known before any lesion.
  void write_frame();
  /// Local: everything about a cell and stimulus.
  void write(std::size_t cell, std::size_t stimulus, const StimulusLesions& found);
  /// Collective: the file is complete after it.
  void finish() { writer_.finish(); }

 private:
  void declare_dimensions(const std::vector<std::string>& cells, double frame_ms);
  void declare_variables();
  void write_curves(std::size_t cell, std::size_t stimulus, const StimulusLesions& found);
  void write_pathways(std::size_t cell, std::size_t stimulus, const StimulusLesions& found);
  void write_traces(std::size_t cell, std::size_t stimulus, const StimulusLesions& found);
  void write_trace(const std::string& name, std::vector<std::size_t> at, const std::vector<double>& rows, std::size_t first,
                   std::size_t count);

  io::ResultWriter writer_;
  LesionPlan plan_;
  std::size_t draws_, frames_, slots_;
};

/// For people: of every cell and stimulus the CMD of each order, and which are silent.
std::string lesion_table(const LesionPlan& plan, const std::vector<std::string>& cells,
                         const std::vector<StimulusLesions>& results);

}  // namespace amacrine::lesion
