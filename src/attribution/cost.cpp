// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/cost.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/numbers.hpp"
#include "screening.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace amacrine::attribution {
namespace {

template <class S>
std::string how(const PlannedStimulus& stimulus, const Showing& showing, Attributor<S>& attributor) {
  const char* saving[] = {"plain", "folded to one pixel", "folded along y"};
  const stimulus::Symmetry axes = attributor.folded(stimulus.symmetry, stimulus.level);
  return fmt::format("{} level, {}, one forward and {} backward", to_string(stimulus.level), saving[static_cast<int>(axes)],
                     showing.cells.size());
}

CostPart& part_of(Cost& cost, const std::string& name, std::size_t showing) {
  const auto found = std::find_if(cost.parts.begin(), cost.parts.end(), [&](const CostPart& part) { return part.how == name; });
  if (found != cost.parts.end()) return *found;
  cost.parts.push_back({name, 0, 0, 0, showing});
  return cost.parts.back();
}

/// Host copies of a block's results: sums in double, units and pixels as float.
double block_bytes(const FirstLayerFacts& layer, const PlannedStimulus& stimulus, double windows, double cells, double pixels) {
  const double columns = static_cast<double>(layer.channels * layer.columns), units = columns * static_cast<double>(layer.rows);
  double values = 2 * 3 * columns;  // doubles, in floats
  if (stimulus.level == Level::unit || stimulus.level == Level::pixel) values += 7 * units;
  if (stimulus.level == Level::pixel) values += 2 * pixels;
  return sizeof(float) * windows * cells * values;
}

constexpr double decimal_gb = 1e9;
constexpr int fewer = 64;  ///< kept of a row in the advice

Plan at_channel_level(Plan plan) {
  std::fill(std::begin(plan.stored), std::end(plan.stored), std::size_t{0});
  for (PlannedStimulus& stimulus : plan.stimuli) {
    stimulus.level = Level::channel;
    stimulus.first_stored = stimulus.first_window;
  }
  plan.stored[static_cast<int>(Level::channel)] = plan.windows;
  return plan;
}

}  // namespace

template <class S>
Cost cost_of(const Plan& plan, Attributor<S>& attributor) {
  Cost cost;
  const FirstLayerFacts layer = first_layer_facts(attributor.plain());
  const PathNetwork<S>& plain = attributor.plain().network();
  const double pixels = static_cast<double>(plain.history) * plain.height * plain.width;
  double block = 0;
  for (std::size_t s = 0; s < plan.showings.size(); ++s) {
    const Showing& showing = plan.showings[s];
    const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
    const BlockAttributor<S>& engine = attributor.engine(stimulus.symmetry, stimulus.level);
    const std::size_t cells = showing.cells.size(), windows = std::min(plan.block_windows, stimulus.windows);
    CostPart& part = part_of(cost, how(stimulus, showing, attributor), s);
    const double work =
        static_cast<double>(stimulus.windows) * PathIntegrator<S>::multiply_adds(engine.network(), cells, engine.quadrature());
    part.rows += stimulus.windows * cells;
    part.multiply_adds += work;
    cost.multiply_adds += work;
    block = std::max(block, PathIntegrator<S>::bytes(engine.network(), windows, cells, engine.quadrature()) +
                                block_bytes(layer, stimulus, static_cast<double>(windows), static_cast<double>(cells), pixels));
  }
  cost.memory_bytes = block + Screening::bytes(plan, core::as_size(plain.history - 1 + plain.minimum_lag));
  return cost;
}

template <class S>
void estimate_seconds(const Plan& plan, Attributor<S>& attributor, Cost& cost) {
  const PathNetwork<S>& plain = attributor.plain().network();
  Screening screening(plan, core::as_size(plain.history - 1 + plain.minimum_lag));
  for (CostPart& part : cost.parts) {
    const Showing& showing = plan.showings[part.showing];
    const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
    const std::size_t most = stimulus.every == 1 && stimulus.listed.empty() ? std::min<std::size_t>(4, plan.block_windows) : 1,
                      windows = std::min(most, stimulus.windows);
    std::vector<int> cells;
    for (int cell : showing.cells) cells.push_back(plan.cells[core::as_size(cell)]);
    BlockAttributor<S>& engine = attributor.engine(stimulus.symmetry, stimulus.level);
    const std::size_t first = stimulus.frame(0);
    const auto& contrast = screening.show(part.showing, first, windows, attributor.folded(stimulus.symmetry, stimulus.level));
    double started = 0;
    for (int warm = 0; warm < 2; ++warm) {  // the first call allocates
      started = core::wall_seconds();
      engine.attribute(contrast, first - screening.first(), windows, cells, stimulus.level);
    }
    part.seconds =
        (core::wall_seconds() - started) * static_cast<double>(part.rows) / static_cast<double>(windows * showing.cells.size());
  }
}

void require_size(const Plan& plan, const AttributionSettings& settings, std::size_t bytes,
                  const std::function<std::size_t(const Plan&, const AttributionSettings&)>& bytes_of) {
  const auto gb = [](std::size_t n) { return static_cast<double>(n) / decimal_gb; };
  if (gb(bytes) <= settings.largest_file_gb) return;
  std::vector<std::string> advice;
  const auto advise = [&](const std::string& keys, const Plan& other, const AttributionSettings& asked) {
    const std::size_t less = bytes_of(other, asked);
    if (gb(less) <= settings.largest_file_gb)
      advice.push_back(fmt::format("{} ({})", keys, core::human_bytes(static_cast<double>(less))));
  };
  AttributionSettings top = settings, one = settings;
  top.storage = Storage::top;
  top.top = fewer;
  if (!top.wants("attribution")) top.quantities.emplace_back("attribution");
  one.quantities = {"attribution"};
  advise("levels = \"channel\"", at_channel_level(plan), settings);
  advise(fmt::format("storage = \"top\" with top = {}", fewer), plan, top);
  advise("quantities = [\"attribution\"]", plan, one);
  if (settings.source != Source::catalogue)
    advice.push_back(
        fmt::format("every = {} (fewer frames)", std::ceil(settings.frames.every * gb(bytes) / settings.largest_file_gb)));
  if (advice.empty()) advice.emplace_back("fewer stimuli or cells");
  core::fail<core::RefusedError>(
      "attribution: {} windows x {} cells would make a file of {} ({} bytes), and attribution.largest_file_gb is {}. Ask for {}, "
      "or "
      "allow a larger file",
      plan.windows, plan.cells.size(), core::human_bytes(static_cast<double>(bytes)), bytes, settings.largest_file_gb,
      fmt::join(advice, ", or for "));
}

#define AMACRINE_INSTANTIATE(S)                       \
  template Cost cost_of(const Plan&, Attributor<S>&); \
  template void estimate_seconds(const Plan&, Attributor<S>&, Cost&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
