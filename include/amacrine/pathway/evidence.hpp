// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/layers.hpp"
#include "amacrine/pathway/network_evidence.hpp"

#include <string>
#include <vector>

namespace amacrine::pathway {

/// What one pathway of a model is, in the units of a circuit: h = max(0, threshold + course * (profile . contrast)), rate input
/// weight_hz h. The course's absolute values sum to 1 over the lags and those of the profile to 1 over the pixels; the profile is
/// positive where it is largest.
struct Pathway {
  double weight_hz = 0;            ///< Hz per unit of h; above 0 it excites
  double threshold = 0;            ///< contrast
  std::vector<double> course;      ///< (T) most recent lag first
  core::Array<double, 2> profile;  ///< (P, P) pixels around the receptive field's centre
  int polarity = 0;                ///< +1 ON, -1 OFF by the earliest real lobe; 0: none
  double peak_ms = 0;              ///< lag of the course's largest absolute value
  double dy_px = 0, dx_px = 0;     ///< of the profile's positive part from the receptive field's centre
  double closed = 0;               ///< share of the frames in which h is 0
  double spread_hz = 0;            ///< sd of weight_hz h
  std::size_t slot = 0;            ///< which of the model's pathways it is
  std::size_t type = 0;            ///< pathways of the same type are sub-units of one filter at several places
  int sign() const { return weight_hz > 0 ? 1 : -1; }
  /// It never crosses its threshold in these frames: neither sign nor side can be known.
  bool linear() const { return closed < 1e-3; }
};

/// The fits a mechanism is compared with, in this order: those of the halves of the recording, and the next best start where it
/// predicts held-out frames as well.
inline constexpr std::array<const char*, 3> other_fits{"first half", "second half", "next best start"};
/// What is claimed of a pathway, in the order of Answer.
inline constexpr std::array<const char*, 4> claims{"sign", "polarity", "peak", "place"};
/// Whether another fit says the same, claim by claim.
using Answer = std::array<bool, claims.size()>;

/// How many of the other fits say the same of a pathway, and which.
struct Agreement {
  int fits = 0;  ///< the two halves of the recording, and the next best start where it fits as well
  int sign = 0, polarity = 0, peak = 0, place = 0;
  std::vector<Answer> answers = {};  ///< (fits) in the order of other_fits
  /// A claim that a third of the fits dispute.
  bool disputed(int agreeing) const { return 3 * (fits - agreeing) >= fits; }
};

/// A cell's mechanism as far as its recording shows it.
struct Mechanism {
  std::string left_out;    ///< why there is none
  std::size_t number = 0;  ///< of pathways, by chosen()
  std::array<std::size_t, 2> number_of_halves{};
  double rest_hz = 0, beta_per_hz = 0;
  std::vector<Pathway> pathways;  ///< those of the largest spread first
  std::vector<Agreement> agreement;
  std::vector<Difference> held_out;       ///< (K + 1) loss above the lowest, nats per second, and the error of the difference
  std::vector<Difference> held_out_loss;  ///< (K + 1) the loss itself, and its standard error
  LayerVerdict layers;                    ///< whether one layer is enough
  std::vector<Following> following;       ///< the network's attributions by stimulus; empty: there are none
  std::size_t types() const;
};

/// Describes the pathways of a model; shares and spreads over `frames` of the training part. Lags count from the newest stimulus
/// frame that a response depends on.
std::vector<Pathway> describe(const Bases& bases, const CellFit& fit, const Model& model, const CellData& data,
                              const std::vector<Range>& frames);

/// Which pathway of `other` each of `own` is, by the likeness of their filters whatever their signs; other.size() where none is
/// alike.
std::vector<std::size_t> matched(const std::vector<Pathway>& own, const std::vector<Pathway>& other);

/// Adds what `other` says of `own`, the fits in the order of other_fits. Peaks agree within 20 ms or a fifth, places within 1 px.
void compare(const std::vector<Pathway>& own, const std::vector<Pathway>& other, std::vector<Agreement>& agreement);

/// The mechanism of cell n, beside what a network predicts over the test part. Local; the same on every rank.
Mechanism mechanism_of(const Study& study, const CellFit& fit, std::size_t n, const NetworkRates& network = {});

/// The mechanisms for people, a paragraph a cell.
std::string table(const recording::Cell& cell, const Mechanism& mechanism);

}  // namespace amacrine::pathway
