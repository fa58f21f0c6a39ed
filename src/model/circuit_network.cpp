// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/circuit_network.hpp"

#include "amacrine/core/errors.hpp"

#include <cmath>

namespace amacrine::model {

namespace {

Architecture circuit_architecture(std::size_t units, std::size_t cells, const stimulus::Screen& screen) {
  Architecture a;
  a.history = static_cast<int>(recording::circuit_lags);
  a.height = screen.height;
  a.width = screen.width;
  a.hidden = {{static_cast<int>(units), screen.height, screen.width}};
  a.norm = Norm::none;
  a.conv_bias = true;
  a.noise = 0;
  a.readout_bias = true;
  a.output_norm = false;
  a.softplus_beta = recording::circuit_beta_per_hz;
  a.cells = static_cast<int>(cells);
  return a;
}

/// kernel (T, Y, X), oldest frame first.
void write_kernel(const recording::CircuitUnit& unit, const PlacedCircuit& placed, const stimulus::Screen& screen,
                  float* kernel) {
  const std::vector<double> temporal = unit.temporal(), spatial = unit.spatial(screen, placed.centre);
  for (std::size_t l = 0; l < temporal.size(); ++l) {
    const double weight = temporal[temporal.size() - 1 - l];
    for (double pixel : spatial) *kernel++ = static_cast<float>(weight * pixel);
  }
}

std::size_t count_units(const std::vector<PlacedCircuit>& circuits, const stimulus::Screen& screen) {
  core::require<core::InputError>(!circuits.empty(), "a circuit network needs at least one circuit");
  core::require<core::InputError>(screen.frame_ms == recording::circuit_frame_ms,
                                  "the circuits' filters are sampled every {} ms, the screen shows a frame every {} ms",
                                  recording::circuit_frame_ms, screen.frame_ms);
  std::size_t units = 0;
  for (const PlacedCircuit& placed : circuits) {
    core::require<core::InputError>(placed.circuit.feed_forward(),
                                    "cell {}: the circuit {} has a state of its own, which no feed-forward network can hold",
                                    placed.cell, placed.circuit.name);
    units += placed.circuit.units.size();
  }
  return units;
}

}  // namespace

Model make_circuit_model(const std::vector<PlacedCircuit>& circuits, const stimulus::Screen& screen) {
  const std::size_t units = count_units(circuits, screen);
  Model model;
  model.kind = "circuit";
  model.architecture = circuit_architecture(units, circuits.size(), screen);
  model.normalisation.kind = "none";
  model.screen = screen;
  const ParameterLayout layout = make_layout(model.architecture);
  model.parameters.assign(layout.parameter_count, 0.0F);
  const ParameterEntry& kernels = layout.parameter("hidden0.kernel");
  float* kernel = model.parameters.data() + kernels.offset;
  float* bias = model.parameters.data() + layout.parameter("hidden0.bias").offset;
  float* weight = model.parameters.data() + layout.parameter("readout.weight").offset;
  float* offset = model.parameters.data() + layout.parameter("readout.bias").offset;
  std::size_t channel = 0;
  for (std::size_t n = 0; n < circuits.size(); ++n) {
    offset[n] = static_cast<float>(circuits[n].circuit.offset_hz);
    for (const recording::CircuitUnit& unit : circuits[n].circuit.units) {
      write_kernel(unit, circuits[n], screen, kernel + channel * (kernels.size / units));
      bias[channel] = static_cast<float>(unit.bias);
      weight[n * units + channel] = static_cast<float>(unit.weight);
      model.channel_names.push_back(circuits[n].cell + "/" + unit.name);
      ++channel;
    }
    recording::Cell cell;
    cell.id = static_cast<int>(n);
    cell.name = circuits[n].cell;
    cell.centre = circuits[n].centre;
    model.cells.push_back(cell);
  }
  return model;
}

}  // namespace amacrine::model
