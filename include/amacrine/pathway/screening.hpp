// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/optimise.hpp"

#include <vector>

namespace amacrine::pathway {

/// A pathway that a model might gain.
struct Candidate {
  std::vector<double> pathway;  ///< (S + J + 2) as in Model::values, with the weight of one Newton step
  double score = 0;             ///< Rao's: (g . h)^2 / (h' W h), h without what the model's own pathways and rest can do
};

/// Pathways by which the model's likelihood would rise soonest, best first, `wanted` of them that differ in filter or sign of the
/// weight. The sign follows from the data: Gaussians of several sizes and places, time courses of one and two lobes, both signs
/// and several thresholds are scored by the slope of the log likelihood at weight 0 (the first step of boosting).
std::vector<Candidate> screen(const Problem& problem, const Model& model, std::size_t wanted);

}  // namespace amacrine::pathway
