// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/provenance.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/stimulus/phenomena.hpp"

#include <string>
#include <vector>

/// The responses of one subject to a catalogue, what was measured from them, and their file (docs/results/responses.md).
namespace amacrine::stimulus {

struct Responses {
  std::string subject;  ///< "network", "ln", "circuit", "recorded"
  Screen screen;
  double threshold_hz = 3.0;
  std::vector<Condition> conditions;
  std::vector<double> symmetry_deviation;  ///< per condition, largest over the movies shown
  std::vector<std::string> cells;
  std::vector<Centre> centres;         ///< per cell: what bars were drawn around
  std::vector<CellResponses> rate_hz;  ///< [cell][condition][frame]
  /// [cell][group][condition][frame]: means of disjoint groups of trials, for intervals; no groups where responses are noiseless.
  std::vector<std::vector<CellResponses>> group_hz{};
  std::vector<ParameterSet> sets;                       ///< those measured
  std::vector<std::vector<PhenomenonFigures>> figures;  ///< [set][cell]
};

/// How far above rest a cell's response must stand to count: threshold_hz, or 4 sd of its rate on grey where that is noisier (the
/// first condition is grey).
double cell_threshold(const Responses& responses, std::size_t cell);

/// Fills in `figures` for every set and cell; from groups of trials where there are any.
void measure(Responses& responses);

/// Collective: writes responses_<subject>.h5. Every rank holds the same responses; rank 0 writes.
void write_responses(const parallel::Communicator& communicator, const std::string& path, const Responses& responses,
                     const io::Provenance& provenance);

/// The four phenomena of every cell, for people: present or why not, with figures.
std::string phenomena_table(const Responses& responses);

}  // namespace amacrine::stimulus
