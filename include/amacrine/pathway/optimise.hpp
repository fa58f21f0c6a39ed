// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/likelihood.hpp"
#include "amacrine/pathway/settings.hpp"

#include <cstdint>
#include <vector>

namespace amacrine::pathway {

/// What every fit of a cell shares.
struct Problem {
  const PathwaySettings& settings;
  const Bases& bases;
  const CellData& data;
  Shape shape;
  std::vector<Range> fitted, held_out;

  double fitted_seconds() const;
};

/// Minus the log of the prior of a model's filters (nats): neighbouring spatial coefficients, and the bends of a time course, are
/// alike, in units of the filter's own largest coefficient at the start (1). Its gradient is added to `gradient`.
double prior(const Problem& problem, const Model& model, std::vector<double>& gradient);

/// Adam with a one-cycle schedule on random blocks of the fitted frames, all models side by side on the same blocks. `draw`
/// numbers the random blocks: they depend on (settings.seed, draw, step) only. A model comes out as it would alone.
/// Ends early where the run was asked to stop (parallel::stop_asked()); what comes out then is not used.
std::vector<Model> optimise(const Problem& problem, std::vector<Model> models, int steps, std::uint64_t draw);

/// (M) mean loss of each model over all fitted frames, prior included: nats per second. Infinite where it is not finite, so
/// that such a model is never the best.
std::vector<double> fitted_loss(const Problem& problem, const std::vector<Model>& models);

}  // namespace amacrine::pathway
