// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/recording/simulation.hpp"
#include "drivers/verbs.hpp"

#include <algorithm>

namespace amacrine::drivers {

namespace {

void describe(const recording::SimulationSettings& settings, const recording::SimulationPlan& plan, const std::string& path) {
  const double seconds = plan.screen.frame_ms / 1000.0;
  core::log("simulate: {} ensemble, {} frames of training ({}) and {} of test ({}) x {} repeats, {} x {} pixels",
            settings.ensemble, plan.train_frames, core::human_seconds(static_cast<double>(plan.train_frames) * seconds),
            plan.test_frames, core::human_seconds(static_cast<double>(plan.test_frames) * seconds), settings.repeats,
            plan.screen.height, plan.screen.width);
  for (const recording::SimulatedCell& cell : settings.cells)
    core::log("  cell {:26} circuit {:26} centre y {:.1f} x {:.1f} px", cell.name, cell.circuit, cell.y, cell.x);
  core::log("  {} in {}", core::human_bytes(plan.bytes), path);
}

/// Circuits that no cell has make no difference.
std::vector<std::string> simulation_tables(const recording::SimulationSettings& settings) {
  std::vector<std::string> tables = tables_of("simulate");
  for (const recording::Circuit& own : settings.circuits)
    if (std::none_of(settings.cells.begin(), settings.cells.end(), [&](const auto& cell) { return cell.circuit == own.name; }))
      tables.push_back("!simulation.circuits." + own.name);
  return tables;
}

}  // namespace

/// Shows an ensemble to circuits of known mechanism and records their spikes in the lab's layout.
int simulate(Context& context) {
  const recording::SimulationSettings& settings = context.settings.simulation;
  const recording::SimulationPlan plan = recording::plan_simulation(settings);
  const std::string path = context.output("recording.h5");
  describe(settings, plan, path);
  const io::Provenance provenance =
      io::make_provenance(context.world, context.study, "simulate", simulation_tables(settings), {});
  const std::optional<io::OutputLock> lock = context.claim(path, provenance);
  if (!lock) return 0;
  io::require_space(context.world, path, static_cast<std::size_t>(plan.bytes));
  if (context.options.dry_run) return 0;

  const double start = core::wall_seconds();
  for (const recording::SimulatedActivity& cell : recording::simulate_recording(context.world, settings, path, provenance))
    core::log("  cell {:26} mean {:5.1f} Hz, max {:5.0f} Hz, {:.0f} spikes", cell.name, cell.mean_hz, cell.max_hz, cell.spikes);
  core::log("simulate: wrote {} in {}", path, core::human_seconds(core::wall_seconds() - start));
  return 0;
}

}  // namespace amacrine::drivers
