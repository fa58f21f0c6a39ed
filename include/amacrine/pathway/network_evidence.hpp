// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/fit.hpp"
#include "amacrine/reduction/attributed.hpp"
#include "amacrine/stimulus/catalogue.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// A network's attributions grouped by the pathways that were fitted to the spikes (docs/pathways.md, "The network's own
/// evidence"). Letters: K pathways, L lines (channels, or their units of one sign of gain), X columns, T windows.
namespace amacrine::pathway {

/// Path attributions of a one-layer model for one stimulus: A_k = Int_0^1 dF(a s)/dh_k (dh_k/da) da with h_k = max(0, b_k + a
/// z_k) and F = softplus(c + sum w_k h_k), in closed form, since the drive is linear between the thresholds that the path
/// crosses. They add up to F(s) - F(grey). (Tanaka et al., NeurIPS 2019, Eqs. 1 and 2, with its own hidden units.)
struct OutputOfPathways {
  double rest_hz = 0, beta_per_hz = 1;
  bool linear = false;  ///< the drive before the softplus is attributed
  std::vector<double> weight_hz, threshold;
};
std::vector<double> attribute_pathways(const OutputOfPathways& output, std::span<const double> z);

/// Attributions over all windows of a stimulus, its conditions one after another; Hz.
struct StimulusTraces {
  std::string stimulus;             ///< "osr", "anticipation@paper"
  core::Array<double, 2> pathways;  ///< (K, T)
  core::Array<double, 3> network;   ///< (L, X, T); full fields have one column
};

/// Which pathway each group of the network's units follows, a group being what shares a drive: a line, or a line's column.
struct Following {
  std::string stimulus;
  std::vector<double> correlation;     ///< (K) of the pathway's attributions with the sum of those of its groups; NaN: no groups
  std::vector<double> share;           ///< (K) of the network's summed |A| that its groups hold
  double rest = 1;                     ///< share of the groups that follow none; NaN where the network does not respond
  core::Array<std::int32_t, 2> group;  ///< (L, X) the pathway, -1 none
};

/// Assigns every group to the pathway whose trace it correlates with best (Pearson, signs included); none where that correlation
/// is not above 0 by two standard errors (jackknife over 16 blocks of windows).
Following follow(const StimulusTraces& traces);

/// A fitted model whose pathways are compared with a network's attributions.
struct FittedModel {
  const Bases& bases;
  const CellFit& fit;
  const Model& model;
  std::vector<std::size_t> order;  ///< (K) which of the model's pathways is the k-th
  stimulus::Centre centre;         ///< of the cell's receptive field, px
};

/// The stimuli as the network was shown them.
struct Shown {
  std::vector<stimulus::Condition> catalogue;
  stimulus::Screen screen;
  stimulus::Centre centre;  ///< around which bars were drawn
  std::size_t minimum_lag = 0;
  bool linear_output = false;
};

/// Traces of one cell by stimulus, in the order of the attributed conditions. Conditions that the catalogue does not hold are
/// left out.
std::vector<StimulusTraces> traces_of(const FittedModel& fitted, const Shown& shown, const reduction::AttributedCell& cell);

/// A line for people: per pathway its correlation and share, means over the stimuli that move the network, and the rest.
std::string words(const std::vector<Following>& following);

}  // namespace amacrine::pathway
