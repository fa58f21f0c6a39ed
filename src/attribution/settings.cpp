// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/settings.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

using Words = std::vector<std::string>;

/// Position of the study's word in `words`.
std::size_t choice(core::Study& study, const std::string& key, const std::string& fallback, const Words& words) {
  const std::string word = study.choose(key, fallback, words);
  return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

void check_subjects(const core::Study& study, const Words& subjects) {
  core::require<core::StudyError>(!subjects.empty(), "{}: attribution.subjects is empty; name \"network\", \"circuit\" or \"ln\"",
                                  study.where("attribution.subjects"));
  for (const std::string& subject : subjects) {
    core::require<core::StudyError>(subject == "network" || subject == "circuit" || subject == "ln",
                                    "{}: attribution.subjects holds \"{}\"; expected \"network\", \"circuit\" or \"ln\"",
                                    study.where("attribution.subjects"), subject);
    core::require<core::StudyError>(std::count(subjects.begin(), subjects.end(), subject) == 1,
                                    "{}: attribution.subjects names \"{}\" twice", study.where("attribution.subjects"), subject);
  }
}

}  // namespace

const char* to_string(Rule rule) {
  constexpr const char* names[] = {"right", "midpoint", "trapezoid", "secant"};
  return names[static_cast<int>(rule)];
}
const char* to_string(Target target) { return target == Target::after_softplus ? "after_softplus" : "before_softplus"; }
const char* to_string(Level level) {
  constexpr const char* names[] = {"channel", "position", "unit", "pixel"};
  return names[static_cast<int>(level)];
}

AttributionSettings read_attribution(core::Study& study) {
  AttributionSettings settings;
  settings.subjects = study.get<Words>("attribution.subjects", settings.subjects);
  check_subjects(study, settings.subjects);
  settings.stimuli = study.get<Words>("attribution.stimuli", settings.stimuli);
  core::require<core::StudyError>(!settings.stimuli.empty(),
                                  "{}: attribution.stimuli is empty; name at least one family or condition",
                                  study.where("attribution.stimuli"));
  settings.cells = study.get<Words>("attribution.cells", {});
  settings.rule = static_cast<Rule>(choice(study, "attribution.rule", "secant", {"right", "midpoint", "trapezoid", "secant"}));
  settings.panels = static_cast<int>(study.integer("attribution.panels", settings.panels, 1, 100000));
  settings.target =
      static_cast<Target>(choice(study, "attribution.target", "after_softplus", {"after_softplus", "before_softplus"}));
  settings.baseline = static_cast<Baseline>(choice(study, "attribution.baseline", "grey", {"grey", "mean", "given"}));
  settings.baseline_contrast = study.number("attribution.baseline_contrast", settings.baseline_contrast, -100.0, 100.0);
  core::require<core::StudyError>(settings.baseline == Baseline::given || settings.baseline_contrast == 0.0,
                                  "{}: attribution.baseline_contrast is used with baseline = \"given\" only",
                                  study.where("attribution.baseline_contrast"));
  settings.before_ms = study.number("attribution.before_ms", settings.before_ms, 0.0, 1e6);
  settings.after_ms = study.number("attribution.after_ms", settings.after_ms, 0.0, 1e6);
  settings.bar_range_px = study.number("attribution.bar_range_px", settings.bar_range_px, 0.0, 1e4);
  settings.levels = study.choose("attribution.levels", settings.levels, {"symmetry", "channel", "position", "unit", "pixel"});
  settings.tolerance = study.number("attribution.tolerance", settings.tolerance, 0.0, 1.0);
  core::require<core::StudyError>(
      settings.tolerance == 0 || settings.panels >= 4,
      "{}: a tolerance compares a path with a half and a quarter of its panels; panels must be at least 4",
      study.where("attribution.panels"));
  settings.max_panels = static_cast<int>(study.integer("attribution.max_panels", settings.max_panels, 1, 1000000));
  core::require<core::StudyError>(settings.max_panels >= settings.panels, "{}: attribution.max_panels = {} is below panels = {}",
                                  study.where("attribution.max_panels"), settings.max_panels, settings.panels);
  settings.block_windows = static_cast<int>(study.integer("attribution.block_windows", settings.block_windows, 1, 4096));
  return settings;
}

}  // namespace amacrine::attribution
