// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/fit.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Whether one layer of rectified pathways is enough for a cell, by the test part, which neither pathways nor network were fitted
/// to or chosen by (docs/pathways.md, "Is one layer enough?").
namespace amacrine::pathway {

/// The numbers are those of the flag variable `one_layer`.
enum class OneLayer : std::int8_t { not_enough = -1, not_judged = 0, enough = 1 };

/// Why it is not judged; the numbers are those of the flag variable `not_judged`.
enum class NotJudged : std::int8_t {
  judged = 0,
  not_fitted,
  no_network,
  other_network,
  no_repeats,
  too_short,
  both_miss,
  unsettled
};

/// What a trained network predicts over the test part.
struct NetworkRates {
  core::Array<float, 2> rate;                ///< (N, T) Hz; empty where there is none
  NotJudged reason = NotJudged::no_network;  ///< why it is empty
};

/// Rates over the test part, (T) Hz each.
struct TestRates {
  std::vector<float> pathways;               ///< of the number of pathways with the lowest held-out loss
  std::array<std::vector<float>, 2> halves;  ///< of fits of as many pathways to either half of the recording
  std::span<const float> network;            ///< empty: none
};

/// What the test part says. Losses: minus log likelihood of a trial, nats per second, without the terms that depend on the
/// counts alone. Errors are standard errors, over blocks of frames.
struct LayerVerdict {
  OneLayer verdict = OneLayer::not_judged;
  NotJudged reason = NotJudged::not_fitted;
  std::size_t number = 0;        ///< of pathways, the one with the lowest held-out loss
  Difference pathways, network;  ///< losses; NaN where there is none
  Difference network_above;      ///< loss of the network less that of the pathways: below 0 it is better
  Difference missed;             ///< share of the explainable variance that the pathways miss, and that more data would
                                 ///< not add; NaN without repeats
};

/// The verdict from rates over the frames of `test` from `first` on; `repeats` (R) of (T) Hz, fewer than two are none.
/// Not enough: the network is better by two standard errors. Enough: it is not, and what the pathways miss of the variance that
/// repeats is less than two standard errors. Not judged: anything else.
LayerVerdict judge(const TestRates& rates, std::span<const float> target, const std::vector<std::span<const float>>& repeats,
                   std::size_t first);

/// The verdict on cell n of the study. Local; the same on every rank.
LayerVerdict judge_layers(const Study& study, const CellFit& fit, std::size_t n, const NetworkRates& network);

/// The verdict in a line for people.
std::string words(const LayerVerdict& verdict);

}  // namespace amacrine::pathway
