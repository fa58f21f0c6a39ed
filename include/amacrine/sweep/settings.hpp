// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/training/settings.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace amacrine::sweep {

/// A key of the study that trials differ in: one of `values`, or a number of [low, high].
struct Parameter {
  std::string key;                  ///< "training.learning_rate"
  std::vector<std::string> values;  ///< as an override gives them; empty: a number
  double low = 0, high = 0;
  bool log = false;        ///< even on a logarithmic scale
  bool whole = false;      ///< a whole number
  std::size_t points = 5;  ///< values of a range on a grid
};

enum class Method { grid, random, quasi_random, list };

/// The [sweep] table: docs/study/sweep.md.
struct SweepSettings {
  Method method = Method::random;
  std::size_t trials = 0;  ///< 0: 32, or all of a grid or list
  std::uint64_t seed = 1;
  std::vector<Parameter> space;
  std::string list_file;  ///< of method list: one trial a line
  bool stops = true;      ///< whether poor trials are stopped at rungs
  double reduction = 2;   ///< one trial in so many goes on after a rung
  std::size_t rungs = 4;  ///< below the whole budget, each the next one's share 1 / reduction
  training::Metric metric = training::Metric::correlation;
  std::size_t ranks_per_group = 1;
  std::size_t models_per_group = 1;
};

/// Reads the [sweep] table. Throws StudyError (file, line, key, what is allowed).
SweepSettings read_sweep(core::Study& study);

/// Whether trials can differ in a key of [training]: not in limits of time, in lists of models, or in the baseline.
bool tells_trials_apart(const std::string& key);

/// What of the study decides what a trial is and how trials are compared, for the identity of a sweep's journal: not the number
/// of trials, which can grow, and not how they are computed.
std::vector<std::string> identity_tables();

}  // namespace amacrine::sweep
