// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/circuit_network.hpp"

#include "amacrine/core/errors.hpp"

#include <cmath>

namespace amacrine::model {

namespace {

/// Units of the second layer: those of circuits of two layers, and one for each interneuron of the others, which passes it on.
std::size_t second_units(const recording::Circuit& circuit) {
  return circuit.feed_forward() ? circuit.units.size() : circuit.second.size();
}

/// Sizes of the network that holds all circuits; a second layer only where one of them has it.
struct Size {
  std::size_t cells = 0, units = 0, second = 0;
  bool deep = false;
};

Architecture circuit_architecture(const Size& size, const stimulus::Screen& screen) {
  Architecture a;
  a.history = static_cast<int>(recording::circuit_lags);
  a.height = screen.height;
  a.width = screen.width;
  a.hidden = {{static_cast<int>(size.units), screen.height, screen.width}};
  if (size.deep) a.hidden.push_back({static_cast<int>(size.second), 1, 1});
  a.norm = Norm::none;
  a.conv_bias = true;
  a.noise = 0;
  a.readout_bias = true;
  a.output_norm = false;
  a.softplus_beta = recording::circuit_beta_per_hz;
  a.cells = static_cast<int>(size.cells);
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

Size count_units(const std::vector<PlacedCircuit>& circuits, const stimulus::Screen& screen) {
  core::require<core::InputError>(!circuits.empty(), "a circuit network needs at least one circuit");
  core::require<core::InputError>(screen.frame_ms == recording::circuit_frame_ms,
                                  "the circuits' filters are sampled every {} ms, the screen shows a frame every {} ms",
                                  recording::circuit_frame_ms, screen.frame_ms);
  Size size;
  for (const PlacedCircuit& placed : circuits) {
    core::require<core::InputError>(placed.circuit.stateless(),
                                    "cell {}: the circuit {} has a state of its own, which no feed-forward network can hold",
                                    placed.cell, placed.circuit.name);
    ++size.cells;
    size.units += placed.circuit.units.size();
    size.second += second_units(placed.circuit);
    size.deep = size.deep || !placed.circuit.feed_forward();
  }
  return size;
}

/// Fills the parameters of a network, circuit by circuit.
class Writer {
 public:
  Writer(Model& model, const Size& size, const stimulus::Screen& screen)
      : model_(model), layout_(make_layout(model.architecture)), size_(size), screen_(screen) {
    model.parameters.assign(layout_.parameter_count, 0.0F);
  }

  void write(const PlacedCircuit& placed, std::size_t cell) {
    at("readout.bias")[cell] = static_cast<float>(placed.circuit.offset_hz);
    const std::size_t kernel = layout_.parameter("hidden0.kernel").size / size_.units;
    for (std::size_t i = 0; i < placed.circuit.units.size(); ++i) {
      const recording::CircuitUnit& unit = placed.circuit.units[i];
      write_kernel(unit, placed, screen_, at("hidden0.kernel") + (channel_ + i) * kernel);
      at("hidden0.bias")[channel_ + i] = static_cast<float>(unit.bias);
      model_.channel_names.push_back(placed.cell + "/" + unit.name);
    }
    placed.circuit.feed_forward() ? add_up(placed.circuit, cell) : add_second(placed.circuit, cell);
    channel_ += placed.circuit.units.size();
    second_ += second_units(placed.circuit);
  }

 private:
  float* at(const std::string& parameter) { return model_.parameters.data() + layout_.parameter(parameter).offset; }
  /// Weight of a unit of the last hidden layer onto the cell.
  void read_out(std::size_t cell, std::size_t place, double weight) {
    at("readout.weight")[cell * (size_.deep ? size_.second : size_.units) + place] = static_cast<float>(weight);
  }
  void connect(std::size_t second, std::size_t channel, double weight) {
    at("hidden1.kernel")[second * size_.units + channel] = static_cast<float>(weight);
  }
  /// Interneurons that add up; through a second layer that other circuits need they pass unchanged: no activity is negative.
  void add_up(const recording::Circuit& circuit, std::size_t cell) {
    for (std::size_t i = 0; i < circuit.units.size(); ++i) {
      if (size_.deep) connect(second_ + i, channel_ + i, 1.0);
      read_out(cell, size_.deep ? second_ + i : channel_ + i, circuit.units[i].weight);
    }
  }
  void add_second(const recording::Circuit& circuit, std::size_t cell) {
    for (std::size_t j = 0; j < circuit.second.size(); ++j) {
      const recording::SecondUnit& unit = circuit.second[j];
      for (std::size_t i = 0; i < unit.weights.size(); ++i) connect(second_ + j, channel_ + i, unit.weights[i]);
      at("hidden1.bias")[second_ + j] = static_cast<float>(unit.bias);
      read_out(cell, second_ + j, unit.weight_hz);
    }
  }

  Model& model_;
  const ParameterLayout layout_;
  const Size size_;
  const stimulus::Screen screen_;
  std::size_t channel_ = 0, second_ = 0;  ///< first units of the circuit being written
};

}  // namespace

Model make_circuit_model(const std::vector<PlacedCircuit>& circuits, const stimulus::Screen& screen) {
  const Size size = count_units(circuits, screen);
  Model model;
  model.kind = "circuit";
  model.architecture = circuit_architecture(size, screen);
  model.normalisation.kind = "none";
  model.screen = screen;
  Writer writer(model, size, screen);
  for (std::size_t n = 0; n < circuits.size(); ++n) {
    writer.write(circuits[n], n);
    recording::Cell cell;
    cell.id = static_cast<int>(n);
    cell.name = circuits[n].cell;
    cell.centre = circuits[n].centre;
    model.cells.push_back(cell);
  }
  return model;
}

}  // namespace amacrine::model
