// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/settings.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>

#include <fmt/ranges.h>

namespace amacrine::stimulus {
namespace {

using Words = std::vector<std::string>;

Words words_out_of(core::Study& study, const std::string& key, const Words& fallback, const Words& allowed) {
  Words chosen = study.get<Words>(key, fallback);
  core::require<core::StudyError>(!chosen.empty(), "{}: {} is empty; choose among {}", study.where(key), key,
                                  fmt::join(allowed, ", "));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    core::require<core::StudyError>(std::find(allowed.begin(), allowed.end(), chosen[i]) != allowed.end(),
                                    "{}: {} holds '{}'; choose among {}", study.where(key), key, chosen[i],
                                    fmt::join(allowed, ", "));
    core::require<core::StudyError>(std::find(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(i), chosen[i]) ==
                                        chosen.begin() + static_cast<std::ptrdiff_t>(i),
                                    "{}: {} holds '{}' twice", study.where(key), key, chosen[i]);
  }
  return chosen;
}

std::vector<double> numbers(core::Study& study, const std::string& key, double low, double high) {
  std::vector<double> values = study.get<std::vector<double>>(key, {});
  for (std::size_t i = 0; i < values.size(); ++i) {
    core::require<core::StudyError>(values[i] >= low && values[i] <= high, "{}: {} holds {}, expected values from {} to {}",
                                    study.where(key), key, values[i], low, high);
    core::require<core::StudyError>(std::count(values.begin(), values.end(), values[i]) == 1, "{}: {} holds {} twice",
                                    study.where(key), key, values[i]);
  }
  return values;
}

}  // namespace

ProbeSettings read_probe(core::Study& study) {
  ProbeSettings s;
  s.families = words_out_of(
      study, "probe.families", s.families,
      {"osr", "osr_control", "latency", "reversal", "anticipation", "step", "paired_flash", "contrast_step", "white_noise"});
  s.sets = words_out_of(study, "probe.sets", s.sets, {"circuits", "bright", "library", "figure", "paper"});
  s.subjects = words_out_of(study, "probe.subjects", s.subjects, {"network", "ln", "circuit", "recorded"});
  s.trials = static_cast<int>(study.integer("probe.trials", s.trials, 1, 100000));
  s.seed = static_cast<std::uint64_t>(study.integer("probe.seed", static_cast<std::int64_t>(s.seed), 0, INT64_MAX));
  s.threshold_hz = study.number("probe.threshold_hz", s.threshold_hz, 0, 1000);
  s.osr_periods_ms = numbers(study, "probe.osr_periods_ms", 1, 10000);
  s.osr_contrast = study.number("probe.osr_contrast", s.osr_contrast, -10, 10);
  s.osr_flashes = static_cast<int>(study.integer("probe.osr_flashes", s.osr_flashes, 0, 1000));
  s.latency_contrasts = numbers(study, "probe.latency_contrasts", -10, 10);
  s.reversal_positions_px = numbers(study, "probe.reversal_positions_px", -100, 100);
  s.reversal_speed = study.number("probe.reversal_speed", s.reversal_speed, 0, 100);
  s.reversal_width = study.number("probe.reversal_width", s.reversal_width, 0, 1000);
  s.reversal_contrast = study.number("probe.reversal_contrast", s.reversal_contrast, -10, 10);
  s.anticipation_speed = study.number("probe.anticipation_speed", s.anticipation_speed, 0, 100);
  s.anticipation_width = study.number("probe.anticipation_width", s.anticipation_width, 0, 1000);
  s.anticipation_contrast = study.number("probe.anticipation_contrast", s.anticipation_contrast, -10, 10);
  s.flash_positions_px = numbers(study, "probe.flash_positions_px", -100, 100);
  return s;
}

}  // namespace amacrine::stimulus
