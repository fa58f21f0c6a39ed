// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/random.hpp"
#include "amacrine/model/model.hpp"

namespace amacrine::attribution {

/// A random network on a small screen: 6 frames of 13 x 12 pixels -> 3 channels @ 5 x 4 -> 2 channels @ 3 x 3 -> 3 cells at two
/// places.
inline model::Model small_model(model::Norm norm = model::Norm::per_unit) {
  model::Model model;
  model::Architecture& a = model.architecture;
  a.history = 6;
  a.height = model.screen.height = 13;
  a.width = model.screen.width = 12;
  a.hidden = {{3, 5, 4}, {2, 3, 3}};
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

}  // namespace amacrine::attribution
