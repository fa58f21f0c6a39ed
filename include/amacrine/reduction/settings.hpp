// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"

#include <string>
#include <vector>

namespace amacrine::reduction {

/// How attributions become pathways, labels and the reduced model. Table [reduction]; docs/study/reduction.md.
struct ReductionSettings {
  std::vector<std::string> subjects;  ///< whose attributions to reduce; empty: every subject of [attribution]
  double keep_share = 0.9;            ///< keep the fewest pathways that hold this share of the summed |A| ...
  int keep_at_most = 6;               ///< ... but no more than this many per stimulus
  int keep_at_most_joint = 8;         ///< the same for the one set that serves all stimuli of a cell
  double silent_below_hz = 1.0;       ///< a stimulus whose response never leaves rest by this much has no pathways
  double least_share = 0.6;           ///< scores below this part of their ceiling give no mechanism
  double lobe_threshold = 0.2;        ///< lobes below this part of the largest do not decide the polarity
  double fast_below_ms = 50.0;        ///< a pathway is fast when its deciding lobe peaks before this lag
  double balance_threshold = 0.25;    ///< |summed kernel| below this part of its centre's: the centre decides the polarity
  double column_threshold = 0.1;      ///< columns below this part of the channel's largest belong to no sub-unit
  double valley = 0.6;                ///< a run of columns is cut where it falls below this part of the lower of two peaks
  int knots = 4;                      ///< thresholds per pathway where a channel's units have norms of their own
  int held_out_every = 3;             ///< every n-th condition of a stimulus is held out of the fit; 0: none
  double prior = 1e-3;   ///< cost of moving a weight by its own size, or a threshold by the drive's sd, from the attribution's
  int starts = 6;        ///< starts of the fit: the attribution's own and this many less one around it
  int iterations = 200;  ///< Levenberg-Marquardt steps per start, at most
};

/// Reads and checks the [reduction] table. Throws StudyError.
ReductionSettings read_reduction(core::Study& study);

}  // namespace amacrine::reduction
