// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/plan.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/numbers.hpp"
#include "folding.hpp"
#include "rays.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::attribution {
namespace {

using stimulus::Condition;
using stimulus::Family;

std::vector<int> choose_cells(const AttributionSettings& settings, const model::Model& model) {
  std::vector<std::string> names;
  std::vector<int> all;
  for (const recording::Cell& cell : model.cells) {
    all.push_back(static_cast<int>(names.size()));
    names.push_back(cell.name);
  }
  if (settings.cells.empty()) return all;
  std::vector<int> chosen;
  for (const std::string& name : settings.cells) {
    const auto found = std::find(names.begin(), names.end(), name);
    core::require<core::StudyError>(found != names.end(), "attribution.cells: there is no cell \"{}\"; the model has {}", name,
                                    fmt::join(names, ", "));
    chosen.push_back(static_cast<int>(found - names.begin()));
  }
  return chosen;
}

/// A condition is asked for by its name, its family, or the phenomenon it is for ("anticipation": moving and flashed bars).
bool asked_for(const Condition& condition, const std::string& word) {
  const bool bar = condition.family == Family::moving_bar || condition.family == Family::flashed_bar;
  return condition.name == word || stimulus::family_name(condition.family) == word || (word == "anticipation" && bar);
}

std::vector<Condition> choose_stimuli(const AttributionSettings& settings, const std::vector<Condition>& catalogue) {
  for (const std::string& word : settings.stimuli) {
    const bool any = std::any_of(catalogue.begin(), catalogue.end(), [&](const Condition& c) { return asked_for(c, word); });
    std::vector<std::string> known;
    for (const Condition& condition : catalogue) {
      known.push_back(condition.name);
      known.push_back(stimulus::family_name(condition.family));
    }
    core::require<core::StudyError>(any, "attribution.stimuli: the catalogue of [probe] has no \"{}\"; nearest: \"{}\"", word,
                                    core::nearest_word(word, known));
  }
  std::vector<Condition> chosen;
  for (const Condition& condition : catalogue)
    if (std::any_of(settings.stimuli.begin(), settings.stimuli.end(),
                    [&](const std::string& w) { return asked_for(condition, w); }))
      chosen.push_back(condition);
  return chosen;
}

int frame_nearest_to_centre(const std::vector<double>& bar_px) {
  int best = -1;
  for (std::size_t t = 0; t < bar_px.size(); ++t)
    if (std::isfinite(bar_px[t]) && (best < 0 || std::abs(bar_px[t]) < std::abs(bar_px[static_cast<std::size_t>(best)])))
      best = static_cast<int>(t);
  return best;
}

bool moves_through(const Condition& condition) {
  return condition.family == Family::moving_bar || condition.family == Family::reversal_smooth;
}

int reference_event(const Condition& condition) {
  if (moves_through(condition)) return frame_nearest_to_centre(condition.bar_px);
  for (const char* name : {"last_flash", "reversal", "onset"})
    if (condition.event(name) >= 0) return condition.event(name);
  return -1;
}

/// First frame and one past the last one that are attributed.
std::pair<std::size_t, std::size_t> frames_of(const Condition& condition, int event, const AttributionSettings& settings,
                                              double frame_ms) {
  const auto frames = static_cast<std::ptrdiff_t>(condition.frames);
  std::ptrdiff_t first = 0, last = frames;
  if (moves_through(condition)) {
    const auto near = [&](double px) { return std::abs(px) <= settings.bar_range_px; };
    first = std::find_if(condition.bar_px.begin(), condition.bar_px.end(), near) - condition.bar_px.begin();
    last = condition.bar_px.rend() - std::find_if(condition.bar_px.rbegin(), condition.bar_px.rend(), near);
  } else if (event >= 0) {
    first = std::max<std::ptrdiff_t>(0, event - static_cast<std::ptrdiff_t>(std::lround(settings.before_ms / frame_ms)));
    last = std::min(frames, event + std::max<std::ptrdiff_t>(1, std::lround(settings.after_ms / frame_ms)));
  }
  core::require<core::StudyError>(first < last, "attribution: no frame of {} lies in the asked-for window", condition.name);
  return {static_cast<std::size_t>(first), static_cast<std::size_t>(last)};
}

/// Largest departure of s - s0 from a symmetry, in normalised contrast.
bool holds(stimulus::Symmetry symmetry, const core::Array<float, 3>& contrast, const recording::Normalisation& normalisation) {
  const std::size_t pixels = contrast.extent(1) * contrast.extent(2);
  std::vector<float> seen(contrast.values());
  for (std::size_t i = 0; i < seen.size(); ++i)
    seen[i] = static_cast<float>(seen[i] / normalisation.scale[normalisation.scale.size() == 1 ? 0 : i % pixels]);
  return stimulus::symmetry_deviation(seen, contrast.extent(1), contrast.extent(2), symmetry) <= symmetry_tolerance;
}

stimulus::Symmetry verified(const Condition& condition, const AttributionSettings& settings, const model::Model& model,
                            const stimulus::Centre& centre) {
  stimulus::Symmetry symmetry = condition.symmetry;
  if (symmetry == stimulus::Symmetry::none) return symmetry;
  // From a baseline that is not uniform over the pixels no stimulus is symmetric.
  const bool uniform_start =
      settings.baseline_frame.file.empty() && (settings.baseline == Baseline::grey || model.normalisation.scale.size() == 1);
  if (uniform_start && holds(symmetry, stimulus::render(condition, model.screen, centre).contrast, model.normalisation))
    return symmetry;
  core::warn("attribution: {} is not {} as the network sees it; it is stored without its symmetry", condition.name,
             symmetry == stimulus::Symmetry::full_field ? "uniform" : "uniform along y");
  return stimulus::Symmetry::none;
}

/// The second layer's levels are for networks that have one.
void require_layers(const AttributionSettings& settings, const model::Model& model) {
  const int layers = model.architecture.layers();
  core::require<core::StudyError>(
      !of_second_layer(settings.levels) || layers >= 2,
      "attribution.levels = \"{}\" is of the second layer, and the {} model of {} has {} hidden layer{}; ask for \"channel\", "
      "\"unit\" or \"pixel\"",
      settings.levels, model.kind, model.cells.front().name, layers, layers == 1 ? "" : "s");
}

Level level_of(stimulus::Symmetry symmetry, const AttributionSettings& settings, bool one_unit_per_channel) {
  if (settings.levels == "channel2") return Level::channel2;
  if (settings.levels == "unit2") return Level::unit2;
  if (settings.levels == "pixel") return Level::pixel;
  if (one_unit_per_channel) return Level::channel;
  if (settings.levels == "unit") return Level::unit;
  if (settings.levels == "position") return Level::position;
  if (settings.levels == "channel" || symmetry == stimulus::Symmetry::full_field) return Level::channel;
  return symmetry == stimulus::Symmetry::along_y ? Level::position : Level::unit;
}

/// One showing per distinct centre among the cells, in the cells' order.
void add_showings(Plan& plan, std::size_t stimulus, const std::vector<stimulus::Centre>& centres) {
  const bool placed = !plan.stimuli[stimulus].condition.bar_px.empty();
  const auto begin = static_cast<std::ptrdiff_t>(plan.showings.size());
  for (std::size_t n = 0; n < centres.size(); ++n) {
    const auto found = std::find_if(plan.showings.begin() + begin, plan.showings.end(), [&](const Showing& s) {
      return !placed || (s.centre.y == centres[n].y && s.centre.x == centres[n].x);
    });
    if (found == plan.showings.end()) {
      plan.showings.push_back({stimulus, {static_cast<int>(n)}, centres[n], 0, {}});
    } else {
      found->cells.push_back(static_cast<int>(n));
    }
  }
}

void number_tasks(Plan& plan) {
  for (std::size_t s = 0; s < plan.showings.size(); ++s) {
    Showing& showing = plan.showings[s];
    if (s > 0 && plan.showings[s - 1].stimulus == showing.stimulus) {
      showing.first_task = plan.showings[s - 1].first_task;
      continue;
    }
    showing.first_task = plan.tasks;
    plan.tasks += (plan.stimuli[showing.stimulus].windows + plan.block_windows - 1) / plan.block_windows;
  }
}

/// Frame of a time; the nearest, so that times in whole frames are exact.
std::size_t frame_at(double seconds, double frame_ms) {
  return static_cast<std::size_t>(std::llround(1000.0 * seconds / frame_ms));
}

PlannedStimulus plan_movie(const AttributionSettings& settings, const model::Model& model, const Movie& movie) {
  const FrameSettings& asked = settings.frames;
  const double frame_ms = model.screen.frame_ms;
  // Earlier windows would begin before the movie, where nobody knows what was shown.
  const std::size_t whole = core::as_size(model.architecture.history - 1 + model.minimum_lag);
  const double seconds = static_cast<double>(movie.frames) * frame_ms / 1000.0;
  PlannedStimulus stimulus;
  stimulus.condition.name = movie.name;
  stimulus.condition.symmetry = stimulus::Symmetry::none;
  stimulus.condition.frames = movie.frames;
  stimulus.movie = movie;
  const std::size_t end = asked.to_s > 0 ? frame_at(asked.to_s, frame_ms) : movie.frames;
  core::require<core::StudyError>(end <= movie.frames, "attribution.to_s = {}: {} lasts {} s", asked.to_s, movie.name, seconds);
  stimulus.first_frame = std::max(whole, frame_at(asked.from_s, frame_ms));
  stimulus.every = core::as_size(asked.every);
  if (asked.times_s.empty()) {
    core::require<core::StudyError>(stimulus.first_frame < end,
                                    "attribution.from_s = {}: {} lasts {} s, and its first whole window ends at {} s",
                                    asked.from_s, movie.name, seconds, static_cast<double>(whole) * frame_ms / 1000.0);
    stimulus.windows = (end - stimulus.first_frame + stimulus.every - 1) / stimulus.every;
    return stimulus;
  }
  for (double time : asked.times_s) {
    const bool inside = time >= 0 && frame_at(time, frame_ms) >= whole && frame_at(time, frame_ms) < movie.frames;
    core::require<core::StudyError>(inside, "attribution.times_s holds {}: whole windows of {} end from {} s to {} s", time,
                                    movie.name, static_cast<double>(whole) * frame_ms / 1000.0, seconds);
    stimulus.listed.push_back(frame_at(time, frame_ms));
  }
  stimulus.windows = stimulus.listed.size();
  stimulus.first_frame = stimulus.listed.front();
  return stimulus;
}

PlannedStimulus plan_condition(const AttributionSettings& settings, const model::Model& model, const stimulus::Centre& centre,
                               const Condition& condition) {
  PlannedStimulus stimulus;
  stimulus.event_frame = reference_event(condition);
  const auto [first, last] = frames_of(condition, stimulus.event_frame, settings, model.screen.frame_ms);
  stimulus.symmetry = verified(condition, settings, model, centre);
  stimulus.first_frame = first;
  stimulus.windows = last - first;
  stimulus.condition = condition;
  return stimulus;
}

/// Places a stimulus's windows after those of the earlier ones.
void add_stimulus(Plan& plan, PlannedStimulus stimulus, Level level) {
  stimulus.level = level;
  stimulus.first_window = plan.windows;
  stimulus.first_stored = plan.stored[static_cast<int>(level)];
  plan.windows += stimulus.windows;
  plan.stored[static_cast<int>(level)] += stimulus.windows;
  plan.stimuli.push_back(std::move(stimulus));
}

}  // namespace

Task Plan::task(std::size_t id) const {
  const auto after = std::upper_bound(showings.begin(), showings.end(), id,
                                      [](std::size_t task, const Showing& showing) { return task < showing.first_task; });
  auto at = static_cast<std::size_t>(after - showings.begin()) - 1;
  std::size_t count = 1;
  for (; at > 0 && showings[at - 1].first_task == showings[at].first_task; --at) ++count;
  const std::size_t first = (id - showings[at].first_task) * block_windows;
  return {at, count, first, std::min(block_windows, stimuli[showings[at].stimulus].windows - first)};
}

Plan make_plan(const AttributionSettings& settings, const std::vector<Condition>& catalogue, const model::Model& model,
               const Movie& movie) {
  require_layers(settings, model);
  Plan plan;
  plan.screen = model.screen;
  plan.cells = choose_cells(settings, model);
  plan.block_windows = core::as_size(settings.block_windows);
  std::vector<stimulus::Centre> centres;
  const stimulus::Centre middle{0.5 * (model.screen.height - 1), 0.5 * (model.screen.width - 1)};
  for (int cell : plan.cells) centres.push_back(model.cells[core::as_size(cell)].centre.value_or(middle));
  const model::Architecture& a = model.architecture;
  const bool one_unit = a.layers() == 0 || (a.out_y(0) == 1 && a.out_x(0) == 1);
  const auto add = [&](PlannedStimulus stimulus) {
    const Level level = level_of(stimulus.symmetry, settings, one_unit);
    add_stimulus(plan, std::move(stimulus), level);
    add_showings(plan, plan.stimuli.size() - 1, centres);
  };
  if (movie.frames > 0) {
    add(plan_movie(settings, model, movie));
  } else {
    for (const Condition& condition : choose_stimuli(settings, catalogue))
      add(plan_condition(settings, model, centres.front(), condition));
  }
  join_rays(settings, plan);
  number_tasks(plan);
  return plan;
}

}  // namespace amacrine::attribution
