// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/reduction/attributed.hpp"
#include "amacrine/reduction/labels.hpp"
#include "amacrine/reduction/settings.hpp"

#include <string>
#include <vector>

/// The few groups of first-layer units that carry a response.
namespace amacrine::reduction {

/// What a channel is by itself, whatever the stimulus.
struct ChannelLabel {
  TemporalFilter filter;
  std::vector<Lobe> lobes;  ///< of the filter, sign of the gain not applied
};
std::vector<ChannelLabel> label_channels(const FirstLayer& layer, const ReductionSettings& settings);

/// A rectifier inside a pathway: max(0, gain_sign * drive[column] + threshold + offset), `profile` its part of the pathway.
struct Element {
  int column = -1;  ///< -1: the stimulus has one drive per channel
  double profile = 1, offset = 0;
};

/// Units of one channel and one sign of gain and D at neighbouring columns: p = sum_e profile_e max(0, gain_sign d + threshold +
/// offset_e). With a norm per channel there is one rectifier per column; with a norm per unit a few per column, a
/// piecewise-linear function.
struct Pathway {
  int line = 0, channel = 0, gain_sign = 1;
  int column_first = -1, column_last = -1;  ///< both inclusive; -1 where the drive is uniform
  std::vector<Element> elements;            ///< profiles sum to 1, profile-weighted offsets to 0
  double uniform_part = 1;                  ///< part of the channel's attribution under a full field that is this sub-unit's
  double threshold = 0;                     ///< in units of the drive: on grey the pathway is tonic where this is positive
  double share = 0;                         ///< part of the summed |A| of all pathways
  double mean_attribution = 0;              ///< Hz
  double position_px = 0;                   ///< centre of its receptive field relative to the cell's
  int polarity = 0, later = 0, speed = 0;   ///< later: polarity of the largest lobe where it is another
  double lobe_ms = 0;
  Influence influence;

  bool disinhibition() const { return influence.sign < 0 && influence.disinhibition_share >= 0.1; }
};

/// The sign of gain of a pathway's units where its channel is divided by it; 0: all units of its channel and columns belong to
/// it.
int gain_part(const std::vector<Line>& lines, const Pathway& pathway);

/// "ON fast excitatory", "ON, then OFF, fast of mixed sign", "OFF slow inhibitory (disinhibition)".
std::string describe(const Pathway& pathway);

/// A pathway's activity p for `drive` of one frame (X columns or 1) and a threshold; grey is a drive of zeros.
double activity(const Pathway& pathway, const double* drive, std::size_t columns, double threshold);
/// A pathway's summed attribution (or G) in frame t.
double summed(const Pathway& pathway, const core::Array<double, 3>& values, std::size_t frame);
/// Profile-weighted mean drive in frame t, sign of the gain not applied.
double mean_drive(const Pathway& pathway, const core::Array<double, 3>& drive, std::size_t frame);

/// What all pathways of a stimulus (or of several) are, ranked by sum over all frames of |A|: never by a peak frame, where
/// delayed inhibition is still silent. `conditions` point into one cell's; with several stimuli each counts the same.
std::vector<Pathway> find_pathways(const FirstLayer& layer, const std::vector<Line>& lines,
                                   const std::vector<ChannelLabel>& labels,
                                   const std::vector<const AttributedCondition*>& conditions, double centre_x,
                                   const ReductionSettings& settings);

/// The first of them: as few as hold `share` of the whole, at most `at_most`.
std::vector<Pathway> keep(const std::vector<Pathway>& ranked, double share, int at_most);

/// Sub-units along x: runs of neighbouring columns with one sign of D and at least `threshold` of the largest summed |A|, cut
/// where it falls below `valley` of the lower of two peaks. `strength` and `sign` per column; pairs are [first, last].
std::vector<std::pair<int, int>> column_groups(const std::vector<double>& strength, const std::vector<int>& sign,
                                               double threshold, double valley);

}  // namespace amacrine::reduction
