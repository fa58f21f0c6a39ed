// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/parameters.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"

#include <algorithm>

namespace amacrine::model {

using core::as_size;

namespace {

using Shape = std::vector<std::size_t>;

void add(std::vector<ParameterEntry>& entries, std::size_t& count, std::string name, Shape shape, bool decays = false) {
  std::size_t size = 1;
  for (std::size_t extent : shape) size *= extent;
  entries.push_back({std::move(name), std::move(shape), count, size, decays});
  count += size;
}

const ParameterEntry* look_up(const std::vector<ParameterEntry>& entries, const std::string& name) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const ParameterEntry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

void add_hidden(ParameterLayout& layout, const Architecture& a, int l) {
  const ConvLayer& layer = a.hidden[as_size(l)];
  const std::string name = fmt::format("hidden{}.", l);
  const std::size_t inputs = as_size(l == 0 ? a.history : a.hidden[as_size(l - 1)].channels), channels = as_size(layer.channels);
  add(layout.parameters, layout.parameter_count, name + "kernel",
      {channels, inputs, as_size(layer.kernel_y), as_size(layer.kernel_x)}, true);
  if (a.conv_bias) add(layout.parameters, layout.parameter_count, name + "bias", {channels});
  if (a.norm == Norm::none) return;
  const Shape shape = a.norm == Norm::per_channel ? Shape{channels} : Shape{channels, as_size(a.out_y(l)), as_size(a.out_x(l))};
  add(layout.parameters, layout.parameter_count, name + "gamma", shape);
  add(layout.parameters, layout.parameter_count, name + "beta", shape);
  add(layout.statistics, layout.statistic_count, name + "mean", shape);
  add(layout.statistics, layout.statistic_count, name + "variance", shape);
}

}  // namespace

ParameterLayout make_layout(const Architecture& a) {
  ParameterLayout layout;
  for (int l = 0; l < a.layers(); ++l) add_hidden(layout, a, l);
  const std::size_t cells = as_size(a.cells);
  // In an LN model the readout is the filter, and L2 applies to it.
  add(layout.parameters, layout.parameter_count, "readout.weight", {cells, a.readout_inputs()}, a.hidden.empty());
  if (a.readout_bias) add(layout.parameters, layout.parameter_count, "readout.bias", {cells});
  if (a.output_norm) {
    add(layout.parameters, layout.parameter_count, "output.gamma", {cells});
    add(layout.parameters, layout.parameter_count, "output.beta", {cells});
    add(layout.statistics, layout.statistic_count, "output.mean", {cells});
    add(layout.statistics, layout.statistic_count, "output.variance", {cells});
  }
  return layout;
}

const ParameterEntry* ParameterLayout::find(const std::string& name) const { return look_up(parameters, name); }

const ParameterEntry& ParameterLayout::parameter(const std::string& name) const {
  const ParameterEntry* entry = find(name);
  core::require(entry != nullptr, "this model has no parameter called \"{}\"", name);
  return *entry;
}

const ParameterEntry& ParameterLayout::statistic(const std::string& name) const {
  const ParameterEntry* entry = look_up(statistics, name);
  core::require(entry != nullptr, "this model has no running statistic called \"{}\"", name);
  return *entry;
}

}  // namespace amacrine::model
