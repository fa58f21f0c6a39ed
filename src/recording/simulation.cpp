// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/simulation.hpp"

#include "amacrine/parallel/dealt_tasks.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/recording/spikes.hpp"
#include "amacrine/stimulus/ensemble.hpp"
#include "simulated_cell.hpp"
#include "simulation_file.hpp"

#include <cmath>

namespace amacrine::recording {

namespace {

constexpr std::size_t seconds_at_once = 24;  ///< stimulus of a task: 6 MB

std::size_t frames_per_second(const SimulationPlan& plan) {
  return static_cast<std::size_t>(std::llround(1000.0 / plan.screen.frame_ms));
}

/// Second number `second` of a part's movie, quantised. Train and test have movies of their own.
void make_second(const SimulationSettings& settings, const SimulationPlan& plan, const SimulatedPart& part, std::size_t second,
                 std::vector<std::uint8_t>& pixels) {
  const std::size_t frames = frames_per_second(plan);
  const std::uint64_t seed = 2 * settings.seed + (part.test() ? 1 : 0);
  std::vector<float> contrast(frames * static_cast<std::size_t>(plan.screen.height) *
                              static_cast<std::size_t>(plan.screen.width));
  if (settings.ensemble == "white")
    stimulus::white_frames({}, seed, second * frames, frames, plan.screen, contrast.data());
  else
    stimulus::natural_fixation({}, seed, second, plan.screen, contrast.data());
  for (float value : contrast) pixels.push_back(stimulus::quantise(value, plan.coding.zero, plan.coding.unit));
}

/// Collective. Makes and writes the movies of all parts.
void make_movies(const parallel::Communicator& communicator, const SimulationSettings& settings, const SimulationPlan& plan,
                 const std::vector<SimulatedPart>& parts, io::ResultWriter& writer) {
  const std::size_t frames = frames_per_second(plan);
  const auto height = static_cast<std::size_t>(plan.screen.height), width = static_cast<std::size_t>(plan.screen.width);
  std::vector<std::pair<const SimulatedPart*, parallel::Range>> pieces;
  parallel::TaskList tasks{"simulate stimulus", "pieces", {}};
  for (const SimulatedPart& part : parts)
    for (std::size_t first = 0, seconds = part.frames / frames; first < seconds; first += seconds_at_once) {
      pieces.push_back({&part, {first, std::min(seconds, first + seconds_at_once)}});
      tasks.costs.push_back(static_cast<double>(pieces.back().second.size()));
    }
  parallel::run_dealt<double>(communicator, tasks, [&](std::size_t task, std::vector<double>&) {
    const auto& [part, piece] = pieces[task];
    std::vector<std::uint8_t> pixels;
    for (std::size_t second = piece.begin; second < piece.end; ++second) make_second(settings, plan, *part, second, pixels);
    writer.write<std::uint8_t>(part->name + "/stimulus", std::span<const std::uint8_t>(pixels), {piece.begin * frames, 0, 0},
                               {piece.size() * frames, height, width});
    return part->name;
  });
}

/// Collective. Shows every part's movie to every cell. What the cells did in the first part.
std::vector<SimulatedActivity> run_cells(const parallel::Communicator& communicator, const SimulationSettings& settings,
                                         const SimulationPlan& plan, const std::vector<SimulatedPart>& parts,
                                         io::ResultWriter& writer) {
  std::vector<CellOfPart> cells;
  parallel::TaskList tasks{"simulate cells", "cells of a part", {}};
  for (const SimulatedPart& part : parts)
    for (std::size_t n = 0; n < settings.cells.size(); ++n) {
      cells.emplace_back(settings, plan, part, n);
      tasks.costs.push_back(cells.back().cost());
    }
  const auto did = parallel::run_dealt<double>(communicator, tasks, [&](std::size_t task, std::vector<double>& values) {
    const std::vector<double> activity = cells[task].run(writer, parallel::stop_asked);
    values.insert(values.end(), activity.begin(), activity.end());
    return settings.cells[task % settings.cells.size()].name;
  });
  std::vector<SimulatedActivity> activities;
  for (std::size_t n = 0; n < settings.cells.size(); ++n)
    activities.push_back({settings.cells[n].name, settings.cells[n].circuit, did.of(n)[0], did.of(n)[1], did.of(n)[2]});
  return activities;
}

/// Throws InputError for a unit whose receptive field lies off the screen.
void require_on_screen(const SimulationSettings& settings, const stimulus::Screen& screen) {
  for (const SimulatedCell& cell : settings.cells)
    for (const CircuitUnit& unit : settings.circuit_of(cell).units) unit.spatial(screen, {cell.y, cell.x});
}

}  // namespace

SimulationPlan plan_simulation(const SimulationSettings& settings) {
  SimulationPlan plan;
  require_on_screen(settings, plan.screen);
  const std::size_t frames = frames_per_second(plan);
  plan.train_frames = frames * static_cast<std::size_t>(std::max(1L, std::lround(60.0 * settings.train_minutes)));
  plan.test_frames = frames * static_cast<std::size_t>(std::max(1L, std::lround(settings.test_seconds)));
  const double pixels = static_cast<double>(plan.screen.height) * plan.screen.width,
               cells = static_cast<double>(settings.cells.size());
  const double repeats = settings.repeats, rates = static_cast<double>(smoothing_ms.size());
  plan.bytes = static_cast<double>(plan.train_frames) * (pixels + 8 + cells * (1 + 4 * rates + 4)) +
               static_cast<double>(plan.test_frames) * (pixels + 8 + cells * (4 + 4 * rates + 4 + repeats * (1 + 4 * rates)));
  return plan;
}

std::vector<SimulatedActivity> simulate_recording(const parallel::Communicator& communicator, const SimulationSettings& settings,
                                                  const std::string& path, const io::Provenance& provenance) {
  const SimulationPlan plan = plan_simulation(settings);
  io::ResultWriter writer(communicator, path, "recording", provenance);
  declare_recording(writer, settings, plan);
  writer.create();
  if (communicator.root()) write_axes(writer, settings, plan);
  const std::vector<SimulatedPart> parts{{"train", plan.train_frames, 1},
                                         {"test", plan.test_frames, static_cast<std::size_t>(settings.repeats)}};
  make_movies(communicator, settings, plan, parts, writer);
  writer.share();
  std::vector<SimulatedActivity> activities = run_cells(communicator, settings, plan, parts, writer);
  writer.finish();
  return activities;
}

}  // namespace amacrine::recording
