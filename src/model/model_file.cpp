// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/model/model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace amacrine::model {

using core::as_size;

namespace {

using Names = std::vector<std::string>;

/// "hidden0.kernel" is stored as "hidden0_kernel".
std::string stored_name(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

/// Dimensions of a parameter or statistic, by its name (docs/results/model.md).
Names dimensions_of(const Architecture& a, const ParameterEntry& entry) {
  if (entry.name == "readout.weight") {
    if (a.hidden.empty()) return {"cell", "lag", "y", "x"};
    const int last = a.layers() - 1;
    return {"cell", fmt::format("channel{}", last), fmt::format("row{}", last), fmt::format("column{}", last)};
  }
  if (entry.name.rfind("hidden", 0) != 0) return {"cell"};
  const int l = std::stoi(entry.name.substr(6));
  const std::string channel = fmt::format("channel{}", l);
  if (entry.name.ends_with(".kernel")) {
    return {channel, l == 0 ? "lag" : fmt::format("channel{}", l - 1), fmt::format("kernel{}_y", l),
            fmt::format("kernel{}_x", l)};
  }
  if (entry.shape.size() == 1) return {channel};
  return {channel, fmt::format("row{}", l), fmt::format("column{}", l)};
}

std::string long_name(const std::string& name) {
  const std::string what = name.substr(name.find('.') + 1);
  if (what == "kernel") return "convolution kernel, oldest frame first";
  if (what == "gamma" || what == "beta") return what == "gamma" ? "scale of the norm" : "shift of the norm";
  if (what == "mean" || what == "variance") return what + " used by the norm";
  return name.substr(0, name.find('.')) + " " + what;
}

Names cell_names(const Model& model) {
  Names names;
  for (const recording::Cell& cell : model.cells) names.push_back(cell.name);
  return names;
}

void declare_dimensions(io::ResultWriter& writer, const Model& model) {
  const Architecture& a = model.architecture;
  std::vector<double> lags;
  lags.reserve(as_size(a.history));
  for (int l = 0; l < a.history; ++l) lags.push_back((a.history - 1 - l + model.minimum_lag) * model.screen.frame_ms);
  writer.dimension({"cell", model.cells.size(), "1", "cell", {}, cell_names(model)});
  writer.dimension({"lag", as_size(a.history), "ms", "time before the target's bin", lags, {}});
  writer.dimension({"y", as_size(a.height), "px", "row of the screen", {}, {}});
  writer.dimension({"x", as_size(a.width), "px", "column of the screen", {}, {}});
  for (int l = 0; l < a.layers(); ++l) {
    const ConvLayer& layer = a.hidden[as_size(l)];
    Names names = l == 0 ? model.channel_names : Names{};
    for (std::size_t c = names.size(); c < as_size(layer.channels); ++c) names.push_back(fmt::format("channel {}", c));
    writer.dimension(
        {fmt::format("channel{}", l), as_size(layer.channels), "1", fmt::format("channel of hidden layer {}", l), {}, names});
    writer.dimension({fmt::format("kernel{}_y", l), as_size(layer.kernel_y), "px", "row of the kernel", {}, {}});
    writer.dimension({fmt::format("kernel{}_x", l), as_size(layer.kernel_x), "px", "column of the kernel", {}, {}});
    writer.dimension({fmt::format("row{}", l), as_size(a.out_y(l)), "px", "row of the layer's output", {}, {}});
    writer.dimension({fmt::format("column{}", l), as_size(a.out_x(l)), "px", "column of the layer's output", {}, {}});
  }
}

void declare_variables(io::ResultWriter& writer, const Model& model, const ParameterLayout& layout) {
  for (const auto* entries : {&layout.parameters, &layout.statistics}) {
    for (const ParameterEntry& entry : *entries) {
      writer.variable(
          {stored_name(entry.name), io::Type::float32, dimensions_of(model.architecture, entry), "1", long_name(entry.name), {}});
    }
  }
  writer.variable({"cell_id", io::Type::int32, {"cell"}, "1", "index on the recording's cell axis", {}});
  writer.variable({"centre_y", io::Type::float64, {"cell"}, "px", "row of the receptive-field centre", {}});
  writer.variable({"centre_x", io::Type::float64, {"cell"}, "px", "column of the receptive-field centre", {}});
  writer.variable({"centre_error", io::Type::float64, {"cell"}, "px", "standard error of a fitted centre", {}});
  writer.variable({"radius", io::Type::float64, {"cell"}, "px", "1 sd of the receptive field", {}});
  writer.variable({"silent", io::Type::int8, {"cell"}, "1", "no spikes in training", {{"flag_meanings", "active silent"}}});
  writer.variable(
      {"no_ceiling", io::Type::int8, {"cell"}, "1", "fewer than 2 repeats", {{"flag_meanings", "repeated no_ceiling"}}});
  for (const char* flag : {"silent", "no_ceiling"}) writer.attribute("flag_values", std::vector<double>{0, 1}, flag);
}

void declare_attributes(io::ResultWriter& writer, const Model& model) {
  writer.attribute("model_kind", model.kind);
  writer.attribute("architecture", to_json(model.architecture));
  writer.attribute("description", describe(model.architecture));
  writer.attribute("minimum_lag", static_cast<double>(model.minimum_lag));
  writer.attribute("contrast_zero", model.coding.zero);
  writer.attribute("contrast_unit", model.coding.unit);
  writer.attribute("frame_ms", model.screen.frame_ms);
  writer.attribute("pixel_um", model.screen.pixel_um);
  writer.attribute("normalisation", model.normalisation.kind);
  if (model.normalisation.mean.size() == 1) {
    writer.attribute("normalisation_mean", model.normalisation.mean[0]);
    writer.attribute("normalisation_scale", model.normalisation.scale[0]);
  } else {
    writer.variable({"normalisation_mean", io::Type::float64, {"y", "x"}, "1", "mean contrast of each pixel", {}});
    writer.variable({"normalisation_scale", io::Type::float64, {"y", "x"}, "1", "scale of each pixel's contrast", {}});
  }
}

template <class T, class Value>
void write_cells(io::ResultWriter& writer, const Model& model, const std::string& name, const Value& value) {
  std::vector<T> values;
  for (const recording::Cell& cell : model.cells) values.push_back(static_cast<T>(value(cell)));
  writer.write(name, std::span<const T>(values));
}

void write_values(io::ResultWriter& writer, const Model& model, const ParameterLayout& layout) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  for (const ParameterEntry& entry : layout.parameters)
    writer.write(stored_name(entry.name), std::span<const float>(model.parameters.data() + entry.offset, entry.size));
  for (const ParameterEntry& entry : layout.statistics)
    writer.write(stored_name(entry.name), std::span<const float>(model.statistics.data() + entry.offset, entry.size));
  write_cells<std::int32_t>(writer, model, "cell_id", [](const auto& cell) { return cell.id; });
  write_cells<double>(writer, model, "centre_y", [](const auto& cell) { return cell.centre ? cell.centre->y : unknown; });
  write_cells<double>(writer, model, "centre_x", [](const auto& cell) { return cell.centre ? cell.centre->x : unknown; });
  write_cells<double>(writer, model, "centre_error", [](const auto& cell) { return cell.centre_error_px; });
  write_cells<double>(writer, model, "radius", [](const auto& cell) { return cell.radius_px; });
  write_cells<std::int32_t>(writer, model, "silent", [](const auto& cell) { return cell.silent ? 1 : 0; });
  write_cells<std::int32_t>(writer, model, "no_ceiling", [](const auto& cell) { return cell.no_ceiling ? 1 : 0; });
  if (model.normalisation.mean.size() != 1) {
    writer.write("normalisation_mean", std::span<const double>(model.normalisation.mean));
    writer.write("normalisation_scale", std::span<const double>(model.normalisation.scale));
  }
}

/// The values of every entry, one after another, as the layout wants them.
std::vector<float> read_entries(const io::Reader& reader, const std::vector<ParameterEntry>& entries, const Architecture& a) {
  std::vector<float> flat;
  for (const ParameterEntry& entry : entries) {
    const std::string name = stored_name(entry.name);
    std::vector<std::size_t> expected = entry.shape;
    if (entry.name == "readout.weight") {
      const int last = a.layers() - 1;
      const int inputs = a.hidden.empty() ? a.history : a.hidden.back().channels;
      expected = {as_size(a.cells), as_size(inputs), as_size(a.out_y(last)), as_size(a.out_x(last))};
    }
    const auto found = reader.shape(name);
    core::require<core::InputError>(found == expected, "{}: {} has the shape {}, the model's architecture ({}) asks for {}",
                                    reader.path(), name, fmt::join(found, " x "), describe(a), fmt::join(expected, " x "));
    const std::vector<float> values = reader.read<float>(name);
    const auto bad = std::find_if_not(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
    core::require<core::InputError>(bad == values.end(), "{}: {} holds {} at {}; a model's numbers must be finite", reader.path(),
                                    name, bad == values.end() ? 0.0F : *bad, bad - values.begin());
    flat.insert(flat.end(), values.begin(), values.end());
  }
  return flat;
}

std::vector<recording::Cell> read_cells(const io::Reader& reader, std::size_t count) {
  const Names names = reader.read_strings("cell");
  const auto id = reader.read<std::int32_t>("cell_id"), silent = reader.read<std::int32_t>("silent");
  const auto no_ceiling = reader.read<std::int32_t>("no_ceiling");
  const auto y = reader.read<double>("centre_y"), x = reader.read<double>("centre_x"),
             error = reader.read<double>("centre_error");
  const auto radius = reader.read<double>("radius");
  for (const std::size_t size :
       {names.size(), id.size(), silent.size(), no_ceiling.size(), y.size(), x.size(), error.size(), radius.size()}) {
    core::require<core::InputError>(size == count, "{}: the architecture has {} cells, a variable over the cells has {} values",
                                    reader.path(), count, size);
  }
  std::vector<recording::Cell> cells(count);
  for (std::size_t n = 0; n < count; ++n) {
    cells[n].id = id[n];
    cells[n].name = names[n];
    if (std::isfinite(y[n]) && std::isfinite(x[n])) cells[n].centre = stimulus::Centre{y[n], x[n]};
    cells[n].centre_error_px = error[n];
    cells[n].radius_px = radius[n];
    cells[n].silent = silent[n] != 0;
    cells[n].no_ceiling = no_ceiling[n] != 0;
  }
  return cells;
}

recording::Normalisation read_normalisation(const io::Reader& reader, const Architecture& a) {
  recording::Normalisation norm;
  norm.kind = reader.text_attribute("normalisation");
  if (reader.has_attribute("normalisation_mean")) {
    norm.mean = {reader.attribute("normalisation_mean")};
    norm.scale = {reader.attribute("normalisation_scale")};
  } else {
    norm.mean = reader.read<double>("normalisation_mean");
    norm.scale = reader.read<double>("normalisation_scale");
    const std::size_t pixels = as_size(a.height) * as_size(a.width);
    core::require<core::InputError>(norm.mean.size() == pixels && norm.scale.size() == pixels,
                                    "{}: normalisation_mean and normalisation_scale must hold {} pixels", reader.path(), pixels);
  }
  const bool positive = std::all_of(norm.scale.begin(), norm.scale.end(), [](double scale) { return scale > 0; });
  core::require<core::InputError>(positive, "{}: normalisation_scale must be positive everywhere", reader.path());
  return norm;
}

}  // namespace

void write_model(const parallel::Communicator& communicator, const std::string& path, const Model& model,
                 const io::Provenance& provenance) {
  const ParameterLayout layout = make_layout(model.architecture);
  core::require(
      model.parameters.size() == layout.parameter_count && model.statistics.size() == layout.statistic_count &&
          model.cells.size() == as_size(model.architecture.cells) &&
          (model.architecture.hidden.empty() || model.channel_names.size() <= as_size(model.architecture.hidden[0].channels)),
      "a model of {} has {} parameters, {} statistics and {} cells: not what its architecture asks for",
      describe(model.architecture), model.parameters.size(), model.statistics.size(), model.cells.size());
  io::ResultWriter writer(communicator, path, "model", provenance);
  declare_dimensions(writer, model);
  declare_variables(writer, model, layout);
  declare_attributes(writer, model);
  writer.create();
  if (communicator.root()) write_values(writer, model, layout);
  writer.finish();
}

Model read_model(const std::string& path) {
  const io::Reader reader(path);
  const std::string kind = reader.kind();
  core::require<core::InputError>(kind == "model", "{} is {}, not a model file; give a model.h5 that amacrine train wrote", path,
                                  kind.empty() ? "no file of this program" : "a file of kind " + kind);
  Model model;
  model.kind = reader.text_attribute("model_kind");
  try {
    model.architecture = architecture_from_json(reader.text_attribute("architecture"));
  } catch (const core::InputError&) {
    throw;
  } catch (const core::Error& error) {
    core::fail<core::InputError>("{}: attribute architecture: {}", path, error.what());
  }
  const ParameterLayout layout = make_layout(model.architecture);
  model.parameters = read_entries(reader, layout.parameters, model.architecture);
  model.statistics = read_entries(reader, layout.statistics, model.architecture);
  model.normalisation = read_normalisation(reader, model.architecture);
  model.minimum_lag = static_cast<int>(reader.attribute("minimum_lag"));
  model.coding = {reader.attribute("contrast_zero"), reader.attribute("contrast_unit")};
  model.screen = {model.architecture.height, model.architecture.width, reader.attribute("pixel_um"),
                  reader.attribute("frame_ms")};
  model.cells = read_cells(reader, as_size(model.architecture.cells));
  if (!model.architecture.hidden.empty()) model.channel_names = reader.read_strings("channel0");
  return model;
}

}  // namespace amacrine::model
