// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/optimise.hpp"

#include <span>
#include <vector>

namespace amacrine::pathway {

/// The best model of a number of pathways, and the next best that was fitted as long.
struct Step {
  Model model, runner_up;
  double loss = 0;  ///< over the fitted frames, with the prior: nats per second
  double runner_up_loss = 0;
  std::vector<double> held_out;  ///< (B) of the held-out blocks, nats per second
};

/// Steps for 0, 1, ... pathways. Pathways are added one at a time: candidates by screen(), and each pathway divided in
/// two beside each other, are optimised with all others, the best two for longer. Then each pathway in turn is turned to the
/// other side of its threshold; then each is left out, which may give a better smaller model, from which the larger is grown
/// again. Ends at settings.most, or where a further pathway gained less than two standard errors of the held-out likelihood.
std::vector<Step> grow(const Problem& problem);

/// (B) a model's loss on the blocks of the held-out frames, nats per second.
std::vector<double> held_out_loss(const Problem& problem, const Model& model);

/// A difference of so many standard errors is one. (The error is that of a difference block by block, a small part of a loss's
/// own.)
inline constexpr double significant_errors = 2;

/// The step of a number of pathways, or the last one there is.
inline const Step& step_of(const std::vector<Step>& steps, std::size_t number) {
  return steps[number < steps.size() ? number : steps.size() - 1];
}

/// How two held-out losses differ: mean over blocks of b - a, and its standard error.
struct Difference {
  double mean = 0, error = 0;
};
/// Mean and standard error of the values of blocks that count alike; the error of a single block is infinite.
Difference over_blocks(std::span<const double> blocks);
Difference difference(const Step& a, const Step& b);
/// Mean over blocks of a loss, and its standard error.
Difference mean_loss(const Step& step);

/// The number of pathways with the lowest held-out loss.
std::size_t lowest(const std::vector<Step>& steps);

/// The number of pathways: the smallest whose held-out loss is within two standard errors of the lowest, the error being that of
/// the difference block by block (a small part of the error of a loss, which the one-standard-error rule takes).
std::size_t chosen(const std::vector<Step>& steps);

}  // namespace amacrine::pathway
