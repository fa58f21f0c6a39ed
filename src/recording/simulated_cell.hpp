// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/recording/circuit_stream.hpp"
#include "amacrine/recording/settings.hpp"
#include "amacrine/recording/simulation.hpp"
#include "amacrine/recording/spikes.hpp"

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

class CellOfPart {
 public:
  CellOfPart(const SimulationSettings& settings, const SimulationPlan& plan, const SimulatedPart& part, std::size_t cell);
  /// Runs the next block of the quantised movie (frames x Y x X) and writes all that is certain by then.
  void run(io::ResultWriter& writer, std::span<const std::uint8_t> pixels);
  const SimulatedActivity& activity() const { return activity_; }

 private:
  std::vector<double> rates(std::span<const std::uint8_t> pixels);
  void write_counts(io::ResultWriter& writer, const std::vector<std::vector<std::uint8_t>>& counts) const;
  void write_smoothed(io::ResultWriter& writer, std::size_t width, const std::vector<std::vector<std::uint8_t>>& counts,
                      bool last);

  const SimulationPlan plan_;
  const SimulatedPart part_;
  const std::size_t cell_;
  const std::uint64_t seed_;
  CircuitStream stream_;
  std::vector<std::vector<SmoothingStream>> smoothing_;  ///< (widths, trials)
  std::vector<std::size_t> smoothed_;                    ///< (widths) bins written
  std::size_t done_ = 0;                                 ///< frames run
  SimulatedActivity activity_;
};

}  // namespace amacrine::recording
