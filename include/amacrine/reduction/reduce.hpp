// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/reduction/attributed.hpp"
#include "amacrine/reduction/pathways.hpp"
#include "amacrine/reduction/reduced_model.hpp"
#include "amacrine/reduction/settings.hpp"

#include <string>
#include <vector>

namespace amacrine::reduction {

/// The reduction of one cell's responses to one stimulus (all its conditions), or to all stimuli at once.
struct Reduction {
  std::string stimulus;                 ///< "osr", ...; "joint"
  std::vector<std::size_t> conditions;  ///< indices into the cell's conditions; rows of `reduced` are their frames in this order
  std::vector<double> channel_share;    ///< (C) sum over t of |A| of each channel, parts of the whole
  core::Array<double, 2> column_share;  ///< (C, X) the same per column; empty where the stimulus is a full field
  std::vector<Pathway> pathways;        ///< kept, by rank
  double share_kept = 0;
  ReducedModel start, model;
  Score start_score, fitted, held_out;  ///< start: over all conditions
  std::vector<double> rate, reduced;    ///< (R) the network's and the reduced model's response, Hz
  core::Array<double, 2> activity;      ///< (I, R) p_i
  core::Array<double, 3> lesioned;      ///< (I, 2, R) Hz with one pathway at 0, or held at grey

  /// Pathways whose fitted weight is not 0.
  std::size_t used() const;
  /// r with the network that says whether the pathways stand in for it: over the held-out conditions where there are any.
  double judged_r() const;
};

/// All reductions of a cell.
struct CellReduction {
  std::string name;
  double rest = 0;
  double share_of_ceiling = 0, least_share = 0;     ///< score over ceiling (NaN: not known), and what a mechanism needs
  std::vector<Reduction> stimuli;                   ///< one per stimulus, in the order of the conditions
  Reduction joint;                                  ///< one set of pathways, weights and thresholds for all stimuli
  std::vector<Score> joint_fitted, joint_held_out;  ///< the joint model's score on each stimulus
};

/// Names of the stimuli the conditions belong to, in order of first appearance.
std::vector<std::string> stimuli_of(const std::vector<AttributedCondition>& conditions);

/// Finds, labels, ranks and keeps pathways, and fits the reduced models. Local and deterministic.
CellReduction reduce_cell(const FirstLayer& layer, const std::vector<Line>& lines, const std::vector<ChannelLabel>& labels,
                          const AttributedCell& cell, const ReductionSettings& settings);

/// A table for people: per stimulus one line with scores, and one per pathway that has a weight, with its labels. Where the
/// cell's share of its ceiling, or the r of a reduced model, is below the least share, the reason stands in place of the
/// pathways.
std::string table(const CellReduction& cell, const FirstLayer& layer);

}  // namespace amacrine::reduction
