// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/attribution_file.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/reduction/sums.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::reduction {

using stimulus::Symmetry;

namespace {

template <class T, std::size_t Rank>
core::Array<T, Rank> read_array(const io::Reader& reader, const std::string& dataset) {
  const auto shape = reader.shape(dataset);
  core::require<core::InputError>(shape.size() == Rank, "{}: {} has {} dimensions, expected {}", reader.path(), dataset,
                                  shape.size(), Rank);
  typename core::Array<T, Rank>::Shape extents;
  std::copy(shape.begin(), shape.end(), extents.begin());
  return core::Array<T, Rank>(extents, reader.read<T>(dataset));
}

void require_finite(const io::Reader& reader, const std::string& dataset, const std::vector<double>& values) {
  for (double v : values)
    core::require<core::InputError>(
        std::isfinite(v), "{}: {} holds a value that is not finite; attribute again (rows with flag 2 cannot be reduced)",
        reader.path(), dataset);
}

}  // namespace

AttributionFile::AttributionFile(const std::string& path, const ReductionSettings& settings) : path_(path), reader_(path) {
  core::require<core::InputError>(reader_.kind() == "attributions",
                                  "{} is of kind '{}', expected 'attributions', written by `amacrine attribute`", path,
                                  reader_.kind());
  subject_ = reader_.text_attribute("subject");
  core::require<core::InputError>(
      !reader_.has_attribute("rectified") || reader_.attribute("rectified") != 0,
      "{}: the first layer of '{}' is not rectified (a linear-nonlinear model): it has no pathways to reduce to", path, subject_);
  for (const char* needed : {"attribution", "drive", "downstream_weight"})
    core::require<core::InputError>(reader_.has(needed),
                                    "{}: there is no {}; attribute with it among attribution.quantities to reduce", path, needed);
  cells_ = reader_.read_strings("cell");
  read_layer();
  choose_levels(settings);
}

void AttributionFile::read_layer() {
  layer_.channels = reader_.read_strings("channel");
  layer_.kernel = read_array<float, 4>(reader_, "kernel");
  layer_.gain = read_array<float, 3>(reader_, "gain");
  layer_.rest = read_array<float, 3>(reader_, "baseline_input");
  layer_.frame_ms = reader_.attribute("frame_ms");
  layer_.minimum_lag = reader_.attribute("minimum_lag");
  layer_.softplus_beta = reader_.attribute("softplus_beta");
  layer_.linear_output = reader_.text_attribute("target") == "before_softplus";
}

std::string AttributionFile::level_of(const StoredCondition& condition) const {
  if (by_unit_) return "unit";
  const bool uniform = condition.symmetry == Symmetry::full_field || layer_.columns() * layer_.gain.extent(1) == 1;
  return uniform ? "channel" : "position";
}

void AttributionFile::choose_levels(const ReductionSettings& settings) {
  const auto names = reader_.read_strings("stimulus");
  const auto symmetry = reader_.read<std::int32_t>("stimulus_symmetry"),
             first = reader_.read<std::int32_t>("stimulus_first_window"), count = reader_.read<std::int32_t>("stimulus_windows");
  for (std::size_t s = 0; s < names.size(); ++s)
    conditions_.push_back({names[s], static_cast<std::size_t>(first[s]), static_cast<std::size_t>(count[s]), 0,
                           symmetry[s] == 1   ? Symmetry::full_field
                           : symmetry[s] == 2 ? Symmetry::along_y
                                              : Symmetry::none,
                           false});
  const auto windows_of = [&](const std::string& level) {
    return reader_.has(level + "_attribution") ? reader_.read<std::int32_t>(level + "_window_index")
                                               : std::vector<std::int32_t>{};
  };
  const auto stored_at = [](const std::vector<std::int32_t>& windows, const StoredCondition& condition) {
    return static_cast<std::size_t>(std::find(windows.begin(), windows.end(), static_cast<std::int32_t>(condition.first_window)) -
                                    windows.begin());
  };
  const auto positions = windows_of("position"), units = windows_of("unit");
  const auto mixed = lines_of(layer_, true).size() > layer_.channels.size();
  by_unit_ = mixed && std::all_of(conditions_.begin(), conditions_.end(), [&](const StoredCondition& c) {
               return c.symmetry != Symmetry::none && stored_at(units, c) < units.size();
             });
  lines_ = lines_of(layer_, by_unit_);
  std::vector<StoredCondition> usable;
  for (StoredCondition condition : conditions_) {
    const std::string level = level_of(condition);
    const auto& windows = level == "unit" ? units : positions;
    condition.first_stored = level == "channel" ? condition.first_window : stored_at(windows, condition);
    const bool there = level == "channel" || condition.first_stored < windows.size();
    if (there && condition.windows > 0 && !(level == "position" && condition.symmetry == Symmetry::none)) {
      usable.push_back(condition);
    } else {
      core::warn("{}: '{}' has no symmetry, or no attributions per position: it is left out of the reduction", path_,
                 condition.name);
    }
  }
  core::require<core::InputError>(
      !usable.empty(),
      "{}: none of its {} stimuli can be reduced; what is read are first-layer channels of full fields and positions "
      "of bars (attribution.levels = \"symmetry\")",
      path_, names.size());
  conditions_ = std::move(usable);
  std::vector<AttributedCondition> marks(conditions_.size());
  for (std::size_t k = 0; k < marks.size(); ++k) marks[k].stimulus = stimulus_of(conditions_[k].name);
  mark_held_out(marks, settings.held_out_every);
  for (std::size_t k = 0; k < marks.size(); ++k) conditions_[k].held_out = marks[k].held_out;
}

core::Array<double, 3> AttributionFile::read_values(const std::string& dataset, const StoredCondition& condition,
                                                    std::size_t cell) const {
  const auto shape = reader_.shape(dataset);
  core::require<core::InputError>(shape.size() >= 3 && shape[1] == cells_.size() && shape[2] == layer_.channels.size(),
                                  "{}: {} does not have the dimensions window x cell x channel", path_, dataset);
  std::vector<std::size_t> offset(shape.size(), 0), count = shape;
  offset[0] = condition.first_stored;
  offset[1] = cell;
  count[0] = condition.windows;
  count[1] = 1;
  auto values = reader_.read<double>(dataset, offset, count);
  require_finite(reader_, dataset, values);
  return core::Array<double, 3>({condition.windows, shape[2], shape.size() > 3 ? shape[3] : 1}, std::move(values));
}

void AttributionFile::read_units(const StoredCondition& condition, std::size_t cell, AttributedCondition& out) const {
  const std::size_t channels = layer_.gain.extent(0), height = layer_.gain.extent(1), width = layer_.gain.extent(2);
  const std::size_t columns = condition.symmetry == Symmetry::full_field ? 1 : width;
  out.attribution = out.drive = out.downstream = core::Array<double, 3>({condition.windows, lines_.size(), columns});
  const auto read = [&](const std::string& dataset, std::size_t t) {
    return core::Array<float, 3>(
        {channels, height, width},
        reader_.read<float>(dataset, {condition.first_stored + t, cell, 0, 0, 0}, {1, 1, channels, height, width}));
  };
  for (std::size_t t = 0; t < condition.windows; ++t) {
    const auto drive = read("unit_drive", t);
    const auto attribution = sum_by_gain_and_symmetry(read("unit_attribution", t), layer_.gain, condition.symmetry);
    const auto downstream = sum_by_gain_and_symmetry(read("unit_downstream_weight", t), layer_.gain, condition.symmetry);
    for (std::size_t l = 0; l < lines_.size(); ++l)
      for (std::size_t x = 0; x < columns; ++x) {
        const auto part = static_cast<std::size_t>(lines_[l].gain_sign > 0 ? 0 : 1),
                   c = static_cast<std::size_t>(lines_[l].channel);
        out.attribution(t, l, x) = attribution[part](c, x);
        out.downstream(t, l, x) = downstream[part](c, x);
        out.drive(t, l, x) = static_cast<double>(drive(c, 0, x));
      }
  }
  require_finite(reader_, "unit_attribution", out.attribution.values());
}

AttributedCondition AttributionFile::read_condition(const StoredCondition& stored, std::size_t cell) const {
  AttributedCondition condition;
  condition.name = stored.name;
  condition.stimulus = stimulus_of(stored.name);
  condition.held_out = stored.held_out;
  condition.frames = reader_.read<std::int32_t>("window_frame", {stored.first_window}, {stored.windows});
  condition.rate = reader_.read<double>("rate", {stored.first_window, cell}, {stored.windows, 1});
  require_finite(reader_, "rate", condition.rate);
  const std::string level = level_of(stored), prefix = level == "channel" ? "" : level + "_";
  if (level == "unit") {
    read_units(stored, cell, condition);
    return condition;
  }
  condition.attribution = read_values(prefix + "attribution", stored, cell);
  condition.drive = read_values(prefix + "drive", stored, cell);
  condition.downstream = read_values(prefix + "downstream_weight", stored, cell);
  return condition;
}

AttributedCell AttributionFile::read_cell(std::size_t cell) const {
  AttributedCell result;
  result.name = cells_.at(cell);
  result.rest = reader_.read<double>("baseline_rate", {conditions_.front().first_window, cell}, {1, 1}).front();
  // Without a stored centre positions are relative to the middle of the canvas.
  const double canvas = static_cast<double>(layer_.columns() + layer_.kernel.extent(3) - 2) / 2;
  result.centre_x = reader_.has("cell_centre_x") ? reader_.read<double>("cell_centre_x", {cell}, {1}).front() : canvas;
  if (!std::isfinite(result.centre_x)) result.centre_x = canvas;
  for (const auto& condition : conditions_) result.conditions.push_back(read_condition(condition, cell));
  return result;
}

}  // namespace amacrine::reduction
