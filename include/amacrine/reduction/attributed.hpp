// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"

#include <limits>
#include <string>
#include <vector>

/// What the reduction starts from: attributions and drives, as plain arrays. Letters: T frames, L lines, X columns, C channels.
namespace amacrine::reduction {

/// The first layer of the attributed model: x_u = gain_u (W * s)_u + offset_u, rest_u its value on grey.
struct FirstLayer {
  std::vector<std::string> channels;  ///< names
  core::Array<float, 4> kernel;       ///< (C, T, KY, KX), oldest frame first
  core::Array<float, 3> gain, rest;   ///< (C, Y, X) kappa, and the pre-activation on grey
  double frame_ms = 10, minimum_lag = 0;
  double softplus_beta = 1;
  bool linear_output = false;  ///< the attributed target is the drive before the softplus

  std::size_t columns() const { return gain.extent(2); }
};

/// A channel, or its units of one sign of gain where a channel holds both: these answer opposite polarities and are separate.
struct Line {
  int channel = 0;
  int gain_sign = 1;  ///< 0: both signs, and attributions that could not be separated
};

/// One condition of a stimulus shown to one cell: attributions over its frames. Full fields have one column, bars all of them.
struct AttributedCondition {
  std::string name;      ///< "osr/period_ms=60"
  std::string stimulus;  ///< the reduction it belongs to: "osr", "latency", "reversal", "anticipation", ...
  bool held_out = false;
  std::vector<int> frames;             ///< (T) movie frames
  std::vector<double> rate;            ///< (T) Hz
  core::Array<double, 3> attribution;  ///< (T, L, X) Hz, summed over units that share a drive
  core::Array<double, 3> drive;        ///< (T, L, X) W * (s - s0)
  core::Array<double, 3> downstream;   ///< (T, L, X) G, summed

  std::size_t columns() const { return attribution.extent(2); }
  std::size_t size() const { return rate.size(); }
};

/// One cell's attributions under all conditions.
struct AttributedCell {
  std::string name;
  double rest = 0;  ///< F[s0], Hz
  double centre_x = 24.5;
  double share_of_ceiling =
      std::numeric_limits<double>::quiet_NaN();  ///< score on the test part over its ceiling; NaN: not known
  std::vector<AttributedCondition> conditions;
};

/// "osr/period_ms=60" -> "osr"; a reversal's smooth control belongs to "reversal", moving and flashed bars to "anticipation"; any
/// other family stands for itself. A parameter set behind an at sign ("osr@paper/...") is kept apart.
std::string stimulus_of(const std::string& condition);

/// Marks every n-th condition of each stimulus as held out, the first of them n / 2, so that ends of a range are fitted where
/// there are enough conditions. 0 holds out none; a stimulus with one condition keeps it.
void mark_held_out(std::vector<AttributedCondition>& conditions, int every);

/// The lines of a first layer. With `by_gain` channels that hold both signs of gain become two lines, else one with gain_sign 0
/// when the rarer sign has at least 5 % of the units.
std::vector<Line> lines_of(const FirstLayer& layer, bool by_gain);

}  // namespace amacrine::reduction
