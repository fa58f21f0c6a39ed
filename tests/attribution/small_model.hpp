// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/random.hpp"
#include "amacrine/model/model.hpp"

#include <vector>

namespace amacrine::attribution {

/// A random network of 3 cells at two places.
inline model::Model random_small_model(int height, int width, const std::vector<model::ConvLayer>& hidden, model::Norm norm) {
  model::Model model;
  model::Architecture& a = model.architecture;
  a.history = 6;
  a.height = model.screen.height = height;
  a.width = model.screen.width = width;
  a.hidden = hidden;
  a.norm = norm;
  a.cells = 3;
  const model::ParameterLayout layout = model::make_layout(a);
  core::Random random(3, core::Stream::test);
  for (std::size_t i = 0; i < layout.parameter_count; ++i) model.parameters.push_back(static_cast<float>(0.3 * random.normal()));
  for (const model::ParameterEntry& entry : layout.parameters)
    if (entry.name.find("gamma") != std::string::npos)
      for (std::size_t i = 0; i < entry.size; ++i) model.parameters[entry.offset + i] += 1.0F;
  for (std::size_t i = 0; i < layout.statistic_count; ++i) model.statistics.push_back(static_cast<float>(0.5 + random.uniform()));
  for (int n = 0; n < 3; ++n) {
    recording::Cell cell;
    cell.id = n;
    cell.name = "cell" + std::to_string(n + 1);
    cell.centre = n == 1 ? stimulus::Centre{6.0, 4.25} : stimulus::Centre{6.0, 5.5};
    model.cells.push_back(cell);
  }
  return model;
}

/// On a small screen: 6 frames of 13 x 12 pixels -> 3 channels @ 5 x 4 -> 2 channels @ 3 x 3.
inline model::Model small_model(model::Norm norm = model::Norm::per_unit) {
  return random_small_model(13, 12, {{3, 5, 4}, {2, 3, 3}}, norm);
}

/// Kernels large enough for the frequency domain: 6 frames of 20 x 20 pixels -> 3 channels @ 10 x 10 -> 2 channels @ 3 x 3.
inline model::Model large_kernel_model() { return random_small_model(20, 20, {{3, 10, 10}, {2, 3, 3}}, model::Norm::per_unit); }

/// The standard network's layers: 6 frames of 50 x 50 pixels -> 8 channels @ 15 x 15 -> 8 channels @ 11 x 11.
inline model::Model standard_layers_model() {
  return random_small_model(50, 50, {{8, 15, 15}, {8, 11, 11}}, model::Norm::per_unit);
}

}  // namespace amacrine::attribution
