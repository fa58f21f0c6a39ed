// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/lesion_file.hpp"

#include "amacrine/core/numbers.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace amacrine::lesion {

namespace {

using Names = std::vector<std::string>;

/// The curves of an order, by the name of their variable.
const std::vector<std::pair<const char*, const std::vector<double>& (*)(const OrderResult&)>>& curve_columns() {
  using R = const OrderResult&;
  using V = const std::vector<double>&;
  static const std::vector<std::pair<const char*, V (*)(R)>> list{
      {"faithfulness", [](R r) -> V { return r.kept.faithfulness; }},
      {"distance", [](R r) -> V { return r.kept.distance; }},
      {"faithfulness_without", [](R r) -> V { return r.without.faithfulness; }},
      {"distance_without", [](R r) -> V { return r.without.distance; }}};
  return list;
}

/// What is said of responses without pathways.
const std::vector<std::pair<const char*, std::vector<double> Curve::*>>& pathway_columns() {
  static const std::vector<std::pair<const char*, std::vector<double> Curve::*>> list{{"faithfulness", &Curve::faithfulness},
                                                                                      {"distance", &Curve::distance}};
  return list;
}

std::vector<double> numbered(std::size_t count, double step = 1) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = step * static_cast<double>(i);
  return values;
}

}  // namespace

LesionFile::LesionFile(const parallel::Communicator& communicator, const std::string& path, const LesionPlan& plan,
                       const Names& cells, const attribution::AttributionSettings& attribution, const LesionSettings& settings,
                       const io::Provenance& provenance)
    : writer_(communicator, path, "lesions", provenance),
      plan_(plan),
      draws_(static_cast<std::size_t>(settings.random_orders)),
      frames_(plan.most_frames()),
      slots_(plan.pathway_slots) {
  declare_dimensions(cells, plan.windows.screen.frame_ms);
  declare_variables();
  writer_.attribute("subject", std::string("network"));
  writer_.attribute("target", std::string(attribution::to_string(attribution.target)));
  writer_.attribute("units", static_cast<double>(plan.sizes.back().units));
  writer_.attribute("orders_of", std::string(settings.order_per_window ? "window" : "stimulus"));
  writer_.create();
  if (communicator.root()) write_frame();
}

std::size_t LesionFile::bytes(const LesionPlan& plan, const LesionSettings& settings) {
  const std::size_t sizes = plan.sizes.size(), draws = static_cast<std::size_t>(settings.random_orders);
  const std::size_t orders = scored_orders + 1, areas = area_names().size();
  const std::size_t of_task = 4 * sizes * (orders + draws) + areas * (orders + draws) + 8 + 3 * plan.pathway_slots;
  const std::size_t traces = plan.windows.stimuli.size() * plan.most_frames() * (4 + plan.pathway_slots);
  return sizeof(double) * plan.tasks() * of_task + sizeof(float) * plan.cells() * traces;
}

void LesionFile::declare_dimensions(const Names& cells, double frame_ms) {
  Names stimuli, conditions;
  for (const auto& stimulus : plan_.stimuli) stimuli.push_back(stimulus.name);
  for (const auto& condition : plan_.windows.stimuli) conditions.push_back(condition.condition.name);
  std::vector<double> fractions;
  for (const Size& size : plan_.sizes) fractions.push_back(size.fraction);
  writer_.dimension({"cell", cells.size(), "1", "cell", {}, cells});
  writer_.dimension({"stimulus", stimuli.size(), "1", "stimulus", {}, stimuli});
  writer_.dimension({"condition", conditions.size(), "1", "condition of a stimulus", {}, conditions});
  writer_.dimension({"order", order_names().size(), "1", "what units are ranked by", {}, order_names()});
  writer_.dimension({"draw", draws_, "1", "random order", numbered(draws_), {}});
  writer_.dimension({"size", fractions.size(), "1", "part of the first layer's units", fractions, {}});
  writer_.dimension({"pathway",
                     std::max<std::size_t>(slots_, 1),
                     "1",
                     "rank of the pathway in one stimulus",
                     numbered(std::max<std::size_t>(slots_, 1)),
                     {}});
  writer_.dimension(
      {"frame", frames_, "ms", "time since the first attributed frame of the condition", numbered(frames_, frame_ms), {}});
}

void LesionFile::declare_variables() {
  const auto declare = [&](io::Type type, const std::string& name, const Names& dimensions, const std::string& units,
                           const std::string& title) {
    writer_.variable({name, type, dimensions, units, title, {}});
  };
  using enum io::Type;
  const Names task{"cell", "stimulus"}, trace{"cell", "condition", "frame"};
  declare(int32, "size_units", {"size"}, "1", "units");
  declare(int32, "condition_stimulus", {"condition"}, "1", "index of the condition's stimulus");
  declare(int32, "condition_first_frame", {"condition"}, "1", "movie frame of the first one");
  declare(int32, "condition_frames", {"condition"}, "1", "frames that hold values");
  declare(float64, "rest", {"cell"}, "Hz", "response to the baseline");
  declare(int32, "windows", task, "1", "windows of the stimulus");
  declare(int32, "windows_responding", task, "1", "of these, windows that respond");
  declare(int32, "windows_used", task, "1", "of these, windows that the curves are of");
  declare(float64, "response_used", task, "1", "their part of the summed absolute response less rest");
  for (const auto& [name, unused] : curve_columns()) {
    static_cast<void>(unused);
    const std::string without = std::string(name).ends_with("without") ? "all but the first units" : "the first units alone";
    const std::string what = std::string(name).starts_with("f") ? "part of the response that is left"
                                                                : "mean absolute difference from the response, as a part of it";
    declare(float64, name, {"cell", "stimulus", "order", "size"}, "1", what + ": " + without + " of an order");
    declare(float64, std::string("random_") + name, {"cell", "stimulus", "draw", "size"}, "1",
            what + ": " + without + " of a random order");
  }
  for (const std::string& name : area_names()) {
    declare(float64, name, {"cell", "stimulus", "order"}, "1", "area of a curve (docs/results/lesions.md)");
    declare(float64, "random_" + name, {"cell", "stimulus", "draw"}, "1", "area of a random order's curve");
  }
  declare(float32, "rate", trace, "Hz", "response of the network");
  writer_.variable({"used", int8, trace, "1", "the curves are of this window", {{"flag_meanings", "no yes"}}});
  writer_.attribute("flag_values", std::vector<double>{0, 1}, "used");
  declare(float32, "only_pathways", trace, "Hz", "response with the units of the pathways alone");
  declare(float32, "without_pathways", trace, "Hz", "response with all units but those of the pathways");
  declare(float32, "without_pathway", {"cell", "condition", "pathway", "frame"}, "Hz", "response without the units of a pathway");
  for (const auto& [name, unused] : pathway_columns()) {
    static_cast<void>(unused);
    const std::string what = std::string(name) + " of the response, over all windows of the stimulus: ";
    declare(float64, std::string(name) + "_without_pathway", {"cell", "stimulus", "pathway"}, "1", what + "without a pathway");
    declare(float64, std::string(name) + "_without_pathways", task, "1", what + "without all pathways");
    declare(float64, std::string(name) + "_only_pathways", task, "1", what + "with the pathways alone");
  }
  declare(int32, "pathway_units", {"cell", "stimulus", "pathway"}, "1", "units of a pathway; -1: no such pathway");
}

void LesionFile::write_frame() {
  std::vector<std::int32_t> units, stimulus(plan_.windows.stimuli.size()), first, frames;
  units.reserve(plan_.sizes.size());
  for (auto* list : {&first, &frames}) list->reserve(plan_.windows.stimuli.size());
  for (const Size& size : plan_.sizes) units.push_back(static_cast<std::int32_t>(size.units));
  for (std::size_t s = 0; s < plan_.stimuli.size(); ++s)
    for (std::size_t condition : plan_.stimuli[s].conditions) stimulus[condition] = static_cast<std::int32_t>(s);
  for (const auto& condition : plan_.windows.stimuli) {
    first.push_back(static_cast<std::int32_t>(condition.first_frame));
    frames.push_back(static_cast<std::int32_t>(condition.windows));
  }
  writer_.write<std::int32_t>("size_units", units);
  writer_.write<std::int32_t>("condition_stimulus", stimulus);
  writer_.write<std::int32_t>("condition_first_frame", first);
  writer_.write<std::int32_t>("condition_frames", frames);
}

void LesionFile::write_curves(std::size_t cell, std::size_t stimulus, const StimulusLesions& found) {
  const std::size_t sizes = plan_.sizes.size();
  for (const bool random : {false, true}) {
    const std::string prefix = random ? "random_" : "";
    const std::vector<OrderResult>& results = random ? found.random : found.orders;
    const std::size_t count = random ? draws_ : order_names().size();
    for (const auto& [name, curve_of] : curve_columns()) {
      std::vector<double> values;
      for (const OrderResult& result : results) values.insert(values.end(), curve_of(result).begin(), curve_of(result).end());
      values.resize(count * sizes, core::undefined);
      writer_.write<double>(prefix + name, values, {cell, stimulus, 0, 0}, {1, 1, count, sizes});
    }
    for (std::size_t a = 0; a < area_names().size(); ++a) {
      std::vector<double> values;
      values.reserve(count);
      for (const OrderResult& result : results) values.push_back(area_values(result.summary)[a]);
      values.resize(count, core::undefined);
      writer_.write<double>(prefix + area_names()[a], values, {cell, stimulus, 0}, {1, 1, count});
    }
  }
}

void LesionFile::write_pathways(std::size_t cell, std::size_t stimulus, const StimulusLesions& found) {
  const std::size_t slots = std::max<std::size_t>(slots_, 1), count = found.pathway_units.size();
  std::vector<std::int32_t> units(found.pathway_units.begin(), found.pathway_units.end());
  units.resize(slots, -1);
  writer_.write<std::int32_t>("pathway_units", units, {cell, stimulus, 0}, {1, 1, slots});
  for (const auto& [name, member] : pathway_columns()) {
    std::vector<double> values = found.pathways.*member;
    values.resize(count + 2, core::undefined);
    for (std::size_t k : {std::size_t{0}, std::size_t{1}})
      writer_.write<double>(std::string(name) + (k == 0 ? "_without_pathways" : "_only_pathways"), std::vector{values[count + k]},
                            {cell, stimulus}, {1, 1});
    values.resize(count);
    values.resize(slots, core::undefined);
    writer_.write<double>(std::string(name) + "_without_pathway", values, {cell, stimulus, 0}, {1, 1, slots});
  }
}

void LesionFile::write_trace(const std::string& name, std::vector<std::size_t> at, const std::vector<double>& rows,
                             std::size_t first, std::size_t count) {
  std::vector<double> values(frames_, core::undefined);
  if (!rows.empty()) std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(first), count, values.begin());
  std::vector<std::size_t> extent(at.size(), 1);
  at.push_back(0);
  extent.push_back(frames_);
  writer_.write<double>(name, values, at, extent);
}

void LesionFile::write_traces(std::size_t cell, std::size_t stimulus, const StimulusLesions& found) {
  std::vector<double> used(found.rate.size(), 0.0);
  for (std::size_t row : found.chosen) used[row] = 1;
  std::size_t first = 0;
  for (std::size_t condition : plan_.stimuli[stimulus].conditions) {
    const std::size_t count = plan_.windows.stimuli[condition].windows;
    write_trace("rate", {cell, condition}, found.rate, first, count);
    write_trace("only_pathways", {cell, condition}, found.only_pathways, first, count);
    write_trace("without_pathways", {cell, condition}, found.without_pathways, first, count);
    std::vector<std::int32_t> flags(frames_, 0);
    std::copy_n(used.begin() + static_cast<std::ptrdiff_t>(first), count, flags.begin());
    writer_.write<std::int32_t>("used", flags, {cell, condition, 0}, {1, 1, frames_});
    for (std::size_t i = 0; i < std::max<std::size_t>(slots_, 1); ++i) {
      std::vector<double> rows;
      if (i < found.pathway_units.size()) rows.assign(found.without_pathway.row(i).begin(), found.without_pathway.row(i).end());
      write_trace("without_pathway", {cell, condition, i}, rows, first, count);
    }
    first += count;
  }
}

void LesionFile::write(std::size_t cell, std::size_t stimulus, const StimulusLesions& found) {
  const auto count = [&](const char* name, std::size_t value) {
    writer_.write<std::int32_t>(name, std::vector{static_cast<std::int32_t>(value)}, {cell, stimulus}, {1, 1});
  };
  if (stimulus == 0) writer_.write<double>("rest", std::vector{found.rest}, {cell}, {1});
  count("windows", found.rate.size());
  count("windows_responding", found.responding);
  count("windows_used", found.chosen.size());
  writer_.write<double>("response_used", std::vector{found.chosen.empty() ? core::undefined : found.share_used}, {cell, stimulus},
                        {1, 1});
  write_pathways(cell, stimulus, found);
  write_curves(cell, stimulus, found);
  write_traces(cell, stimulus, found);
}

std::string lesion_table(const LesionPlan& plan, const Names& cells, const std::vector<StimulusLesions>& results) {
  std::string text = fmt::format(
      "CMD, the area between a response and what the first units of an order leave of it (0: none)\n"
      "{:<16}{:<18}{:>8}",
      "cell", "stimulus", "windows");
  for (const std::string& name : order_names()) text += fmt::format("{:>20}", name);
  text += '\n';
  for (std::size_t task = 0; task < results.size(); ++task) {
    const StimulusLesions& found = results[task];
    text += fmt::format("{:<16}{:<18}{:>8}", cells[task / plan.stimuli.size()], plan.stimuli[task % plan.stimuli.size()].name,
                        found.chosen.size());
    if (found.orders.empty()) text += "  silent: left out";
    for (const OrderResult& result : found.orders) text += fmt::format("{:>20.4f}", result.summary.cmd.linear);
    text += '\n';
  }
  return text;
}

}  // namespace amacrine::lesion
