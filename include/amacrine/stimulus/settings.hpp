// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace amacrine::stimulus {

/// Table [probe]: which artificial stimuli are shown to whom. A value of 0 or an empty list means "what the parameter set says".
struct ProbeSettings {
  std::vector<std::string> families{"osr", "osr_control", "latency", "reversal",
                                    "anticipation"};    ///< also "step", "paired_flash", "contrast_step", "white_noise"
  std::vector<std::string> sets{"circuits", "bright"};  ///< also "library", "figure", "paper"
  std::vector<std::string> subjects{"network", "ln", "circuit", "recorded"};  ///< whose responses are taken
  int trials = 100;           ///< presentations per condition for subject "recorded"
  std::uint64_t seed = 1;     ///< of noise stimuli and of the recorded trials
  double threshold_hz = 3.0;  ///< a response counts where it stands this far above rest

  std::vector<double> osr_periods_ms;
  double osr_contrast = 0;
  int osr_flashes = 0;
  std::vector<double> latency_contrasts;  ///< negative = dark
  std::vector<double> reversal_positions_px;
  double reversal_speed = 0, reversal_width = 0, reversal_contrast = 0;              ///< px/frame, px, contrast
  double anticipation_speed = 0, anticipation_width = 0, anticipation_contrast = 0;  ///< px/frame, px, contrast
  std::vector<double> flash_positions_px;
};

/// Reads and checks table [probe]. Throws StudyError.
ProbeSettings read_probe(core::Study& study);

}  // namespace amacrine::stimulus
