// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "circuit_layer.hpp"

#include <string>
#include <vector>

namespace amacrine::reduction::testing {

/// Writes what `amacrine attribute` writes about cells that are all the same circuit: collective, rank 0 writes.
inline void write_attributions(const parallel::Communicator& world, const std::string& path, const FirstLayer& layer,
                               const std::vector<AttributedCell>& cells) {
  using io::Type;
  io::ResultWriter file(world, path, "attributions", io::Provenance{});
  const auto& conditions = cells.front().conditions;
  std::vector<std::string> names, stimuli;
  std::vector<std::int32_t> first, count, frames, symmetry(conditions.size(), 1);
  for (const auto& cell : cells) names.push_back(cell.name);
  std::size_t windows = 0;
  for (const auto& condition : conditions) {
    stimuli.push_back(condition.name);
    first.push_back(static_cast<std::int32_t>(windows));
    count.push_back(static_cast<std::int32_t>(condition.size()));
    frames.insert(frames.end(), condition.frames.begin(), condition.frames.end());
    windows += condition.size();
  }
  const std::size_t channels = layer.channels.size();
  file.attribute("subject", "circuit");
  file.attribute("target", "after_softplus");
  file.attribute("frame_ms", layer.frame_ms);
  file.attribute("minimum_lag", layer.minimum_lag);
  file.attribute("softplus_beta", layer.softplus_beta);
  file.attribute("rectified", 1.0);
  file.dimension({"stimulus", stimuli.size(), "1", "stimulus", {}, stimuli});
  file.dimension({"cell", names.size(), "1", "cell", {}, names});
  file.dimension({"channel", channels, "1", "channel", {}, layer.channels});
  file.dimension({"window", windows, "1", "window", {}, {}});
  file.dimension({"lag", layer.kernel.extent(1), "ms", "lag", {}, {}});
  file.dimension({"kernel_y", layer.kernel.extent(2), "px", "y", {}, {}});
  file.dimension({"kernel_x", layer.kernel.extent(3), "px", "x", {}, {}});
  file.dimension({"row", 1, "1", "row", {}, {}});
  file.dimension({"column", 1, "1", "column", {}, {}});
  for (const char* name : {"stimulus_symmetry", "stimulus_first_window", "stimulus_windows"})
    file.variable({name, Type::int32, {"stimulus"}, "1", name, {}});
  file.variable({"window_frame", Type::int32, {"window"}, "1", "frame", {}});
  file.variable({"kernel", Type::float32, {"channel", "lag", "kernel_y", "kernel_x"}, "1", "kernel", {}});
  for (const char* name : {"gain", "baseline_input"})
    file.variable({name, Type::float32, {"channel", "row", "column"}, "1", name, {}});
  for (const char* name : {"rate", "baseline_rate"}) file.variable({name, Type::float64, {"window", "cell"}, "Hz", name, {}});
  for (const char* name : {"attribution", "drive", "downstream_weight"})
    file.variable({name, Type::float64, {"window", "cell", "channel"}, "1", name, {}});
  file.create();
  if (world.root()) {
    file.write<std::int32_t>("stimulus_symmetry", symmetry);
    file.write<std::int32_t>("stimulus_first_window", first);
    file.write<std::int32_t>("stimulus_windows", count);
    file.write<std::int32_t>("window_frame", frames);
    file.write<float>("kernel", layer.kernel.values());
    file.write<float>("gain", layer.gain.values());
    file.write<float>("baseline_input", layer.rest.values());
    for (std::size_t n = 0; n < cells.size(); ++n)
      for (std::size_t k = 0; k < conditions.size(); ++k) {
        const auto& condition = cells[n].conditions[k];
        const std::size_t at = static_cast<std::size_t>(first[k]), size = condition.size();
        file.write<double>("rate", condition.rate, {at, n}, {size, 1});
        file.write<double>("baseline_rate", std::vector<double>(size, cells[n].rest), {at, n}, {size, 1});
        file.write<double>("attribution", condition.attribution.values(), {at, n, 0}, {size, 1, channels});
        file.write<double>("drive", condition.drive.values(), {at, n, 0}, {size, 1, channels});
        file.write<double>("downstream_weight", condition.downstream.values(), {at, n, 0}, {size, 1, channels});
      }
  }
  file.finish();
}

}  // namespace amacrine::reduction::testing
