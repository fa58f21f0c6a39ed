// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/simulation.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/stimulus/ensemble.hpp"
#include "simulated_cell.hpp"
#include "simulation_file.hpp"

#include <cmath>

namespace amacrine::recording {

namespace {

constexpr std::size_t seconds_at_once = 24;  ///< stimulus made between two exchanges: 6 MB

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

/// Collective. Seconds [first, first + count) of a part's movie on every rank, each made by one of them, who writes it.
std::vector<std::uint8_t> make_block(const parallel::Communicator& communicator, const SimulationSettings& settings,
                                     const SimulationPlan& plan, const SimulatedPart& part, std::size_t first, std::size_t count,
                                     io::ResultWriter& writer) {
  const parallel::Range mine = communicator.owned(count);
  std::vector<std::uint8_t> pixels;
  for (std::size_t second = mine.begin; second < mine.end; ++second) make_second(settings, plan, part, first + second, pixels);
  const std::size_t frames = frames_per_second(plan);
  if (mine.size() > 0)
    writer.write<std::uint8_t>(
        part.name + "/stimulus", std::span<const std::uint8_t>(pixels), {(first + mine.begin) * frames, 0, 0},
        {mine.size() * frames, static_cast<std::size_t>(plan.screen.height), static_cast<std::size_t>(plan.screen.width)});
  return communicator.size() == 1 ? pixels : communicator.gather_all(std::span<const std::uint8_t>(pixels));
}

/// Collective. Runs one part; returns what this rank's cells did.
std::vector<SimulatedActivity> run_part(const parallel::Communicator& communicator, const SimulationSettings& settings,
                                        const SimulationPlan& plan, const SimulatedPart& part, io::ResultWriter& writer,
                                        core::Progress& progress, double before) {
  const parallel::Range mine = communicator.owned(settings.cells.size());
  std::vector<CellOfPart> cells;
  for (std::size_t cell = mine.begin; cell < mine.end; ++cell) cells.emplace_back(settings, plan, part, cell);
  const std::size_t frames = frames_per_second(plan), seconds = part.frames / frames;
  for (std::size_t first = 0; first < seconds; first += seconds_at_once) {
    parallel::throw_if_stopped(communicator);
    const std::size_t count = std::min(seconds_at_once, seconds - first);
    const std::vector<std::uint8_t> pixels = make_block(communicator, settings, plan, part, first, count, writer);
    for (CellOfPart& cell : cells) cell.run(writer, pixels);
    progress.update(before + static_cast<double>(first + count), part.name);
  }
  std::vector<SimulatedActivity> activities;
  activities.reserve(settings.cells.size());
  for (const CellOfPart& cell : cells) activities.push_back(cell.activity());
  return activities;
}

/// Collective. The activity of all cells on every rank.
std::vector<SimulatedActivity> gather(const parallel::Communicator& communicator, const SimulationSettings& settings,
                                      const std::vector<SimulatedActivity>& mine) {
  std::vector<double> local;
  for (const SimulatedActivity& activity : mine) local.insert(local.end(), {activity.mean_hz, activity.max_hz, activity.spikes});
  const std::vector<double> all = communicator.gather_all(std::span<const double>(local));
  std::vector<SimulatedActivity> activities;
  activities.reserve(settings.cells.size());
  for (std::size_t n = 0; n < settings.cells.size(); ++n)
    activities.push_back({settings.cells[n].name, settings.cells[n].circuit, all[3 * n], all[3 * n + 1], all[3 * n + 2]});
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
  const std::size_t frames = frames_per_second(plan);
  io::ResultWriter writer(communicator, path, "recording", provenance);
  declare_recording(writer, settings, plan);
  writer.create();
  if (communicator.root()) write_axes(writer, settings, plan);
  const std::size_t train_seconds = plan.train_frames / frames, test_seconds = plan.test_frames / frames;
  std::vector<SimulatedActivity> mine;
  {
    core::Progress progress("simulate", static_cast<double>(train_seconds + test_seconds), "s of stimulus");
    mine = run_part(communicator, settings, plan, {"train", plan.train_frames, 1}, writer, progress, 0);
    run_part(communicator, settings, plan, {"test", plan.test_frames, static_cast<std::size_t>(settings.repeats)}, writer,
             progress, train_seconds);
  }
  writer.finish();
  return gather(communicator, settings, mine);
}

}  // namespace amacrine::recording
