// SPDX-License-Identifier: Apache-2.0
#include "layout.hpp"

#include "amacrine/core/numbers.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include <fmt/ranges.h>

namespace amacrine::attribution {
namespace {

using io::Type;
using Names = std::vector<std::string>;

std::vector<double> counted(std::size_t count) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<double>(i);
  return values;
}

void declare_dimensions(io::ResultWriter& writer, const Plan& plan, const model::Model& model, const FirstLayerFacts& layer) {
  Names stimuli, cells, channels;
  for (const PlannedStimulus& stimulus : plan.stimuli) stimuli.push_back(stimulus.condition.name);
  for (int cell : plan.cells) cells.push_back(model.cells[static_cast<std::size_t>(cell)].name);
  for (std::size_t c = 0; c < layer.channels; ++c) {
    const bool named = model.kind != "ln" && c < model.channel_names.size();
    channels.push_back(named                ? model.channel_names[c]
                       : model.kind == "ln" ? model.cells[c].name
                                            : "channel " + std::to_string(c));
  }
  std::vector<double> lag;
  for (std::size_t l = layer.lags; l-- > 0;)
    lag.push_back(static_cast<double>(l + static_cast<std::size_t>(model.minimum_lag)) * model.screen.frame_ms);
  writer.dimension({"stimulus", stimuli.size(), "1", "condition of the catalogue, or movie", {}, stimuli});
  writer.dimension({"window", plan.windows, "1", "attributed frame of a stimulus", {}, {}});
  writer.dimension({"cell", cells.size(), "1", "ganglion cell", {}, cells});
  writer.dimension({"channel", layer.channels, "1", "first-layer channel", {}, channels});
  writer.dimension({"lag", layer.lags, "ms", "time before the response", lag, {}});
  writer.dimension({"kernel_y", layer.kernel_y, "px", "kernel row", {}, {}});
  writer.dimension({"kernel_x", layer.kernel_x, "px", "kernel column", {}, {}});
  writer.dimension({"row", layer.rows, "1", "row of units", counted(layer.rows), {}});
  writer.dimension({"column", layer.columns, "1", "column of units", counted(layer.columns), {}});
}

void declare_stimuli(io::ResultWriter& writer, const Plan& plan, const AttributionSettings& settings) {
  const Names s{"stimulus"};
  writer.variable(
      {"stimulus_symmetry", Type::int8, s, "1", "symmetry of s - s0, verified", {{"flag_meanings", "none full_field along_y"}}});
  writer.attribute("flag_values", std::vector<double>{0, 1, 2}, "stimulus_symmetry");
  writer.variable({"stimulus_first_window", Type::int32, s, "1", "first window of the stimulus", {}});
  writer.variable({"stimulus_windows", Type::int32, s, "1", "windows of the stimulus", {}});
  writer.variable({"stimulus_event_frame", Type::int32, s, "1", "frame times are counted from; -1: none", {}});
  for (const std::string& name : event_names(plan))
    writer.variable({"event_" + name, Type::int32, s, "1", "frame of the event " + name + "; -1: none", {}});
  for (const std::string& name : parameter_names(plan))
    writer.variable({"parameter_" + name, Type::float64, s, "1", "stimulus parameter " + name + "; NaN: none", {}});
  writer.variable({"window_stimulus", Type::int32, {"window"}, "1", "index of the stimulus", {}});
  writer.variable({"window_frame", Type::int32, {"window"}, "1", "frame of the movie", {}});
  writer.variable({"window_time_ms", Type::float64, {"window"}, "ms", "time since the reference event", {}});
  if (any_bars(plan))
    writer.variable({"window_bar_px", Type::float64, {"window"}, "px", "bar centre relative to the cell's centre", {}});
  const Names rows{"window", "cell"};
  const char* what = settings.target == Target::after_softplus ? "firing rate" : "drive before the softplus";
  writer.variable({"rate", Type::float32, rows, "Hz", std::string(what) + " F[s]", {}});
  writer.variable({"baseline_rate", Type::float32, rows, "Hz", std::string(what) + " on the baseline, F[s0]", {}});
  writer.variable({"residual", Type::float32, rows, "Hz", "sum of attributions - (F[s] - F[s0])", {}});
  writer.variable({"error_estimate",
                   Type::float32,
                   rows,
                   "1",
                   "estimated row error Sum|A - A*| / max(Sum|A*|, 0.1 Hz); NaN: not asked for",
                   {}});
  writer.variable({"panels", Type::int32, rows, "1", "panels along the path", {}});
  writer.variable(
      {"flag", Type::int8, rows, "1", "quality of the row", {{"flag_meanings", "good tolerance_not_met not_finite"}}});
  writer.attribute("flag_values", std::vector<double>{0, 1, 2}, "flag");
}

struct Figure {
  const char *name, *units, *title, *sum;
};
/// The figures of units, and what stands for a sum of units.
const std::vector<Figure>& level_figures() {
  static const std::vector<Figure> figures{{"attribution", "Hz", "attribution A", "sum over"},
                                           {"downstream_weight", "Hz", "effective downstream weight G", "sum over"},
                                           {"response_weight", "Hz", "D = dF/dh where h changes", "units times the mean over"},
                                           {"drive", "1", "W*(s - s0)", "mean over"},
                                           {"response_change", "1", "h(s) - h(s0)", "mean over"}};
  return figures;
}

/// Pixels have attributions alone; a second-layer unit has no drive that is straight along the path, which weights refer to.
bool has_figure(Level level, const std::string& figure) {
  if (figure == "attribution") return true;
  return level != Level::pixel && (!of_second_layer(level) || figure == "response_change");
}

/// The figures wanted of a level: `prefix` before their names, `over` what the sums and means run over; empty: single units.
void declare_level(io::ResultWriter& writer, Level level, const std::string& prefix, const Names& dimensions,
                   const std::string& over, const AttributionSettings& settings) {
  for (const Figure& figure : level_figures())
    if (settings.wants(figure.name) && has_figure(level, figure.name))
      writer.variable({prefix + figure.name,
                       Type::float32,
                       dimensions,
                       figure.units,
                       over.empty() ? figure.title : fmt::format("{}, {} {}", figure.title, figure.sum, over),
                       {}});
}

/// Of each row the largest attributions, where they are, and the sum of the others.
void declare_top(io::ResultWriter& writer, Level of, const LevelAxes& axes, const std::string& over,
                 const AttributionSettings& settings) {
  const std::string level = to_string(of);
  const Names row{level + "_window", "cell"}, kept{level + "_window", "cell", level + "_top"};
  writer.dimension({level + "_top", axes.kept(settings), "1", "rank of |A| in the row", {}, {}});
  writer.variable({level + "_top_index",
                   Type::int32,
                   kept,
                   "1",
                   fmt::format("place on the flattened axes ({})", fmt::join(axes.names, ", ")),
                   {}});
  declare_level(writer, of, level + "_top_", kept, over, settings);
  writer.variable({level + "_rest_attribution", Type::float32, row, "Hz", "sum of the attributions that were not kept", {}});
}

/// The axes that no other level has.
void declare_axes(io::ResultWriter& writer, Level level, const LevelAxes& axes) {
  if (level == Level::pixel) {
    writer.dimension({"pixel_y", axes.sizes[1], "px", "pixel row", {}, {}});
    writer.dimension({"pixel_x", axes.sizes[2], "px", "pixel column", {}, {}});
  }
  if (!of_second_layer(level)) return;
  Names channels;
  for (std::size_t c = 0; c < axes.sizes[0]; ++c) channels.push_back("channel " + std::to_string(c));
  writer.dimension({"channel2", axes.sizes[0], "1", "second-layer channel", {}, channels});
  if (level == Level::channel2) return;
  writer.dimension({"row2", axes.sizes[1], "1", "row of second-layer units", counted(axes.sizes[1]), {}});
  writer.dimension({"column2", axes.sizes[2], "1", "column of second-layer units", counted(axes.sizes[2]), {}});
}

/// A finer level: its windows, where they are on the dimension `window`, and their figures.
void declare_fine_level(io::ResultWriter& writer, Level level, std::size_t windows, const LevelAxes& axes,
                        const AttributionSettings& settings) {
  const std::string name = to_string(level), dimension = name + "_window";
  const std::string over = level == Level::position   ? "the rows of a column"
                           : level == Level::channel2 ? "all units of a channel"
                                                      : "";
  writer.dimension({dimension, windows, "1", "window stored at " + name + " level", {}, {}});
  writer.variable({name + "_window_index", Type::int32, {dimension}, "1", "index on the dimension window", {}});
  if (of_second_layer(level))
    writer.variable({name + "_residual",
                     Type::float32,
                     {dimension, "cell"},
                     "Hz",
                     "sum of the second layer's attributions - (F[s] - F[s0])",
                     {}});
  if (keeps_top(level, settings)) return declare_top(writer, level, axes, over, settings);
  declare_axes(writer, level, axes);
  Names dimensions{dimension, "cell"};
  dimensions.insert(dimensions.end(), axes.names.begin(), axes.names.end());
  declare_level(writer, level, name + "_", dimensions, over, settings);
}

void declare_first_layer(io::ResultWriter& writer) {
  const Names map{"channel", "row", "column"};
  writer.variable({"kernel", Type::float32, {"channel", "lag", "kernel_y", "kernel_x"}, "1", "first-layer kernel W", {}});
  writer.variable({"gain", Type::float32, map, "1", "kappa: x = gain (W*s) + offset", {}});
  writer.variable({"offset", Type::float32, map, "1", "offset of x", {}});
  writer.variable({"baseline_drive", Type::float32, map, "1", "z0 = W*s0 on the baseline", {}});
  writer.variable({"baseline_input", Type::float32, map, "1", "x0, pre-activation on the baseline", {}});
}

void declare_attributes(io::ResultWriter& writer, const std::string& subject, const Plan& plan, const model::Model& model,
                        const FirstLayerFacts& layer, const AttributionSettings& settings) {
  constexpr const char* baselines[] = {"grey", "mean", "given"};
  writer.attribute("subject", subject);
  writer.attribute("model_kind", model.kind);
  writer.attribute("source", std::string(to_string(settings.source)));
  writer.attribute("storage", std::string(settings.storage == Storage::full ? "full" : "top"));
  writer.attribute("rule", std::string(to_string(settings.rule)));
  writer.attribute("target", std::string(to_string(settings.target)));
  writer.attribute("baseline", std::string(baselines[static_cast<int>(settings.baseline)]));
  writer.attribute("panels", static_cast<double>(settings.panels));
  writer.attribute("tolerance", settings.tolerance);
  writer.attribute("frame_ms", model.screen.frame_ms);
  writer.attribute("pixel_um", model.screen.pixel_um);
  writer.attribute("minimum_lag", static_cast<double>(model.minimum_lag));
  writer.attribute("softplus_beta", model.architecture.softplus_beta);
  writer.attribute("rectified", layer.rectified ? 1.0 : 0.0);
  writer.attribute("per_channel_norm", layer.per_channel ? 1.0 : 0.0);
  std::vector<double> constant;
  for (int cell : plan.cells) constant.push_back(layer.constant[static_cast<std::size_t>(cell)]);
  writer.attribute("constant", constant);
}

}  // namespace

std::size_t LevelAxes::size() const { return std::accumulate(sizes.begin(), sizes.end(), std::size_t{1}, std::multiplies<>()); }
std::size_t LevelAxes::kept(const AttributionSettings& settings) const { return std::min(size(), core::as_size(settings.top)); }

bool keeps_top(Level level, const AttributionSettings& settings) {
  return settings.storage == Storage::top && level != Level::channel2;
}

LevelAxes level_axes(Level level, const FirstLayerFacts& layer, const model::Architecture& architecture) {
  if (of_second_layer(level)) {
    const std::size_t channels = core::as_size(architecture.hidden[1].channels);
    if (level == Level::channel2) return {{"channel2"}, {channels}};
    return {{"channel2", "row2", "column2"},
            {channels, core::as_size(architecture.out_y(1)), core::as_size(architecture.out_x(1))}};
  }
  if (level == Level::position) return {{"channel", "column"}, {layer.channels, layer.columns}};
  if (level == Level::unit) return {{"channel", "row", "column"}, {layer.channels, layer.rows, layer.columns}};
  return {{"lag", "pixel_y", "pixel_x"},
          {core::as_size(architecture.history), core::as_size(architecture.height), core::as_size(architecture.width)}};
}

std::set<std::string> parameter_names(const Plan& plan) {
  std::set<std::string> names;
  for (const PlannedStimulus& stimulus : plan.stimuli)
    for (const auto& entry : stimulus.condition.parameters) names.insert(entry.first);
  return names;
}

std::set<std::string> event_names(const Plan& plan) {
  std::set<std::string> names;
  for (const PlannedStimulus& stimulus : plan.stimuli)
    for (const auto& entry : stimulus.condition.events) names.insert(entry.first);
  return names;
}

bool any_bars(const Plan& plan) {
  for (const PlannedStimulus& stimulus : plan.stimuli)
    if (!stimulus.condition.bar_px.empty()) return true;
  return false;
}

void declare_layout(io::ResultWriter& writer, const std::string& subject, const Plan& plan, const model::Model& model,
                    const FirstLayerFacts& layer, const AttributionSettings& settings) {
  declare_dimensions(writer, plan, model, layer);
  declare_stimuli(writer, plan, settings);
  declare_level(writer, Level::channel, "", {"window", "cell", "channel"}, "all units of a channel", settings);
  for (Level level : {Level::position, Level::unit, Level::pixel, Level::channel2, Level::unit2})
    if (const std::size_t windows = plan.stored[static_cast<int>(level)]; windows > 0)
      declare_fine_level(writer, level, windows, level_axes(level, layer, model.architecture), settings);
  declare_first_layer(writer);
  declare_attributes(writer, subject, plan, model, layer, settings);
}

}  // namespace amacrine::attribution
