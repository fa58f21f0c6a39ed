// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/settings.hpp"

#include "amacrine/core/paths.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace amacrine::sweep {
namespace {

constexpr const char* table = "sweep.space";

/// What a parameter's table may hold.
constexpr std::array<const char*, 6> words{"values", "low", "high", "scale", "whole", "points"};

std::string path_of(const std::string& key, const std::string& word) { return std::string(table) + "." + key + "." + word; }

/// The keys of the study that the space names, in alphabetical order. Throws StudyError for those a trial cannot set.
std::vector<std::string> space_keys(const core::Study& study) {
  std::vector<std::string> keys;
  for (const std::string& full : study.keys(table)) {
    const auto dot = full.rfind('.');
    const std::string key = full.substr(0, dot), word = dot == std::string::npos ? full : full.substr(dot + 1);
    const std::string where = study.where(std::string(table) + "." + full);
    core::require<core::StudyError>(
        std::find(words.begin(), words.end(), word) != words.end() && dot != std::string::npos,
        "{}: [sweep.space] holds '{}'; expected KEY = {{ values = [...] }} or KEY = {{ low = ..., high = ... }}, such as "
        "training.learning_rate = {{ low = 1e-3, high = 1e-1, scale = \"log\" }}",
        where, full);
    core::require<core::StudyError>(key.starts_with("training.") || key.starts_with("model."),
                                    "{}: trials share the recording, so a sweep's keys are of [training] and [model], not '{}'",
                                    where, key);
    core::require<core::StudyError>(tells_trials_apart(key), "{}: '{}' does not tell trials apart; leave it out of [sweep.space]",
                                    where, key);
    if (keys.empty() || keys.back() != key) keys.push_back(key);
  }
  return keys;
}

/// A parameter that is a number of a range.
Parameter read_range(core::Study& study, Parameter p) {
  const std::string low = path_of(p.key, "low"), high = path_of(p.key, "high");
  p.low = study.need<double>(low), p.high = study.need<double>(high);
  p.log = study.choose(path_of(p.key, "scale"), "linear", {"linear", "log"}) == "log";
  p.whole = study.get(path_of(p.key, "whole"), false);
  p.points = static_cast<std::size_t>(study.integer(path_of(p.key, "points"), 5, 2, 100'000));
  core::require<core::StudyError>(std::isfinite(p.low) && std::isfinite(p.high) && p.low < p.high,
                                  "{}: '{}' is {} and '{}' is {}; expected low below high", study.where(low), low, p.low, high,
                                  p.high);
  core::require<core::StudyError>(!p.log || p.low > 0, "{}: a logarithmic scale needs '{}' above 0, but it is {}",
                                  study.where(low), low, p.low);
  core::require<core::StudyError>(!p.whole || (p.low == std::floor(p.low) && p.high == std::floor(p.high)),
                                  "{}: '{}' and '{}' must be whole numbers where whole = true", study.where(low), low, high);
  return p;
}

Parameter read_parameter(core::Study& study, const std::string& key) {
  Parameter p;
  p.key = key;
  if (!study.has(path_of(key, "values"))) return read_range(study, p);
  p.values = study.texts(path_of(key, "values"));
  core::require<core::StudyError>(!p.values.empty(), "{}: '{}' is empty", study.where(path_of(key, "values")),
                                  path_of(key, "values"));
  return p;
}

/// A loss is comparable among trials that have the same one.
void check_metric(const core::Study& study, const SweepSettings& s) {
  if (s.metric != training::Metric::loss) return;
  for (const Parameter& p : s.space)
    core::require<core::StudyError>(p.key != "training.loss" && p.key != "training.loss_epsilon",
                                    "{}: trials that differ in {} cannot be compared by their loss; set sweep.metric = "
                                    "\"correlation\"",
                                    study.where("sweep.metric"), p.key);
}

void read_method(core::Study& study, SweepSettings& s) {
  const std::string word = study.choose("sweep.method", "random", {"random", "quasi_random", "grid", "list"});
  s.method = word == "grid"           ? Method::grid
             : word == "quasi_random" ? Method::quasi_random
             : word == "list"         ? Method::list
                                      : Method::random;
  s.list_file = core::expand_home(study.get<std::string>("sweep.list_file", ""));
  core::require<core::StudyError>(s.method != Method::list || !s.list_file.empty(),
                                  "{}: sweep.method = \"list\" needs sweep.list_file, a file with one trial a line, such as "
                                  "training.learning_rate=3e-3 training.l2=1e-4",
                                  study.where("sweep.method"));
}

}  // namespace

bool tells_trials_apart(const std::string& key) {
  const std::vector<std::string> fixed{"training.max_minutes", "training.checkpoint_minutes",
                                       "training.model_seeds", "training.learning_rates",
                                       "training.ln",          "training.ln_windows"};
  return std::find(fixed.begin(), fixed.end(), key) == fixed.end();
}

SweepSettings read_sweep(core::Study& study) {
  SweepSettings s;
  read_method(study, s);
  s.trials = static_cast<std::size_t>(study.integer("sweep.trials", 0, 0, 1'000'000));
  s.seed = static_cast<std::uint64_t>(study.integer("sweep.seed", 1, 0, INT64_MAX));
  for (const std::string& key : space_keys(study)) s.space.push_back(read_parameter(study, key));
  s.stops = study.choose("sweep.stopping", "asha", {"asha", "none"}) == "asha";
  s.reduction = study.number("sweep.reduction", s.reduction, 2, 100);
  s.rungs = static_cast<std::size_t>(study.integer("sweep.rungs", 4, 1, 20));
  s.metric = study.choose("sweep.metric", "correlation", {"correlation", "loss"}) == "loss" ? training::Metric::loss
                                                                                            : training::Metric::correlation;
  s.ranks_per_group = static_cast<std::size_t>(study.integer("sweep.ranks_per_group", 1, 1, 100'000));
  s.models_per_group = static_cast<std::size_t>(study.integer("sweep.models_per_group", 1, 1, 1000));
  check_metric(study, s);
  return s;
}

std::vector<std::string> identity_tables() {
  return {"recording",
          "model",
          "training",
          "sweep",
          "!recording.file",
          "!recording.centres",
          "!recording.centre_y",
          "!recording.centre_x",
          "!training.max_minutes",
          "!training.checkpoint_minutes",
          "!training.ln",
          "!training.ln_windows",
          "!sweep.trials",
          "!sweep.list_file",
          "!sweep.ranks_per_group",
          "!sweep.models_per_group"};
}

}  // namespace amacrine::sweep
