// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/symmetry.hpp"
#include "amacrine/lesion/masked_head.hpp"
#include "amacrine/lesion/plan.hpp"
#include "amacrine/lesion/scores.hpp"

#include <map>
#include <memory>
#include <vector>

namespace amacrine::lesion {

/// Everything about one cell and stimulus. Rows are the windows of the stimulus's conditions, one after another.
struct StimulusLesions {
  double rest = 0;                         ///< F[s0], Hz
  std::vector<double> rate;                ///< (rows) r, Hz
  std::vector<std::size_t> chosen;         ///< rows the curves are of, rising; none where the stimulus is silent
  std::size_t responding = 0;              ///< rows that respond
  double share_used = 0;                   ///< of sum |r - rest| over all rows, what the chosen ones hold
  std::vector<OrderResult> orders;         ///< (scored orders, then the mean of the random ones); empty where none are chosen
  std::vector<OrderResult> random;         ///< each random order
  core::Array<double, 2> without_pathway;  ///< (I, rows) r with one pathway removed, Hz
  std::vector<double> only_pathways, without_pathways;  ///< (rows) with all kept pathways alone, and without them; Hz
  Curve pathways;  ///< over all rows (I + 2): without each pathway, without all of them, with these alone; empty where silent
  std::vector<std::size_t> pathway_units;  ///< (I)
};

/// Removes units from one network. Needs a hidden layer.
template <class S>
class Lesioner {
 public:
  Lesioner(const core::Exec& exec, const model::Model& model, const LesionPlan& plan,
           const attribution::AttributionSettings& attribution, const LesionSettings& settings);

  /// Local: cell (of the plan) and stimulus. Not whole where the run was asked to stop.
  StimulusLesions run(std::size_t cell, std::size_t stimulus);
  /// Local: F[s0] of a cell of the plan, Hz.
  double rest(std::size_t cell);
  /// Multiply-adds of a cell and stimulus past the first layer, at most; without the attributions.
  double multiply_adds(std::size_t cell, std::size_t stimulus) const;
  /// Bytes of memory a rank holds, at most.
  double bytes() const;

 private:
  struct Chosen;

  int model_cell(std::size_t cell) const { return plan_.windows.cells[cell]; }
  const core::Array<float, 3>& movie(std::size_t cell, std::size_t condition);
  core::View2<S> activities(std::size_t cell, std::size_t condition);
  Units<S> with_positions(const core::View2<S>& activity, const std::vector<std::vector<int>>& positions) const;
  std::vector<bool> members(const UnitGroup& group) const;
  void lesion_pathways(std::size_t cell, std::size_t stimulus, StimulusLesions& out);
  void score_pathways(StimulusLesions& out) const;
  void choose(StimulusLesions& out) const;
  core::View2<S> chosen_activities(std::size_t cell, std::size_t stimulus, const StimulusLesions& found);
  std::vector<double> attributions(std::size_t cell, std::size_t stimulus, const StimulusLesions& found);
  std::vector<std::vector<double>> scores(std::size_t cell, std::size_t stimulus, const StimulusLesions& found,
                                          const core::View2<S>& activity);
  std::vector<std::vector<int>> orders(std::size_t cell, std::size_t stimulus, const StimulusLesions& found,
                                       const core::View2<S>& activity);
  std::vector<OrderResult> results_of(const StimulusLesions& out, const std::vector<double>& found) const;
  void draw_curves(std::size_t cell, std::size_t stimulus, StimulusLesions& out);

  core::Exec exec_;
  LesionPlan plan_;
  LesionSettings settings_;
  attribution::AttributionSettings attribution_;
  model::InferenceNetwork<S> network_;
  attribution::Attributor<S> attributor_;
  MaskedHead<S> head_;
  std::vector<stimulus::Centre> centres_;  ///< of the plan's cells
  std::vector<double> gain_;               ///< (U) of the first layer
  core::View1<S> baseline_;                ///< (U) h(s0)
  std::size_t shown_cell_ = static_cast<std::size_t>(-1), shown_condition_ = static_cast<std::size_t>(-1);
  core::Array<float, 3> shown_;
};

}  // namespace amacrine::lesion
