// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace amacrine::model {

enum class Norm { none, per_channel, per_unit };
enum class Scale { plain, absolute };  ///< gamma, or |gamma| (a filter keeps its sign)

struct ConvLayer {
  int channels = 8, kernel_y = 15, kernel_x = 15;
  bool operator==(const ConvLayer&) const = default;
};

/// A feed-forward retina (docs/study/model.md): hidden convolutions (valid, stride 1, cross-correlation, oldest frame first),
/// each conv -> norm -> Gaussian noise (training) -> ReLU; then a dense readout -> norm over cells -> softplus. No hidden layer
/// makes it an LN model: a dense filter on the window, then softplus. A hidden layer whose kernel covers the canvas has one unit
/// per channel (the planted circuits).
struct Architecture {
  int history = 40, height = 50, width = 50;
  std::vector<ConvLayer> hidden{{8, 15, 15}, {8, 11, 11}};
  Norm norm = Norm::per_channel;
  Scale scale = Scale::plain;
  bool conv_bias = false;
  double noise = 0.05;  ///< sd of the noise after the norm
  double norm_epsilon = 1e-3;
  double norm_momentum = 0.99;  ///< weight of the past in the running statistics
  bool readout_bias = false;
  bool output_norm = true;
  double softplus_beta = 1.0;  ///< softplus(z) = log(1 + exp(beta z)) / beta
  int cells = 0;

  int layers() const { return static_cast<int>(hidden.size()); }
  /// Height and width of hidden layer l's output (l = -1: the stimulus).
  int out_y(int layer) const;
  int out_x(int layer) const;
  std::size_t units(int layer) const;  ///< channels * out_y * out_x
  /// Inputs of the readout: units of the last hidden layer, or history*height*width for LN.
  std::size_t readout_inputs() const;
  /// Multiply-adds of one forward pass of one window.
  double multiply_adds() const;
  bool operator==(const Architecture&) const = default;
};

/// Reads the [model] table (all its keys, docs/study/model.md). `cells` stays 0: the recording says. Throws StudyError.
Architecture read_architecture(core::Study& study, const std::string& preset = "");
/// The named architecture: "" (ours), "deep-retina", "torch-deep-retina" (docs/study/model.md) or "ln". Throws core::Error on
/// others.
Architecture preset_architecture(const std::string& preset);
/// Throws core::Error where a kernel does not fit its layer's input, or a size is not positive.
void check_architecture(const Architecture& architecture);
/// One line for people: "40x50x50 -> 8 @ 15x15 (8x36x36) -> ... -> 3 cells, norm per channel".
std::string describe(const Architecture& architecture);
std::string to_json(const Architecture& architecture);
Architecture architecture_from_json(const std::string& text);

}  // namespace amacrine::model
