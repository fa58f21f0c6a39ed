// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/recording/settings.hpp"
#include "amacrine/recording/simulation.hpp"

#include <functional>
#include <string>
#include <vector>

/// One simulated cell during one part of a recording. Private to the simulation.
namespace amacrine::recording {

/// Which part, and for how long.
struct SimulatedPart {
  std::string name;  ///< "train" or "test"
  std::size_t frames = 0;
  std::size_t trials = 1;
  bool test() const { return name == "test"; }
};

/// A cell that sees a part's movie, which `writer` already holds, from its first frame to its last.
class CellOfPart {
 public:
  CellOfPart(const SimulationSettings& settings, const SimulationPlan& plan, const SimulatedPart& part, std::size_t cell)
      : settings_(settings), plan_(plan), part_(part), cell_(cell) {}
  /// Work of run(), in products with one frame.
  double cost() const;
  /// Writes the cell's rate and spikes, one block a variable, and returns what it did: mean and largest rate (Hz) and spikes of
  /// the first trial. Nothing is written, and nothing returned, where `stopped` says so in between.
  std::vector<double> run(io::ResultWriter& writer, const std::function<bool()>& stopped) const;

 private:
  std::vector<double> rates(const io::ResultWriter& writer, const std::function<bool()>& stopped) const;
  void write_counts(io::ResultWriter& writer, const std::vector<std::vector<std::uint8_t>>& counts) const;
  void write_smoothed(io::ResultWriter& writer, int width_ms, const std::vector<std::vector<std::uint8_t>>& counts) const;
  const SimulatedCell& cell() const { return settings_.cells[cell_]; }

  const SimulationSettings& settings_;
  const SimulationPlan& plan_;
  const SimulatedPart& part_;
  std::size_t cell_;
};

}  // namespace amacrine::recording
