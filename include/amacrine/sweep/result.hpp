// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/provenance.hpp"
#include "amacrine/parallel/communicator.hpp"
#include "amacrine/sweep/state.hpp"

#include <string>
#include <vector>

namespace amacrine::sweep {

/// A sweep as far as it has come.
struct SweepResult {
  std::string metric;                               ///< "correlation" or "loss", of the validation part
  std::vector<std::size_t> rungs;                   ///< epochs at whose ends trials are compared
  std::vector<std::vector<std::string>> values;     ///< per trial, what it sets: "training.l2=0.001"
  std::vector<std::vector<std::string>> overrides;  ///< per trial, all that it sets
  std::vector<Entry> entries;                       ///< what has happened, in order
  SweepState state;
};

/// The share of the time between the first task's beginning and the last one's end in which groups were training.
double utilisation(const std::vector<Entry>& entries);
/// Epochs that all trials were trained for.
std::size_t epochs_trained(const SweepState& state);

/// A line per trial with what it sets, its standing, and its values at the rungs; for spreadsheets.
std::string sweep_csv(const SweepResult& result);
/// For people: the best trials, how many stand where, and how well each rung tells the final order. Warns where one does not.
std::string sweep_table(const SweepResult& result, std::size_t best);

/// Collective: writes sweep.h5 (docs/results/sweep.md).
void write_sweep(const parallel::Communicator& communicator, const std::string& path, const SweepResult& result,
                 const io::Provenance& provenance);

}  // namespace amacrine::sweep
