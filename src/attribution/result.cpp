// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/result.hpp"

#include "layout.hpp"

#include <cmath>
#include <limits>

namespace amacrine::attribution {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Values (W, M, K...) of one of the M cells.
template <class T>
std::vector<T> of_cell(const std::vector<T>& values, std::size_t cell, std::size_t cells, std::size_t windows) {
  const std::size_t block = values.size() / (windows * cells);
  std::vector<T> out;
  for (std::size_t w = 0; w < windows; ++w) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>((w * cells + cell) * block);
    out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(block));
  }
  return out;
}

/// Values (W, K) repeated for every cell: (W, M, K).
std::vector<float> for_every_cell(const std::vector<float>& values, std::size_t windows, std::size_t cells) {
  const std::size_t block = values.size() / windows;
  std::vector<float> out;
  for (std::size_t w = 0; w < windows; ++w)
    for (std::size_t n = 0; n < cells; ++n) {
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(w * block);
      out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(block));
    }
  return out;
}

template <class V>
std::vector<double> doubles(const V& view) {
  const auto values = core::to_host(view);
  return {values.begin(), values.end()};
}

}  // namespace

template <class S>
FirstLayerFacts first_layer_facts(const BlockAttributor<S>& attributor) {
  const PathNetwork<S>& network = attributor.network();
  const PathLayer<S>& first = network.first();
  FirstLayerFacts facts;
  facts.channels = static_cast<std::size_t>(first.channels);
  facts.rows = static_cast<std::size_t>(first.height);
  facts.columns = static_cast<std::size_t>(first.width);
  facts.lags = first.kernel.extent(1);
  facts.kernel_y = first.kernel.extent(2);
  facts.kernel_x = first.kernel.extent(3);
  facts.kernel = doubles(first.kernel);
  facts.gain = doubles(first.gain);
  facts.offset = doubles(first.offset);
  facts.baseline_drive = attributor.baseline_drive();
  facts.constant = doubles(network.constant);
  facts.rectified = first.rectified;
  facts.per_channel = network.per_channel;
  return facts;
}
template FirstLayerFacts first_layer_facts(const BlockAttributor<float>&);
template FirstLayerFacts first_layer_facts(const BlockAttributor<double>&);

AttributionFile::AttributionFile(const parallel::Communicator& communicator, const std::string& path, const std::string& subject,
                                 const Plan& plan, const model::Model& model, const FirstLayerFacts& layer,
                                 const AttributionSettings& settings, const io::Provenance& provenance)
    : plan_(plan),
      layer_(layer),
      frame_ms_(model.screen.frame_ms),
      history_(model.architecture.history),
      height_(model.architecture.height),
      width_(model.architecture.width),
      writer_(communicator, path, "attributions", provenance) {
  declare_layout(writer_, subject, plan_, model, layer_, settings);
}

void AttributionFile::write_frame() {
  write_stimuli();
  write_windows();
  write_first_layer();
}

void AttributionFile::write_stimuli() {
  std::vector<std::int8_t> symmetry;
  std::vector<int> first, windows, event;
  for (const PlannedStimulus& stimulus : plan_.stimuli) {
    symmetry.push_back(static_cast<std::int8_t>(stimulus.symmetry));
    first.push_back(static_cast<int>(stimulus.first_window));
    windows.push_back(static_cast<int>(stimulus.windows));
    event.push_back(stimulus.event_frame);
  }
  writer_.write<std::int8_t>("stimulus_symmetry", symmetry);
  writer_.write<int>("stimulus_first_window", first);
  writer_.write<int>("stimulus_windows", windows);
  writer_.write<int>("stimulus_event_frame", event);
  for (const std::string& name : event_names(plan_)) {
    std::vector<int> values;
    for (const PlannedStimulus& stimulus : plan_.stimuli) values.push_back(stimulus.condition.event(name));
    writer_.write<int>("event_" + name, values);
  }
  for (const std::string& name : parameter_names(plan_)) {
    std::vector<double> values;
    for (const PlannedStimulus& stimulus : plan_.stimuli) values.push_back(stimulus.condition.parameter(name));
    writer_.write<double>("parameter_" + name, values);
  }
}

void AttributionFile::write_windows() {
  std::vector<int> of, frame, index[4];
  std::vector<double> time, bar;
  for (std::size_t s = 0; s < plan_.stimuli.size(); ++s) {
    const PlannedStimulus& stimulus = plan_.stimuli[s];
    const int zero = std::max(0, stimulus.event_frame);
    for (std::size_t w = 0; w < stimulus.windows; ++w) {
      const std::size_t t = stimulus.first_frame + w;
      index[static_cast<int>(stimulus.level)].push_back(static_cast<int>(of.size()));
      of.push_back(static_cast<int>(s));
      frame.push_back(static_cast<int>(t));
      time.push_back((static_cast<double>(t) - zero) * frame_ms_);
      bar.push_back(t < stimulus.condition.bar_px.size() ? stimulus.condition.bar_px[t] : nan);
    }
  }
  writer_.write<int>("window_stimulus", of);
  writer_.write<int>("window_frame", frame);
  writer_.write<double>("window_time_ms", time);
  if (any_bars(plan_)) writer_.write<double>("window_bar_px", bar);
  for (Level level : {Level::position, Level::unit, Level::pixel})
    if (const auto& values = index[static_cast<int>(level)]; !values.empty())
      writer_.write<int>(std::string(to_string(level)) + "_window_index", values);
}

void AttributionFile::write_first_layer() {
  std::vector<double> input;
  for (std::size_t u = 0; u < layer_.gain.size(); ++u)
    input.push_back(layer_.gain[u] * layer_.baseline_drive[u] + layer_.offset[u]);
  writer_.write<double>("kernel", layer_.kernel);
  writer_.write<double>("gain", layer_.gain);
  writer_.write<double>("offset", layer_.offset);
  writer_.write<double>("baseline_drive", layer_.baseline_drive);
  writer_.write<double>("baseline_input", input);
}

/// Writes values (W, M, tail...) of a showing's M cells at windows [first, first + W) of `name`.
template <class T>
void AttributionFile::write_rows(const std::string& name, const std::vector<T>& values, std::size_t first, const Showing& showing,
                                 std::size_t windows, const std::vector<std::size_t>& tail) {
  const std::size_t cells = showing.cells.size();
  std::vector<std::size_t> offset{first, 0}, count{windows, cells};
  offset.resize(2 + tail.size(), 0);
  count.insert(count.end(), tail.begin(), tail.end());
  if (cells == plan_.cells.size()) return writer_.write<T>(name, values, offset, count);
  count[1] = 1;
  for (std::size_t i = 0; i < cells; ++i) {
    offset[1] = static_cast<std::size_t>(showing.cells[i]);
    writer_.write<T>(name, of_cell(values, i, cells, windows), offset, count);
  }
}

void AttributionFile::write_level(const std::string& prefix, const LevelFigures& figures, std::size_t first,
                                  const Showing& showing, std::size_t windows, const std::vector<std::size_t>& tail) {
  write_rows(prefix + "attribution", figures.attribution, first, showing, windows, tail);
  write_rows(prefix + "downstream_weight", figures.downstream_weight, first, showing, windows, tail);
  write_rows(prefix + "response_weight", figures.response_weight, first, showing, windows, tail);
  write_rows(prefix + "drive", figures.drive, first, showing, windows, tail);
  write_rows(prefix + "response_change", figures.response_change, first, showing, windows, tail);
}

void AttributionFile::write_task(const Task& task, const Block& block) {
  const Showing& showing = plan_.showings[task.showing];
  const PlannedStimulus& stimulus = plan_.stimuli[showing.stimulus];
  const std::size_t W = block.windows, C = layer_.channels, first = stimulus.first_window + task.first;
  write_rows("rate", block.rate.values(), first, showing, W, {});
  write_rows("baseline_rate", block.baseline_rate.values(), first, showing, W, {});
  write_rows("residual", block.residual.values(), first, showing, W, {});
  write_rows("error_estimate", block.error_estimate.values(), first, showing, W, {});
  write_rows("panels", block.panels.values(), first, showing, W, {});
  write_rows("flag", block.flag.values(), first, showing, W, {});
  write_level("", channel_level(block), first, showing, W, {C});
  const std::size_t stored = stimulus.first_stored + task.first;
  if (stimulus.level == Level::position) write_level("position_", position_level(block), stored, showing, W, {C, layer_.columns});
  if (stimulus.level == Level::unit) {
    const std::vector<std::size_t> map{C, layer_.rows, layer_.columns};
    write_rows("unit_attribution", block.unit_attribution, stored, showing, W, map);
    write_rows("unit_downstream_weight", block.unit_weight, stored, showing, W, map);
    write_rows("unit_drive", for_every_cell(block.unit_drive, W, block.cells), stored, showing, W, map);
    write_rows("unit_response_change", for_every_cell(block.unit_change, W, block.cells), stored, showing, W, map);
  }
  if (stimulus.level == Level::pixel) {
    const auto size = [](int n) { return static_cast<std::size_t>(n); };
    write_rows("pixel_attribution", block.pixels, stored, showing, W, {size(history_), size(height_), size(width_)});
  }
}

}  // namespace amacrine::attribution
