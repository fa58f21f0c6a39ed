// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"

#include <vector>

/// What a pathway is called: ON or OFF, fast or slow, excitatory or inhibitory.
namespace amacrine::reduction {

/// One lobe of a temporal filter: a run of lags of one sign.
struct Lobe {
  double lag = 0;     ///< frames before the rate's frame at which it peaks (parabola through the three largest values)
  double height = 0;  ///< signed, relative to the filter's largest absolute value
  std::size_t begin = 0, end = 0;  ///< its lags, [begin, end)
};

/// The temporal filter that stands for a kernel, and where it came from.
struct TemporalFilter {
  std::vector<double> value;          ///< by lag, 0 = the rate's own frame; largest absolute value 1 (all 0 for a dead kernel)
  bool from_centre = false;           ///< taken from the receptive field's centre because centre and surround nearly cancel
  double centre_y = 0, centre_x = 0;  ///< where the kernel's centre lies, pixels of the kernel
};

/// The filter of `kernel` (T, KY, KX), oldest frame first: its sum over space; or, where the sum of the dominant spatial
/// component is below `balance_threshold` of that component's centre (centre and surround cancel, and what is left of the sum has
/// a sign of its own), the kernel summed over the centre alone. The centre is the part of the dominant spatial component (first
/// singular vector) that has the sign of its peak.
TemporalFilter temporal_filter(const core::Array<float, 3>& kernel, double balance_threshold);

/// Lobes of a temporal filter by lag, earliest first: those that are real. Where the filter is one or the difference of two
/// smooth bumps with white noise on it, they are the lobes of the curve that the likelihoods vote for, from three quarters of
/// `threshold` (of the largest lobe) on. Else they are the filter's own, smoothed by (1, 2, 1) / 4: such a lobe is real where it
/// reaches `threshold`, is at least two lags wide, and stands three standard deviations above the noise of the filter's oldest 16
/// lags. Either way a single noisy lag makes no lobe.
std::vector<Lobe> lobes(const std::vector<double>& filter, double threshold);

/// +1 ON (answers light), -1 OFF, 0 where there is no lobe (or the gain is 0): sign of the gain times the sign of the earliest
/// lobe above the threshold. Not the largest lobe: a biphasic ON pathway with a strong rebound would be called OFF.
int polarity(const std::vector<Lobe>& lobes, double gain);

/// The sign of the gain times that of the largest lobe where it is not the polarity (a pathway that is ON, then OFF); else 0.
int later_polarity(const std::vector<Lobe>& lobes, double gain);

/// Excitatory or inhibitory: the sign of D = dF/dh averaged over the response window with the weight |dh|. Since A = D dh, that
/// is the sign of sum_t A sign(dh); it needs no division.
struct Influence {
  int sign = 0;                    ///< +1 excitatory, -1 inhibitory, 0 without attribution
  double disinhibition_share = 0;  ///< part of sum |A| with A > 0 and D < 0: inhibition that falls silent
  double minority_share = 0;       ///< part of sum |A| whose D has the less frequent sign, 0 to 0.5
  double mean_downstream = 0;      ///< D averaged with the weight |dh|, Hz per unit of h

  /// Whether D changes sign along the response.
  bool mixed() const { return minority_share >= 0.2; }
};
/// `attribution` and `hidden_change` (dh = h(s) - h(s0)) over the same frames.
Influence influence(const std::vector<double>& attribution, const std::vector<double>& hidden_change);

}  // namespace amacrine::reduction
