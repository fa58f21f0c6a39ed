// SPDX-License-Identifier: Apache-2.0
#include "simulation_file.hpp"

#include "amacrine/recording/circuit_definition.hpp"
#include "amacrine/recording/spikes.hpp"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace amacrine::recording {

namespace {

std::vector<double> frame_starts(std::size_t frames, double frame_ms) {
  std::vector<double> seconds(frames);
  for (std::size_t t = 0; t < frames; ++t) seconds[t] = static_cast<double>(t) * frame_ms / 1000.0;
  return seconds;
}

/// A unit of a cell's circuit, as it is written: what was planted.
struct PlantedUnit {
  std::string name;  ///< "CELL/UNIT"
  std::int32_t cell = 0, polarity = 0, sign = 0;
  double dx_px = 0;
};

std::vector<PlantedUnit> planted_units(const SimulationSettings& settings) {
  std::vector<PlantedUnit> planted;
  for (std::size_t n = 0; n < settings.cells.size(); ++n)
    for (const CircuitUnit& unit : settings.circuit_of(settings.cells[n]).units)
      planted.push_back({settings.cells[n].name + "/" + unit.name, static_cast<std::int32_t>(n), unit.polarity,
                         unit.excitatory ? 1 : -1, unit.dx_px});
  return planted;
}

/// The definition of every circuit that a cell has, once.
std::string definitions_of_cells(const SimulationSettings& settings) {
  std::string text;
  std::set<std::string> written;
  for (const SimulatedCell& cell : settings.cells)
    if (written.insert(cell.circuit).second) text += circuit_text(settings.circuit_of(cell)) + '\n';
  return text;
}

void declare_dimensions(io::ResultWriter& writer, const SimulationSettings& settings, const SimulationPlan& plan) {
  std::vector<std::string> names;
  for (const SimulatedCell& cell : settings.cells) names.push_back(cell.name);
  writer.dimension(
      {"train_time", plan.train_frames, "s", "start of the frame", frame_starts(plan.train_frames, plan.screen.frame_ms), {}});
  writer.dimension(
      {"test_time", plan.test_frames, "s", "start of the frame", frame_starts(plan.test_frames, plan.screen.frame_ms), {}});
  writer.dimension({"y", static_cast<std::size_t>(plan.screen.height), "px", "row of the stimulus", {}, {}});
  writer.dimension({"x", static_cast<std::size_t>(plan.screen.width), "px", "column of the stimulus", {}, {}});
  writer.dimension({"cell", names.size(), "1", "ganglion cell", {}, names});
  std::vector<std::string> units;
  for (const PlantedUnit& unit : planted_units(settings)) units.push_back(unit.name);
  writer.dimension({"unit", units.size(), "1", "unit of a cell's circuit", {}, units});
  writer.dimension({"repeat", static_cast<std::size_t>(settings.repeats), "1", "trial of the test part", {}, {}});
}

void declare_part(io::ResultWriter& writer, const std::string& part) {
  // The axis lies in the root group, where every group sees it; part/time is what readers of the layout look for.
  const std::string time = part + "_time";
  const bool test = part == "test";
  writer.variable({part + "/time", io::Type::float64, {time}, "s", "start of the frame", {}});
  writer.variable(
      {part + "/stimulus", io::Type::uint8, {time, "y", "x"}, "1", "movie, round(contrast_zero + contrast_unit contrast)", {}});
  writer.variable({part + "/response/binned",
                   test ? io::Type::float32 : io::Type::uint8,
                   {"cell", time},
                   "spikes",
                   test ? "spikes per bin, mean over trials" : "spikes per bin",
                   {}});
  for (int width : smoothing_ms) {
    const std::string name = fmt::format("firing_rate_{}ms", width);
    const std::string text = fmt::format("firing rate, Gaussian of {} ms{}", width, test ? ", mean over trials" : "");
    writer.variable({fmt::format("{}/response/{}", part, name), io::Type::float32, {"cell", time}, "Hz", text, {}});
    if (test)
      writer.variable({fmt::format("test/repeats/{}", name),
                       io::Type::float32,
                       {"repeat", "cell", time},
                       "Hz",
                       "firing rate of each trial",
                       {}});
  }
  writer.variable(
      {fmt::format("simulated/{}/rate", part), io::Type::float32, {"cell", time}, "Hz", "noiseless rate of the circuit", {}});
}

void write_units(io::ResultWriter& writer, const SimulationSettings& settings) {
  std::vector<std::int32_t> cell, polarity, sign;
  std::vector<double> dx;
  for (const PlantedUnit& unit : planted_units(settings)) {
    cell.push_back(unit.cell);
    polarity.push_back(unit.polarity);
    sign.push_back(unit.sign);
    dx.push_back(unit.dx_px);
  }
  writer.write<std::int32_t>("simulated/unit_cell", std::span<const std::int32_t>(cell));
  writer.write<std::int32_t>("simulated/unit_polarity", std::span<const std::int32_t>(polarity));
  writer.write<std::int32_t>("simulated/unit_sign", std::span<const std::int32_t>(sign));
  writer.write<double>("simulated/unit_dx", std::span<const double>(dx));
}

}  // namespace

void declare_recording(io::ResultWriter& writer, const SimulationSettings& settings, const SimulationPlan& plan) {
  declare_dimensions(writer, settings, plan);
  declare_part(writer, "train");
  declare_part(writer, "test");
  std::vector<std::string> names, circuits;
  for (std::size_t n = 0; n < settings.cells.size(); ++n) {
    names.push_back(settings.cells[n].name);
    circuits.push_back(settings.cells[n].circuit);
    writer.variable({fmt::format("test/repeats/cell{:02d}", n + 1),
                     io::Type::uint8,
                     {"repeat", "test_time"},
                     "spikes",
                     fmt::format("spikes per bin of each trial, {}", settings.cells[n].name),
                     {}});
  }
  writer.variable({"simulated/centre_y", io::Type::float64, {"cell"}, "px", "receptive-field centre, row", {}});
  writer.variable({"simulated/centre_x", io::Type::float64, {"cell"}, "px", "receptive-field centre, column", {}});
  writer.variable({"simulated/unit_cell", io::Type::int32, {"unit"}, "1", "index of the cell the unit belongs to", {}});
  writer.variable({"simulated/unit_polarity", io::Type::int8, {"unit"}, "1", "+1 ON, -1 OFF", {}});
  writer.variable({"simulated/unit_sign", io::Type::int8, {"unit"}, "1", "+1 excites, -1 inhibits the cell", {}});
  writer.variable({"simulated/unit_dx", io::Type::float64, {"unit"}, "px", "displacement from the cell's centre, + right", {}});
  writer.attribute("contrast_zero", plan.coding.zero);
  writer.attribute("contrast_unit", plan.coding.unit);
  writer.attribute("frame_ms", plan.screen.frame_ms);
  writer.attribute("pixel_um", plan.screen.pixel_um);
  writer.attribute("cells", fmt::format("{}", fmt::join(names, ",")));
  writer.attribute("circuits", fmt::format("{}", fmt::join(circuits, ",")));
  writer.attribute("circuit_definitions", definitions_of_cells(settings));
  writer.attribute("ensemble", settings.ensemble);
  writer.attribute("seed", static_cast<double>(settings.seed));
  writer.attribute("blocks", 1.0);
}

void write_axes(io::ResultWriter& writer, const SimulationSettings& settings, const SimulationPlan& plan) {
  std::vector<double> y, x;
  for (const SimulatedCell& cell : settings.cells) {
    y.push_back(cell.y);
    x.push_back(cell.x);
  }
  const std::vector<double> train = frame_starts(plan.train_frames, plan.screen.frame_ms);
  const std::vector<double> test = frame_starts(plan.test_frames, plan.screen.frame_ms);
  writer.write<double>("train/time", std::span<const double>(train));
  writer.write<double>("test/time", std::span<const double>(test));
  writer.write<double>("simulated/centre_y", std::span<const double>(y));
  writer.write<double>("simulated/centre_x", std::span<const double>(x));
  write_units(writer, settings);
}

}  // namespace amacrine::recording
