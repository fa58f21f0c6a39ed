// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/model.hpp"
#include "amacrine/recording/circuit.hpp"

#include <string>
#include <vector>

namespace amacrine::model {

/// A circuit at a place on the screen.
struct PlacedCircuit {
  std::string cell;  ///< name of the ganglion cell
  recording::Circuit circuit;
  stimulus::Centre centre;
};

/// Circuits without a state as one network of kind "circuit": a first layer whose kernels cover the canvas, one channel per
/// interneuron (named "cell/UNIT"), h = max(0, W * s + b), readout w and offset c in Hz, the circuits' own softplus, contrast
/// taken as it is. Where one of them has two layers there is a second hidden layer of 1 x 1 kernels, through which the
/// interneurons of the others pass unchanged. Kernels are rounded to float. Throws InputError for dynamic circuits (a state is no
/// filter) and other frame intervals.
Model make_circuit_model(const std::vector<PlacedCircuit>& circuits, const stimulus::Screen& screen);

}  // namespace amacrine::model
