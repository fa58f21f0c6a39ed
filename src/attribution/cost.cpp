// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/cost.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/numbers.hpp"
#include "task.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace amacrine::attribution {
namespace {

/// Multiply-adds of a window by forward tangents: one forward, and each channel's changes through the later layers.
template <class S>
double tangent_multiply_adds(const PathNetwork<S>& network, std::size_t cells, const Quadrature& quadrature) {
  const double forward = PathIntegrator<S>::multiply_adds(network, 0, quadrature),
               one_cell = PathIntegrator<S>::multiply_adds(network, 1, quadrature), n = static_cast<double>(cells),
               last = static_cast<double>(network.layers.back().units()), nodes = quadrature.nodes(),
               intervals = quadrature.intervals();
  const double backward = one_cell - forward - last * nodes;  // of one cell, over all intervals
  return forward + backward + last * n * (nodes + network.first().channels * intervals);
}

/// The nodes that a level needs, with an engine's rule and panels.
template <class S>
Quadrature quadrature_for(const BlockAttributor<S>& engine, Level level) {
  return make_quadrature(engine.quadrature().rule, engine.quadrature().panels, of_second_layer(level));
}

/// Multiply-adds of a window's second layer: every unit's activity at every node, for every cell.
template <class S>
double second_multiply_adds(const PathNetwork<S>& network, std::size_t cells, const Quadrature& quadrature) {
  return static_cast<double>(network.layers[1].units() * cells) * quadrature.nodes();
}

/// Memory of a block's second layer: attributions and changes in double, gradients beside the activities at the nodes, and the
/// units as they are stored.
template <class S>
double second_bytes(const PathNetwork<S>& network, const Quadrature& quadrature, Level level, std::size_t windows,
                    std::size_t cells) {
  if (!of_second_layer(level)) return 0;
  const auto M = static_cast<double>(cells);
  const double unit = sizeof(double) * (M + 1) + sizeof(S) * static_cast<double>(quadrature.intervals()) +
                      (level == Level::unit2 ? sizeof(float) * (4 * M + 1) : 0.0);
  return static_cast<double>(network.layers[1].units() * windows) * unit;
}

/// Memory of the columns' changes of a block, panel by panel, where they may go by forward tangents.
template <class S>
double column_bytes(const BlockAttributor<S>& engine, const Quadrature& quadrature, Level level, std::size_t windows,
                    std::size_t cells) {
  if (!(engine.forward_columns(cells, level) > 0)) return 0;
  const PathLayer<S>& first = engine.network().first();
  return sizeof(double) * static_cast<double>(windows * cells) * quadrature.intervals() * first.channels * first.width;
}

/// How a showing is computed, and what a window of all its stimuli costs.
template <class S>
std::pair<std::string, double> choice_of(const Plan& plan, const Showing& showing, Attributor<S>& attributor) {
  const char* folds[] = {"plain", "folded to one pixel", "folded along y"};
  const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
  const BlockAttributor<S>& engine = attributor.engine(stimulus.symmetry, stimulus.level);
  const std::size_t cells = showing.cells.size();
  const bool tangents = engine.forward_tangents(cells, stimulus.level);
  const char* fold = folds[static_cast<int>(attributor.folded(stimulus.symmetry, stimulus.level))];
  std::string how =
      fmt::format("{} level, {}, ", to_string(stimulus.level), engine.folded_first_layer() ? "first layer folded alone" : fold);
  how += tangents ? fmt::format("forward tangents for {} cells", cells) : fmt::format("one forward and {} backward", cells);
  if (const double part = engine.forward_columns(cells, stimulus.level); part > 0)
    how += fmt::format(", or forward tangents of the columns where at most {:.0f} % are driven", 100 * part);
  if (!showing.ray.empty()) how += fmt::format(", {} contrasts on one ray", showing.ray.size());
  const Quadrature quadrature = quadrature_for(engine, stimulus.level);
  double work = tangents ? tangent_multiply_adds(engine.network(), cells, quadrature)
                         : PathIntegrator<S>::multiply_adds(engine.network(), cells, quadrature);
  if (const auto& folded = engine.folded_first_layer()) {
    const PathLayer<S>& first = engine.network().first();
    work += folded->multiply_adds() - static_cast<double>(first.kernel.size()) * first.height * first.width;
  }
  if (of_second_layer(stimulus.level)) work += second_multiply_adds(engine.network(), cells, quadrature);
  if (stimulus.level == Level::pixel) {
    how += fmt::format(", pixels {}", to_string(PixelRows<S>::way(engine.network())));
    work += static_cast<double>(cells) * PixelRows<S>::multiply_adds(engine.network());
  }
  return {how, work * static_cast<double>(stimuli_of(showing).size())};
}

CostPart& part_of(Cost& cost, const std::string& name, std::size_t showing) {
  const auto found = std::find_if(cost.parts.begin(), cost.parts.end(), [&](const CostPart& part) { return part.how == name; });
  if (found != cost.parts.end()) return *found;
  cost.parts.push_back({name, 0, 0, 0, showing});
  return cost.parts.back();
}

/// Host copies of a block's results: sums in double, units and pixels as float. With a tolerance a block's pixels lie beside
/// those that have passed and those that are about to.
double block_bytes(const FirstLayerFacts& layer, const PlannedStimulus& stimulus, double windows, double cells, double pixels,
                   bool refined) {
  const double columns = static_cast<double>(layer.channels * layer.columns), units = columns * static_cast<double>(layer.rows);
  double values = 2 * 3 * columns;  // doubles, in floats
  if (stimulus.level == Level::unit || stimulus.level == Level::pixel) values += 7 * units;
  if (stimulus.level == Level::pixel) values += (refined ? 3 : 1) * pixels;
  return sizeof(float) * windows * cells * values;
}

/// s - s0 and the first layer at every place of a task's frames.
template <class S>
double first_layer_bytes(const PathNetwork<S>& network, std::size_t frames) {
  const double pixels = static_cast<double>(network.height) * network.width;
  return sizeof(S) * static_cast<double>(frames) * (2 * pixels + 2 * static_cast<double>(network.first().units()));
}

/// What pixel rows need on the way: s - s0 frame by frame, and the transposed first layer's working memory.
template <class S>
double pixel_bytes(const PathNetwork<S>& network, Level level, std::size_t frames) {
  if (level != Level::pixel) return 0;
  const double pixels = static_cast<double>(network.height) * network.width;
  return sizeof(S) * static_cast<double>(frames) * pixels + PixelRows<S>::bytes(network);
}

constexpr double decimal_gb = 1e9;
constexpr int fewer = 64;  ///< kept of a row in the advice

Plan at_level(Plan plan, Level level) {
  std::fill(std::begin(plan.stored), std::end(plan.stored), std::size_t{0});
  for (PlannedStimulus& stimulus : plan.stimuli) {
    stimulus.level = level;
    stimulus.first_stored = stimulus.first_window;
  }
  plan.stored[static_cast<int>(level)] = plan.windows;
  return plan;
}

}  // namespace

template <class S>
Cost cost_of(const Plan& plan, Attributor<S>& attributor) {
  Cost cost;
  const FirstLayerFacts layer = first_layer_facts(attributor.plain());
  const PathNetwork<S>& plain = attributor.plain().network();
  const std::size_t lead = frames_before(plain);
  const double pixels = static_cast<double>(plain.history) * plain.height * plain.width;
  double block = 0;
  for (std::size_t s = 0; s < plan.showings.size(); ++s) {
    const Showing& showing = plan.showings[s];
    const PlannedStimulus& stimulus = plan.stimuli[showing.stimulus];
    const BlockAttributor<S>& engine = attributor.engine(stimulus.symmetry, stimulus.level);
    const std::size_t cells = showing.cells.size(), windows = std::min(plan.block_windows, stimulus.windows),
                      frames = joined_frames(plan, stimulus, lead);
    const auto [how, window_work] = choice_of(plan, showing, attributor);
    const double work = static_cast<double>(stimulus.windows) * window_work;
    CostPart& part = part_of(cost, how, s);
    part.rows += stimulus.windows * cells * stimuli_of(showing).size();
    part.multiply_adds += work;
    cost.multiply_adds += work;
    const Quadrature quadrature = quadrature_for(engine, stimulus.level);
    block = std::max(
        block,
        PathIntegrator<S>::bytes(engine.network(), windows, cells, quadrature) +
            column_bytes(engine, quadrature, stimulus.level, windows, cells) +
            second_bytes(engine.network(), quadrature, stimulus.level, windows, cells) +
            block_bytes(layer, stimulus, static_cast<double>(windows), static_cast<double>(cells), pixels, engine.refines()) +
            first_layer_bytes<S>(engine.network(), frames) + pixel_bytes(engine.network(), stimulus.level, frames) +
            // Rows of showings of single cells are gathered until those of all cells are there.
            (cells == plan.cells.size() ? 0
                                        : block_bytes(layer, stimulus, static_cast<double>(windows),
                                                      static_cast<double>(plan.cells.size()), pixels, false)));
  }
  cost.memory_bytes = block + Screening::bytes(plan, lead);
  return cost;
}

template <class S>
std::vector<double> window_work(const Plan& plan, Attributor<S>& attributor) {
  std::vector<double> work;
  for (const Showing& showing : plan.showings) work.push_back(choice_of(plan, showing, attributor).second);
  return work;
}

template <class S>
void estimate_seconds(const Plan& plan, Attributor<S>& attributor, Cost& cost) {
  TaskRunner<S> runner(plan, attributor);
  for (CostPart& part : cost.parts) {
    const Showing& showing = plan.showings[part.showing];
    const std::size_t windows = std::min(plan.block_windows, plan.stimuli[showing.stimulus].windows);
    double started = 0;
    for (int call = 0; call < 2; ++call) {  // the first call allocates
      started = core::wall_seconds();
      runner.run({part.showing, 1, 0, windows}, [](const Showing&, std::size_t, const Block&) {});
    }
    part.seconds = (core::wall_seconds() - started) * static_cast<double>(part.rows) /
                   static_cast<double>(windows * showing.cells.size() * stimuli_of(showing).size());
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
  const Level coarse = of_second_layer(settings.levels) ? Level::channel2 : Level::channel;
  advise(fmt::format("levels = \"{}\"", to_string(coarse)), at_level(plan, coarse), settings);
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

#define AMACRINE_INSTANTIATE(S)                                          \
  template Cost cost_of(const Plan&, Attributor<S>&);                    \
  template std::vector<double> window_work(const Plan&, Attributor<S>&); \
  template void estimate_seconds(const Plan&, Attributor<S>&, Cost&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
