// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/result.hpp"

#include "amacrine/attribution/top.hpp"
#include "amacrine/core/numbers.hpp"
#include "layout.hpp"
#include "task_journal.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

/// Puts values (W, M, K...) of M cells to where they are among all N cells': (W, N, K...).
template <class T>
void place_cells(const std::vector<T>& values, const std::vector<int>& cells, std::size_t windows, std::vector<T>& all) {
  const std::size_t block = values.size() / (windows * cells.size()), row = all.size() / windows;
  for (std::size_t w = 0; w < windows; ++w)
    for (std::size_t i = 0; i < cells.size(); ++i)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>((w * cells.size() + i) * block), block,
                  all.begin() + static_cast<std::ptrdiff_t>(w * row + core::as_size(cells[i]) * block));
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

/// D_u = A_u / (h_u(s) - h_u(s0)); NaN where h_u does not change.
std::vector<float> response_weights(const Block& block) {
  const std::size_t units = block.channels * block.height * block.width;
  std::vector<float> out(block.unit_attribution.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float change = block.unit_change[i / units / block.cells * units + i % units];
    out[i] = change != 0 ? block.unit_attribution[i] / change : static_cast<float>(core::undefined);
  }
  return out;
}

LevelFigures unit_level(const Block& block, bool weights) {
  return {block.unit_attribution, block.unit_weight, weights ? response_weights(block) : std::vector<float>(),
          for_every_cell(block.unit_drive, block.windows, block.cells),
          for_every_cell(block.unit_change, block.windows, block.cells)};
}

/// Channels or units of the second layer.
LevelFigures second_level(const Block& block, Level level) {
  const SecondRows& rows = block.second;
  const auto figures = [&](std::vector<float> attribution, const std::vector<float>& change) {
    return LevelFigures{std::move(attribution), {}, {}, {}, for_every_cell(change, block.windows, block.cells)};
  };
  if (level == Level::unit2) return figures(rows.units, rows.unit_change);
  return figures({rows.attribution.values().begin(), rows.attribution.values().end()},
                 {rows.change.values().begin(), rows.change.values().end()});
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
      settings_(settings),
      architecture_(model.architecture),
      frame_ms_(model.screen.frame_ms),
      communicator_(communicator),
      writer_(communicator, path, "attributions", provenance),
      journal_(path + ".journal", journal_identity(plan, provenance)) {
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
  constexpr std::size_t most = 65536;
  const bool bars = any_bars(plan_);
  for (std::size_t s = 0; s < plan_.stimuli.size(); ++s) {
    const PlannedStimulus& stimulus = plan_.stimuli[s];
    const int zero = std::max(0, stimulus.event_frame);
    for (std::size_t begin = 0; begin < stimulus.windows; begin += most) {
      const std::size_t count = std::min(most, stimulus.windows - begin), first = stimulus.first_window + begin;
      std::vector<int> of(count, static_cast<int>(s)), frame(count), index(count);
      std::vector<double> time(count), bar(count, core::undefined);
      for (std::size_t w = 0; w < count; ++w) {
        const std::size_t t = stimulus.frame(begin + w);
        index[w] = static_cast<int>(first + w);
        frame[w] = static_cast<int>(t);
        time[w] = (static_cast<double>(t) - zero) * frame_ms_;
        if (t < stimulus.condition.bar_px.size()) bar[w] = stimulus.condition.bar_px[t];
      }
      writer_.write<int>("window_stimulus", of, {first}, {count});
      writer_.write<int>("window_frame", frame, {first}, {count});
      writer_.write<double>("window_time_ms", time, {first}, {count});
      if (bars) writer_.write<double>("window_bar_px", bar, {first}, {count});
      if (stimulus.level != Level::channel)
        writer_.write<int>(std::string(to_string(stimulus.level)) + "_window_index", index, {stimulus.first_stored + begin},
                           {count});
    }
  }
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

/// Writes values (W, M, tail...) of a showing's M cells at windows [first, first + W) of `name`, all cells at once.
template <class T>
void AttributionFile::write_rows(const std::string& name, const std::vector<T>& values, const Place& place, std::size_t first,
                                 const std::vector<std::size_t>& tail) {
  const std::size_t cells = plan_.cells.size(), here = place.showing.cells.size();
  std::vector<std::size_t> offset{first, 0}, count{place.windows, cells};
  offset.resize(2 + tail.size(), 0);
  count.insert(count.end(), tail.begin(), tail.end());
  if (here == cells) return writer_.write<T>(name, values, offset, count);
  Gathered& gathered = gathered_[name];
  if (gathered.cells == 0) gathered.rows = std::vector<T>(values.size() / here * cells);
  auto& rows = std::get<std::vector<T>>(gathered.rows);
  place_cells(values, place.showing.cells, place.windows, rows);
  gathered.cells += here;
  if (gathered.cells < cells) return;
  writer_.write<T>(name, rows, offset, count);
  gathered_.erase(name);
}

/// Those of the figures that are wanted and that the level has.
void AttributionFile::write_level(const std::string& prefix, const LevelFigures& figures, const Place& place, std::size_t first,
                                  const std::vector<std::size_t>& tail) {
  const auto write = [&](const char* name, const std::vector<float>& values) {
    if (settings_.wants(name) && !values.empty()) write_rows(prefix + name, values, place, first, tail);
  };
  write("attribution", figures.attribution);
  write("downstream_weight", figures.downstream_weight);
  write("response_weight", figures.response_weight);
  write("drive", figures.drive);
  write("response_change", figures.response_change);
}

void AttributionFile::write_top(const std::string& level, LevelFigures figures, const Place& place, std::size_t kept) {
  const TopRows top = select_top(figures.attribution, place.windows * place.showing.cells.size(), kept);
  for (std::vector<float>* values :
       {&figures.attribution, &figures.downstream_weight, &figures.response_weight, &figures.drive, &figures.response_change})
    *values = take_top(*values, top);
  write_rows(level + "_top_index", top.index, place, place.stored, {kept});
  write_rows(level + "_rest_attribution", top.rest, place, place.stored, {});
  write_level(level + "_top_", figures, place, place.stored, {kept});
}

void AttributionFile::write_channels(const Place& place, const Block& block) {
  write_rows("rate", block.rate.values(), place, place.window, {});
  write_rows("baseline_rate", block.baseline_rate.values(), place, place.window, {});
  write_rows("residual", block.residual.values(), place, place.window, {});
  write_rows("error_estimate", block.error_estimate.values(), place, place.window, {});
  write_rows("panels", block.panels.values(), place, place.window, {});
  write_rows("flag", block.flag.values(), place, place.window, {});
  write_level("", channel_level(block), place, place.window, {layer_.channels});
}

void AttributionFile::write_fine(const Place& place, Level level, const Block& block) {
  const LevelAxes axes = level_axes(level, layer_, architecture_);
  const LevelFigures figures = level == Level::position ? position_level(block)
                               : level == Level::unit   ? unit_level(block, settings_.weights)
                               : of_second_layer(level) ? second_level(block, level)
                                                        : LevelFigures{block.pixels, {}, {}, {}, {}};
  if (of_second_layer(level))
    write_rows(std::string(to_string(level)) + "_residual", block.second.residual.values(), place, place.stored, {});
  if (keeps_top(level, settings_)) return write_top(to_string(level), figures, place, axes.kept(settings_));
  write_level(std::string(to_string(level)) + "_", figures, place, place.stored, axes.sizes);
}

void AttributionFile::write_task(const Task& task, const Showing& showing, std::size_t of, const Block& block) {
  const PlannedStimulus& stimulus = plan_.stimuli[of];
  writer_.record(&blocks_);
  const Place place{showing, stimulus.first_window + task.first, stimulus.first_stored + task.first, task.windows};
  write_channels(place, block);
  if (stimulus.level != Level::channel) write_fine(place, stimulus.level, block);
  writer_.record(nullptr);
}

}  // namespace amacrine::attribution
