// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/plan.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::attribution {
namespace {

using stimulus::Condition;
using stimulus::Family;

constexpr double symmetry_tolerance = 1e-6;

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
  const bool uniform_start = settings.baseline == Baseline::grey || model.normalisation.scale.size() == 1;
  if (uniform_start && holds(symmetry, stimulus::render(condition, model.screen, centre).contrast, model.normalisation))
    return symmetry;
  core::warn("attribution: {} is not {} as the network sees it; it is stored without its symmetry", condition.name,
             symmetry == stimulus::Symmetry::full_field ? "uniform" : "uniform along y");
  return stimulus::Symmetry::none;
}

Level level_of(stimulus::Symmetry symmetry, const AttributionSettings& settings, bool one_unit_per_channel) {
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
      plan.showings.push_back({stimulus, {static_cast<int>(n)}, centres[n]});
    } else {
      found->cells.push_back(static_cast<int>(n));
    }
  }
}

void add_tasks(Plan& plan, std::size_t block) {
  for (std::size_t s = 0; s < plan.showings.size(); ++s) {
    const std::size_t windows = plan.stimuli[plan.showings[s].stimulus].windows;
    for (std::size_t first = 0; first < windows; first += block)
      plan.tasks.push_back({s, first, std::min(block, windows - first)});
  }
}

}  // namespace

Plan make_plan(const AttributionSettings& settings, const std::vector<Condition>& catalogue, const model::Model& model) {
  Plan plan;
  plan.screen = model.screen;
  plan.cells = choose_cells(settings, model);
  std::vector<stimulus::Centre> centres;
  const stimulus::Centre middle{0.5 * (model.screen.height - 1), 0.5 * (model.screen.width - 1)};
  for (int cell : plan.cells) centres.push_back(model.cells[static_cast<std::size_t>(cell)].centre.value_or(middle));
  const model::Architecture& a = model.architecture;
  const bool one_unit = a.layers() == 0 || (a.out_y(0) == 1 && a.out_x(0) == 1);
  for (Condition& condition : choose_stimuli(settings, catalogue)) {
    PlannedStimulus stimulus;
    stimulus.event_frame = reference_event(condition);
    const auto [first, last] = frames_of(condition, stimulus.event_frame, settings, model.screen.frame_ms);
    stimulus.symmetry = verified(condition, settings, model, centres.front());
    stimulus.level = level_of(stimulus.symmetry, settings, one_unit);
    stimulus.first_frame = first;
    stimulus.windows = last - first;
    stimulus.first_window = plan.windows;
    stimulus.first_stored = plan.stored[static_cast<int>(stimulus.level)];
    stimulus.condition = std::move(condition);
    plan.windows += stimulus.windows;
    plan.stored[static_cast<int>(stimulus.level)] += stimulus.windows;
    plan.stimuli.push_back(std::move(stimulus));
    add_showings(plan, plan.stimuli.size() - 1, centres);
  }
  add_tasks(plan, static_cast<std::size_t>(settings.block_windows));
  return plan;
}

}  // namespace amacrine::attribution
