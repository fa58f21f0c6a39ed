// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/settings.hpp"

#include "amacrine/core/paths.hpp"

#include <algorithm>

#include <fmt/ranges.h>

namespace amacrine::attribution {
namespace {

using Words = std::vector<std::string>;

constexpr double usual_tolerance = 0.01;

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

FrameSettings read_frames(core::Study& study, Source source) {
  FrameSettings frames;
  frames.part = study.choose("attribution.part", frames.part, {"test", "train"});
  frames.from_s = study.number("attribution.from_s", frames.from_s, 0.0, 1e9);
  frames.to_s = study.number("attribution.to_s", frames.to_s, 0.0, 1e9);
  frames.every = static_cast<int>(study.integer("attribution.every", frames.every, 1, 1000000000));
  frames.times_s = study.get<std::vector<double>>("attribution.times_s", {});
  core::require<core::StudyError>(frames.to_s == 0 || frames.to_s > frames.from_s,
                                  "{}: attribution.to_s = {} is not after from_s = {}", study.where("attribution.to_s"),
                                  frames.to_s, frames.from_s);
  const auto falls = [](double a, double b) { return !(a < b); };
  core::require<core::StudyError>(std::adjacent_find(frames.times_s.begin(), frames.times_s.end(), falls) == frames.times_s.end(),
                                  "{}: attribution.times_s must rise from each time to the next",
                                  study.where("attribution.times_s"));
  core::require<core::StudyError>(frames.times_s.empty() || (frames.every == 1 && frames.to_s == 0 && frames.from_s == 0),
                                  "{}: attribution.times_s names single frames; leave from_s, to_s and every out",
                                  study.where("attribution.times_s"));
  // By value: a resolved study, which names every key with its default, is a study too.
  const FrameSettings all;
  const bool chosen =
      frames.part != all.part || frames.from_s > 0 || frames.to_s > 0 || frames.every > 1 || !frames.times_s.empty();
  core::require<core::StudyError>(
      source != Source::catalogue || !chosen,
      "{}: attribution.part, from_s, to_s, every and times_s choose frames of a recording or a file, but source is \"catalogue\" "
      "(which before_ms, after_ms and bar_range_px serve)",
      study.where("attribution.source"));
  return frames;
}

MovieSettings read_movie(core::Study& study, Source source) {
  MovieSettings movie;
  movie.file = core::input_path(study.get<std::string>("attribution.movie_file", movie.file), study.file());
  movie.dataset = study.get<std::string>("attribution.movie_dataset", movie.dataset);
  movie.zero = study.number("attribution.movie_zero", movie.zero, -1e9, 1e9);
  movie.unit = study.number("attribution.movie_unit", movie.unit, 1e-9, 1e9);
  core::require<core::StudyError>((source == Source::file) == !movie.file.empty(),
                                  "{}: attribution.movie_file is needed with source = \"file\", and with that only",
                                  study.where("attribution.movie_file"));
  return movie;
}

BaselineFrame read_baseline_frame(core::Study& study, const AttributionSettings& settings) {
  BaselineFrame frame;
  frame.file = core::input_path(study.get<std::string>("attribution.baseline_file", frame.file), study.file());
  frame.dataset = study.get<std::string>("attribution.baseline_dataset", frame.dataset);
  frame.index = static_cast<std::size_t>(study.integer("attribution.baseline_frame", 0, 0, 2000000000));
  frame.zero = study.number("attribution.baseline_zero", frame.zero, -1e9, 1e9);
  frame.unit = study.number("attribution.baseline_unit", frame.unit, 1e-9, 1e9);
  core::require<core::StudyError>(
      frame.file.empty() || (settings.baseline == Baseline::given && settings.baseline_contrast == 0.0),
      "{}: attribution.baseline_file is used with baseline = \"given\" and without baseline_contrast",
      study.where("attribution.baseline_file"));
  return frame;
}

Words read_quantities(core::Study& study) {
  Words words = study.get<Words>("attribution.quantities", quantity_words());
  core::require<core::StudyError>(!words.empty(), "{}: attribution.quantities is empty; the words are {}",
                                  study.where("attribution.quantities"), fmt::join(quantity_words(), ", "));
  for (const std::string& word : words)
    core::require<core::StudyError>(std::count(quantity_words().begin(), quantity_words().end(), word) == 1,
                                    "{}: attribution.quantities holds \"{}\"; the words are {}",
                                    study.where("attribution.quantities"), word, fmt::join(quantity_words(), ", "));
  return words;
}

void read_storage(core::Study& study, AttributionSettings& settings) {
  settings.quantities = read_quantities(study);
  settings.weights = settings.wants("downstream_weight") || settings.wants("response_weight");
  settings.storage = static_cast<Storage>(choice(study, "attribution.storage", "full", {"full", "top"}));
  settings.top = static_cast<int>(study.integer("attribution.top", settings.top, 1, 1000000));
  core::require<core::StudyError>(settings.storage == Storage::full || settings.wants("attribution"),
                                  "{}: storage = \"top\" keeps the largest attributions; quantities must hold \"attribution\"",
                                  study.where("attribution.storage"));
  settings.largest_file_gb = study.number("attribution.largest_file_gb", settings.largest_file_gb, 1e-6, 1e9);
}

/// What the second layer's levels cannot hold, and who has none.
void check_second_layer(const core::Study& study, const AttributionSettings& settings) {
  if (!of_second_layer(settings.levels)) return;
  for (const std::string& subject : settings.subjects)
    core::require<core::StudyError>(
        subject == "network",
        "{}: attribution.levels = \"{}\" is of a network's second layer, and subject \"{}\" has none; "
        "ask for subjects = [\"network\"], or for the first layer's levels",
        study.where("attribution.levels"), settings.levels, subject);
  core::require<core::StudyError>(
      settings.wants("attribution") || settings.wants("response_change"),
      "{}: attribution.levels = \"{}\" holds the quantities attribution and response_change, and neither "
      "is asked for; {} are the first layer's alone",
      study.where("attribution.quantities"), settings.levels, fmt::join(settings.quantities, ", "));
}

}  // namespace

const std::vector<std::string>& quantity_words() {
  static const Words words{"attribution", "downstream_weight", "response_weight", "drive", "response_change"};
  return words;
}
bool AttributionSettings::wants(const std::string& quantity) const {
  return std::find(quantities.begin(), quantities.end(), quantity) != quantities.end();
}

const char* to_string(Source source) {
  constexpr const char* names[] = {"catalogue", "recording", "file"};
  return names[static_cast<int>(source)];
}
const char* to_string(Rule rule) {
  constexpr const char* names[] = {"right", "midpoint", "trapezoid", "secant"};
  return names[static_cast<int>(rule)];
}
const char* to_string(Target target) { return target == Target::after_softplus ? "after_softplus" : "before_softplus"; }
const char* to_string(Level level) {
  constexpr const char* names[] = {"channel", "position", "unit", "pixel", "channel2", "unit2"};
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
  settings.source = static_cast<Source>(choice(study, "attribution.source", "catalogue", {"catalogue", "recording", "file"}));
  settings.frames = read_frames(study, settings.source);
  settings.movie = read_movie(study, settings.source);
  settings.rule = static_cast<Rule>(choice(study, "attribution.rule", "secant", {"right", "midpoint", "trapezoid", "secant"}));
  settings.panels = static_cast<int>(study.integer("attribution.panels", settings.panels, 1, 100000));
  settings.target =
      static_cast<Target>(choice(study, "attribution.target", "after_softplus", {"after_softplus", "before_softplus"}));
  settings.baseline = static_cast<Baseline>(choice(study, "attribution.baseline", "grey", {"grey", "mean", "given"}));
  settings.baseline_contrast = study.number("attribution.baseline_contrast", settings.baseline_contrast, -100.0, 100.0);
  core::require<core::StudyError>(settings.baseline == Baseline::given || settings.baseline_contrast == 0.0,
                                  "{}: attribution.baseline_contrast is used with baseline = \"given\" only",
                                  study.where("attribution.baseline_contrast"));
  settings.baseline_frame = read_baseline_frame(study, settings);
  settings.before_ms = study.number("attribution.before_ms", settings.before_ms, 0.0, 1e6);
  settings.after_ms = study.number("attribution.after_ms", settings.after_ms, 0.0, 1e6);
  settings.bar_range_px = study.number("attribution.bar_range_px", settings.bar_range_px, 0.0, 1e4);
  settings.levels = study.choose("attribution.levels", settings.levels,
                                 {"symmetry", "channel", "position", "unit", "pixel", "channel2", "unit2"});
  // Fewer panels than an estimate needs are an explicit wish for a fixed path.
  settings.tolerance = study.number("attribution.tolerance", settings.panels >= 4 ? usual_tolerance : 0.0, 0.0, 1.0);
  core::require<core::StudyError>(
      settings.tolerance == 0 || settings.panels >= 4,
      "{}: a tolerance compares a path with a half and a quarter of its panels; panels must be at least 4",
      study.where("attribution.panels"));
  settings.max_panels = static_cast<int>(study.integer("attribution.max_panels", settings.max_panels, 1, 1000000));
  core::require<core::StudyError>(settings.max_panels >= settings.panels, "{}: attribution.max_panels = {} is below panels = {}",
                                  study.where("attribution.max_panels"), settings.max_panels, settings.panels);
  settings.block_windows = static_cast<int>(study.integer("attribution.block_windows", settings.block_windows, 1, 4096));
  read_storage(study, settings);
  check_second_layer(study, settings);
  return settings;
}

}  // namespace amacrine::attribution
