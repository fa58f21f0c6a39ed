// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/reduction_file.hpp"

#include "figures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace amacrine::reduction {

namespace {

constexpr double absent = std::numeric_limits<double>::quiet_NaN();

using Names = std::vector<std::string>;

std::vector<std::size_t> joined(std::vector<std::size_t> at, const std::vector<std::size_t>& more) {
  at.insert(at.end(), more.begin(), more.end());
  return at;
}

/// Declares a flag with its values' meanings (words).
void declare_flag(io::ResultWriter& writer, const std::string& name, const Names& dimensions, const std::string& long_name,
                  const std::vector<double>& values, const std::string& meanings) {
  writer.variable({name, io::Type::int8, dimensions, "1", long_name, {{"flag_meanings", meanings}}});
  writer.attribute("flag_values", values, name);
}

}  // namespace

ReductionFile::ReductionFile(const parallel::Communicator& communicator, const std::string& path, const AttributionFile& source,
                             const std::vector<ChannelLabel>& labels, const ReductionSettings& settings,
                             const io::Provenance& provenance)
    : writer_(communicator, path, "reduction", provenance),
      layer_(source.layer()),
      lines_(source.lines()),
      conditions_(source.conditions()),
      slots_(static_cast<std::size_t>(settings.keep_at_most)),
      joint_slots_(static_cast<std::size_t>(settings.keep_at_most_joint)) {
  for (const auto& condition : conditions_) {
    const std::string stimulus = stimulus_of(condition.name);
    if (std::find(stimuli_.begin(), stimuli_.end(), stimulus) == stimuli_.end()) stimuli_.push_back(stimulus);
    frames_ = std::max(frames_, condition.windows);
    if (condition.symmetry != stimulus::Symmetry::full_field) columns_ = layer_.columns();
  }
  writer_.attribute("subject", source.subject());
  writer_.attribute("held_out_every", static_cast<double>(settings.held_out_every));
  writer_.attribute("softplus_beta", layer_.softplus_beta);
  writer_.attribute("least_share", settings.least_share);
  declare_dimensions(source, settings);
  declare_variables();
  writer_.create();
  if (communicator.root()) {
    write_channels(labels);
    write_conditions();
  }
}

void ReductionFile::declare_dimensions(const AttributionFile& source, const ReductionSettings&) {
  const auto numbered = [](std::size_t count, double step) {
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = step * static_cast<double>(i);
    return values;
  };
  Names conditions;
  for (const auto& condition : conditions_) conditions.push_back(condition.name);
  const std::size_t history = layer_.kernel.extent(1);
  std::vector<double> lag = numbered(history, layer_.frame_ms);
  for (double& value : lag) value += layer_.minimum_lag * layer_.frame_ms;
  writer_.dimension({"cell", source.cells().size(), "1", "cell", {}, source.cells()});
  writer_.dimension({"stimulus", stimuli_.size(), "1", "stimulus", {}, stimuli_});
  writer_.dimension({"condition", conditions.size(), "1", "condition of a stimulus", {}, conditions});
  writer_.dimension({"pathway", slots_, "1", "rank of the pathway in one stimulus", numbered(slots_, 1), {}});
  writer_.dimension(
      {"joint_pathway", joint_slots_, "1", "rank of the pathway in the set for all stimuli", numbered(joint_slots_, 1), {}});
  writer_.dimension({"channel", layer_.channels.size(), "1", "first-layer channel", {}, layer_.channels});
  writer_.dimension({"column", columns_, "1", "column of the first layer's output", numbered(columns_, 1), {}});
  writer_.dimension({"lag", history, "ms", "time before the rate's frame", lag, {}});
  writer_.dimension({"lobe", lobes_, "1", "lobe of the temporal filter", numbered(lobes_, 1), {}});
  writer_.dimension(
      {"frame", frames_, "ms", "time since the first attributed frame of the condition", numbered(frames_, layer_.frame_ms), {}});
  writer_.dimension({"lesion", 2, "1", "what is done to a pathway", {}, {"zero", "grey"}});
}

void ReductionFile::declare_variables() {
  const auto f32 = io::Type::float32;
  const auto i32 = io::Type::int32;
  writer_.variable({"condition_stimulus", i32, {"condition"}, "1", "index of the condition's stimulus", {}});
  declare_flag(writer_, "held_out", {"condition"}, "kept out of every fit", {0, 1}, "fitted held_out");
  writer_.variable({"condition_first_frame", i32, {"condition"}, "1", "movie frame of the first attributed one", {}});
  writer_.variable({"condition_frames", i32, {"condition"}, "1", "attributed frames", {}});
  writer_.variable({"rate", f32, {"cell", "condition", "frame"}, "Hz", "response of the network", {}});
  writer_.variable({"rest", f32, {"cell"}, "Hz", "response of the network to grey, F[s0]", {}});
  writer_.variable({"share_of_ceiling", f32, {"cell"}, "1", "score on the recording's test part over its ceiling", {}});
  writer_.variable({"channel_share", f32, {"cell", "stimulus", "channel"}, "1", "part of the summed absolute attribution", {}});
  writer_.variable(
      {"column_share", f32, {"cell", "stimulus", "channel", "column"}, "1", "part of the summed absolute attribution", {}});
  writer_.variable(
      {"temporal_filter", f32, {"channel", "lag"}, "1", "temporal filter that gives the polarity, largest absolute value 1", {}});
  declare_flag(writer_, "filter_from_centre", {"channel"}, "filter taken from the receptive field's centre", {0, 1},
               "sum_over_space centre");
  declare_flag(writer_, "channel_polarity", {"channel"}, "answers light or dark", {-1, 0, 1}, "OFF mixed ON");
  writer_.variable({"lobe_lag", f32, {"channel", "lobe"}, "ms", "lag at which a lobe peaks, earliest first", {}});
  writer_.variable({"lobe_height", f32, {"channel", "lobe"}, "1", "height relative to the largest lobe, + answers light", {}});
  declare_pathways("", {"cell", "stimulus", "pathway"});
  declare_pathways("joint/", {"cell", "joint_pathway"});
  declare_scores("", {"cell", "stimulus"});
  declare_scores("joint/", {"cell"});
  for (const std::string name : {"stimulus_r_fitted", "stimulus_r_held_out", "stimulus_fve"})
    writer_.variable({"joint/" + name, f32, {"cell", "stimulus"}, "1", "score of the one set on each stimulus", {}});
  declare_traces("", "pathway");
  declare_traces("joint/", "joint_pathway");
  writer_.variable({"lesioned",
                    f32,
                    {"cell", "condition", "pathway", "lesion", "frame"},
                    "Hz",
                    "reduced model's response without one pathway",
                    {}});
}

void ReductionFile::declare_pathways(const std::string& prefix, const Names& dimensions) {
  declare_flag(writer_, prefix + "kept", dimensions, "the slot holds a pathway", {0, 1}, "empty kept");
  declare_flag(writer_, prefix + "gain_part", dimensions, "the channel's units with that sign of gain alone", {-1, 0, 1},
               "negative all positive");
  for (const Figure& figure : pathway_figures())
    if (figure.values.empty())
      writer_.variable({prefix + figure.name, figure.type, dimensions, figure.units, figure.long_name, {}});
    else
      declare_flag(writer_, prefix + figure.name, dimensions, figure.long_name, figure.values, figure.meanings);
}

void ReductionFile::declare_scores(const std::string& prefix, const Names& dimensions) {
  writer_.variable({prefix + "pathways_found", io::Type::int32, dimensions, "1", "pathways kept", {}});
  writer_.variable(
      {prefix + "pathways_used", io::Type::int32, dimensions, "1", "pathways kept whose fitted weight is not 0", {}});
  for (const Total& total : totals())
    writer_.variable({prefix + total.name, io::Type::float32, dimensions, total.units, total.long_name, {}});
}

void ReductionFile::declare_traces(const std::string& prefix, const std::string& pathway) {
  const auto f32 = io::Type::float32;
  const Names whole{"cell", "condition", "frame"}, each{"cell", "condition", pathway, "frame"};
  writer_.variable({prefix + "reduced", f32, whole, "Hz", "response of the reduced model", {}});
  writer_.variable({prefix + "attribution_rest", f32, whole, "Hz", "attribution of everything not kept", {}});
  writer_.variable({prefix + "attribution", f32, each, "Hz", "attribution of the pathway", {}});
  writer_.variable({prefix + "drive", f32, each, "1", "W * (s - s0), mean over the pathway's columns", {}});
  writer_.variable(
      {prefix + "downstream", f32, each, "Hz", "effective downstream weight G, summed over the pathway's columns", {}});
  writer_.variable({prefix + "output", f32, each, "1", "activity of the pathway in the reduced model", {}});
}

void ReductionFile::write_channels(const std::vector<ChannelLabel>& labels) {
  const std::size_t channels = labels.size(), history = layer_.kernel.extent(1);
  core::Array<double, 2> filter({channels, history}), lag({channels, lobes_}, absent), height({channels, lobes_}, absent);
  std::vector<std::int32_t> centre(channels), polarities(channels);
  const auto lines = lines_of(layer_, false);
  for (std::size_t c = 0; c < channels; ++c) {
    const int gain = lines[c].gain_sign;
    std::copy(labels[c].filter.value.begin(), labels[c].filter.value.end(), filter.row(c).begin());
    centre[c] = labels[c].filter.from_centre;
    polarities[c] = polarity(labels[c].lobes, gain);
    for (std::size_t k = 0; k < std::min(lobes_, labels[c].lobes.size()); ++k) {
      lag(c, k) = (labels[c].lobes[k].lag + layer_.minimum_lag) * layer_.frame_ms;
      height(c, k) = labels[c].lobes[k].height * (gain == 0 ? 1 : gain);
    }
  }
  writer_.write<double>("temporal_filter", filter.values());
  writer_.write<std::int32_t>("filter_from_centre", centre);
  writer_.write<std::int32_t>("channel_polarity", polarities);
  writer_.write<double>("lobe_lag", lag.values());
  writer_.write<double>("lobe_height", height.values());
}

void ReductionFile::write_conditions() {
  std::vector<std::int32_t> stimulus, held_out, frames;
  for (const auto& condition : conditions_) {
    const auto at = std::find(stimuli_.begin(), stimuli_.end(), stimulus_of(condition.name));
    stimulus.push_back(static_cast<std::int32_t>(at - stimuli_.begin()));
    held_out.push_back(condition.held_out);
    frames.push_back(static_cast<std::int32_t>(condition.windows));
  }
  writer_.write<std::int32_t>("condition_stimulus", stimulus);
  writer_.write<std::int32_t>("held_out", held_out);
  writer_.write<std::int32_t>("condition_frames", frames);
}

void ReductionFile::write_cell(std::size_t cell, const AttributedCell& attributed, const CellReduction& reduction) {
  core::Array<double, 2> rate({conditions_.size(), frames_}, absent);
  std::vector<std::int32_t> first;
  for (std::size_t k = 0; k < conditions_.size(); ++k) {
    std::copy(attributed.conditions[k].rate.begin(), attributed.conditions[k].rate.end(), rate.row(k).begin());
    first.push_back(attributed.conditions[k].frames.front());
  }
  if (cell == 0) writer_.write<std::int32_t>("condition_first_frame", first);
  writer_.write<double>("rate", rate.values(), {cell, 0, 0}, {1, conditions_.size(), frames_});
  writer_.write<double>("rest", std::vector<double>{reduction.rest}, {cell}, {1});
  writer_.write<double>("share_of_ceiling", std::vector<double>{reduction.share_of_ceiling}, {cell}, {1});
  write_shares(cell, reduction);
  for (std::size_t s = 0; s < stimuli_.size(); ++s) {
    const Score fitted = reduction.joint_fitted[s], held_out = reduction.joint_held_out[s];
    write_pathways("", {cell, s}, reduction.stimuli[s], slots_);
    write_scores("", {cell, s}, reduction.stimuli[s]);
    write_traces("", cell, attributed, reduction.stimuli[s], slots_);
    write_lesions(cell, attributed, reduction.stimuli[s]);
    writer_.write<double>("joint/stimulus_r_fitted", std::vector<double>{fitted.r}, {cell, s}, {1, 1});
    writer_.write<double>("joint/stimulus_r_held_out", std::vector<double>{held_out.r}, {cell, s}, {1, 1});
    writer_.write<double>("joint/stimulus_fve", std::vector<double>{std::isfinite(held_out.fve) ? held_out.fve : fitted.fve},
                          {cell, s}, {1, 1});
  }
  write_pathways("joint/", {cell}, reduction.joint, joint_slots_);
  write_scores("joint/", {cell}, reduction.joint);
  write_traces("joint/", cell, attributed, reduction.joint, joint_slots_);
}

void ReductionFile::write_shares(std::size_t cell, const CellReduction& reduction) {
  const std::size_t channels = layer_.channels.size();
  for (std::size_t s = 0; s < stimuli_.size(); ++s) {
    core::Array<double, 2> columns({channels, columns_}, absent);
    if (!reduction.stimuli[s].column_share.empty()) columns = reduction.stimuli[s].column_share;
    writer_.write<double>("channel_share", reduction.stimuli[s].channel_share, {cell, s, 0}, {1, 1, channels});
    writer_.write<double>("column_share", columns.values(), {cell, s, 0, 0}, {1, 1, channels, columns_});
  }
}

void ReductionFile::write_pathways(const std::string& prefix, const std::vector<std::size_t>& at, const Reduction& reduction,
                                   std::size_t slots) {
  const auto offset = joined(at, {0});
  auto count = std::vector<std::size_t>(at.size(), 1);
  count.push_back(slots);
  std::vector<std::int32_t> kept(slots, 0);
  std::fill_n(kept.begin(), reduction.pathways.size(), 1);
  writer_.write<std::int32_t>(prefix + "kept", kept, offset, count);
  std::vector<std::int32_t> part(slots, 0);
  for (std::size_t i = 0; i < reduction.pathways.size(); ++i) part[i] = gain_part(lines_, reduction.pathways[i]);
  writer_.write<std::int32_t>(prefix + "gain_part", part, offset, count);
  for (const Figure& figure : pathway_figures()) {
    const double fill = figure.type == io::Type::float32 ? absent : figure.type == io::Type::int32 ? -1.0 : 0.0;
    std::vector<double> values(slots, fill);
    for (std::size_t i = 0; i < reduction.pathways.size(); ++i) values[i] = figure.value(reduction, i);
    writer_.write<double>(prefix + figure.name, values, offset, count);
  }
}

void ReductionFile::write_scores(const std::string& prefix, const std::vector<std::size_t>& at, const Reduction& reduction) {
  const std::vector<std::size_t> one(at.size(), 1);
  const auto write_count = [&](const char* name, std::size_t count) {
    writer_.write<std::int32_t>(prefix + name, std::vector<std::int32_t>{static_cast<std::int32_t>(count)}, at, one);
  };
  write_count("pathways_found", reduction.pathways.size());
  write_count("pathways_used", reduction.used());
  for (const Total& total : totals())
    writer_.write<double>(prefix + total.name, std::vector<double>{total.value(reduction)}, at, one);
}

void ReductionFile::write_traces(const std::string& prefix, std::size_t cell, const AttributedCell& attributed,
                                 const Reduction& reduction, std::size_t slots) {
  const std::size_t found = reduction.pathways.size();
  std::size_t row = 0;
  for (std::size_t k : reduction.conditions) {
    const AttributedCondition& condition = attributed.conditions[k];
    core::Array<double, 2> attribution({slots, frames_}, absent), drive = attribution, downstream = attribution,
                                                                  output = attribution;
    std::vector<double> reduced(frames_, absent), rest(frames_, absent);
    for (std::size_t t = 0; t < condition.size(); ++t, ++row) {
      reduced[t] = reduction.reduced[row];
      double all = 0;
      for (std::size_t l = 0; l < lines_.size(); ++l)
        for (std::size_t x = 0; x < condition.columns(); ++x) all += condition.attribution(t, l, x);
      rest[t] = all;
      for (std::size_t i = 0; i < found; ++i) {
        const Pathway& pathway = reduction.pathways[i];
        attribution(i, t) = summed(pathway, condition.attribution, t);
        drive(i, t) = mean_drive(pathway, condition.drive, t);
        downstream(i, t) = summed(pathway, condition.downstream, t);
        output(i, t) = reduction.activity(i, row);
        rest[t] -= attribution(i, t);
      }
    }
    const std::vector<std::size_t> offset{cell, k, 0, 0}, count{1, 1, slots, frames_};
    writer_.write<double>(prefix + "reduced", reduced, {cell, k, 0}, {1, 1, frames_});
    writer_.write<double>(prefix + "attribution_rest", rest, {cell, k, 0}, {1, 1, frames_});
    writer_.write<double>(prefix + "attribution", attribution.values(), offset, count);
    writer_.write<double>(prefix + "drive", drive.values(), offset, count);
    writer_.write<double>(prefix + "downstream", downstream.values(), offset, count);
    writer_.write<double>(prefix + "output", output.values(), offset, count);
  }
}

void ReductionFile::write_lesions(std::size_t cell, const AttributedCell& attributed, const Reduction& reduction) {
  std::size_t row = 0;
  for (std::size_t k : reduction.conditions) {
    const std::size_t frames = attributed.conditions[k].size();
    core::Array<double, 3> lesioned({slots_, 2, frames_}, absent);
    for (std::size_t i = 0; i < reduction.pathways.size(); ++i)
      for (std::size_t lesion = 0; lesion < 2; ++lesion)
        for (std::size_t t = 0; t < frames; ++t) lesioned(i, lesion, t) = reduction.lesioned(i, lesion, row + t);
    row += frames;
    writer_.write<double>("lesioned", lesioned.values(), {cell, k, 0, 0, 0}, {1, 1, slots_, 2, frames_});
  }
}

}  // namespace amacrine::reduction
