// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/sweep/settings.hpp"

#include <string>
#include <vector>

namespace amacrine::sweep {

/// A trial: the overrides that turn the study into the one that trains it alone.
struct Proposal {
  std::vector<std::string> values;     ///< "training.learning_rate=0.003", one for each parameter
  std::vector<std::string> overrides;  ///< the same, and what every trial sets: its seed
};

/// The trials of a sweep, in the order of their numbers. A trial depends on the settings, the sweep's seed and its number only,
/// so that more can be added. random: independent values; quasi_random: the additive recurrence of Roberts (2018) on the
/// generalised golden ratios, shifted by the seed, which fills the space evenly; grid: the last parameter fastest; list: the
/// lines of sweep.list_file. training.model_seed comes from (seed, number) unless a trial sets it. Throws StudyError (a space
/// that is empty, a wrong line of the list) and InputError (the list cannot be read).
std::vector<Proposal> proposals(const SweepSettings& settings);

}  // namespace amacrine::sweep
