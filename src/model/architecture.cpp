// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/architecture.hpp"

#include "amacrine/core/errors.hpp"

#include <nlohmann/json.hpp>

namespace amacrine::model {

namespace {

std::string norm_name(Norm norm) {
  switch (norm) {
    case Norm::none:
      return "none";
    case Norm::per_channel:
      return "per_channel";
    case Norm::per_unit:
      return "per_unit";
  }
  return {};
}

Norm norm_from(const std::string& name) {
  if (name == "none") return Norm::none;
  if (name == "per_channel") return Norm::per_channel;
  core::require(name == "per_unit", "norm \"{}\" is none of none, per_channel, per_unit", name);
  return Norm::per_unit;
}

std::string scale_name(Scale scale) { return scale == Scale::absolute ? "absolute" : "plain"; }

Scale scale_from(const std::string& name) {
  core::require(name == "plain" || name == "absolute", "scale \"{}\" is neither plain nor absolute", name);
  return name == "absolute" ? Scale::absolute : Scale::plain;
}

std::vector<int> channels_of(const Architecture& a) {
  std::vector<int> channels;
  for (const ConvLayer& layer : a.hidden) channels.push_back(layer.channels);
  return channels;
}

std::vector<int> kernels_of(const Architecture& a) {
  std::vector<int> kernels;
  for (const ConvLayer& layer : a.hidden) kernels.push_back(layer.kernel_y);
  return kernels;
}

std::size_t size_of(int value) { return static_cast<std::size_t>(value); }

}  // namespace

int Architecture::out_y(int layer) const {
  int size = height;
  for (int l = 0; l <= layer; ++l) size -= hidden[size_of(l)].kernel_y - 1;
  return size;
}

int Architecture::out_x(int layer) const {
  int size = width;
  for (int l = 0; l <= layer; ++l) size -= hidden[size_of(l)].kernel_x - 1;
  return size;
}

std::size_t Architecture::units(int layer) const {
  return size_of(hidden[size_of(layer)].channels) * size_of(out_y(layer)) * size_of(out_x(layer));
}

std::size_t Architecture::readout_inputs() const {
  return hidden.empty() ? size_of(history) * size_of(height) * size_of(width) : units(layers() - 1);
}

double Architecture::multiply_adds() const {
  double total = 0;
  int inputs = history;
  for (int l = 0; l < layers(); ++l) {
    const ConvLayer& layer = hidden[size_of(l)];
    total += static_cast<double>(units(l)) * inputs * layer.kernel_y * layer.kernel_x;
    inputs = layer.channels;
  }
  return total + static_cast<double>(readout_inputs()) * cells;
}

void check_architecture(const Architecture& a) {
  core::require(a.history > 0 && a.height > 0 && a.width > 0, "a window of {} x {} x {} (history, height, width) is empty",
                a.history, a.height, a.width);
  core::require(a.softplus_beta > 0 && a.norm_epsilon > 0, "softplus_beta ({}) and norm_epsilon ({}) must be positive",
                a.softplus_beta, a.norm_epsilon);
  for (int l = 0; l < a.layers(); ++l) {
    const ConvLayer& layer = a.hidden[size_of(l)];
    core::require(layer.channels > 0, "hidden layer {} has {} channels; at least 1 is needed", l, layer.channels);
    core::require(layer.kernel_y > 0 && layer.kernel_x > 0 && a.out_y(l) > 0 && a.out_x(l) > 0,
                  "the {} x {} kernel of hidden layer {} does not fit its {} x {} input", layer.kernel_y, layer.kernel_x, l,
                  a.out_y(l - 1), a.out_x(l - 1));
  }
}

Architecture preset_architecture(const std::string& preset) {
  Architecture a;
  if (preset.empty()) return a;
  if (preset == "ln") {
    a.hidden.clear();
    a.norm = Norm::none;
    a.noise = 0;
    a.readout_bias = true;
    a.output_norm = false;
    return a;
  }
  core::require(preset == "deep-retina" || preset == "torch-deep-retina", "no model preset is called \"{}\"", preset);
  a.norm = Norm::per_unit;
  a.conv_bias = true;
  a.readout_bias = preset == "torch-deep-retina";  // its Linear follows `bias`; Keras' Dense has none
  return a;
}

Architecture read_architecture(core::Study& study, const std::string& preset) {
  const Architecture base =
      preset_architecture(study.choose("model.preset", preset, {"", "deep-retina", "torch-deep-retina", "ln"}));
  Architecture a = base;
  a.history = static_cast<int>(study.integer("model.history", base.history, 1, 1000));
  a.height = static_cast<int>(study.integer("model.height", base.height, 1, 4096));
  a.width = static_cast<int>(study.integer("model.width", base.width, 1, 4096));
  const auto channels = study.get("model.channels", channels_of(base)), kernels = study.get("model.kernels", kernels_of(base));
  core::require<core::StudyError>(
      channels.size() == kernels.size(),
      "{}: model.channels has {} layers and model.kernels has {}; give one number per hidden layer in both",
      study.where(study.has("model.kernels") ? "model.kernels" : "model.channels"), channels.size(), kernels.size());
  a.hidden.clear();
  for (std::size_t l = 0; l < channels.size(); ++l) a.hidden.push_back({channels[l], kernels[l], kernels[l]});
  a.norm = norm_from(study.choose("model.norm", norm_name(base.norm), {"none", "per_channel", "per_unit"}));
  a.scale = scale_from(study.choose("model.scale", scale_name(base.scale), {"plain", "absolute"}));
  // A convolution without norm needs its bias: nothing else could move its threshold.
  a.conv_bias = study.get("model.bias", base.conv_bias || a.norm == Norm::none);
  a.noise = study.number("model.noise", base.noise, 0.0, 10.0);
  a.norm_epsilon = study.number("model.norm_epsilon", base.norm_epsilon, 1e-12, 1.0);
  a.norm_momentum = study.number("model.norm_momentum", base.norm_momentum, 0.0, 1.0);
  a.output_norm = study.get("model.output_norm", base.output_norm);
  a.readout_bias = study.get("model.readout_bias", base.readout_bias || !a.output_norm);
  a.softplus_beta = study.number("model.softplus_beta", base.softplus_beta, 1e-3, 1e3);
  try {
    check_architecture(a);
  } catch (const core::Error& error) {
    core::fail<core::StudyError>("{}: [model] {}", study.where("model.kernels"), error.what());
  }
  return a;
}

std::string describe(const Architecture& a) {
  std::string text = fmt::format("{}x{}x{}", a.history, a.height, a.width);
  for (int l = 0; l < a.layers(); ++l) {
    const ConvLayer& layer = a.hidden[size_of(l)];
    text += fmt::format(" -> {} @ {}x{} ({}x{}x{})", layer.channels, layer.kernel_y, layer.kernel_x, layer.channels, a.out_y(l),
                        a.out_x(l));
  }
  text += fmt::format(" -> {} cell{}", a.cells, a.cells == 1 ? "" : "s");
  if (a.hidden.empty()) return text + ", linear-nonlinear";
  if (a.norm == Norm::none) return text + ", no norm";
  return text + fmt::format(", norm per {}{}", a.norm == Norm::per_channel ? "channel" : "unit",
                            a.scale == Scale::absolute ? " (|scale|)" : "");
}

std::string to_json(const Architecture& a) {
  nlohmann::ordered_json hidden = nlohmann::ordered_json::array();
  for (const ConvLayer& layer : a.hidden) {
    hidden.push_back({{"channels", layer.channels}, {"kernel_y", layer.kernel_y}, {"kernel_x", layer.kernel_x}});
  }
  const nlohmann::ordered_json json{{"history", a.history},
                                    {"height", a.height},
                                    {"width", a.width},
                                    {"hidden", hidden},
                                    {"norm", norm_name(a.norm)},
                                    {"scale", scale_name(a.scale)},
                                    {"conv_bias", a.conv_bias},
                                    {"noise", a.noise},
                                    {"norm_epsilon", a.norm_epsilon},
                                    {"norm_momentum", a.norm_momentum},
                                    {"readout_bias", a.readout_bias},
                                    {"output_norm", a.output_norm},
                                    {"softplus_beta", a.softplus_beta},
                                    {"cells", a.cells}};
  return json.dump();
}

Architecture architecture_from_json(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    Architecture a;
    a.history = json.at("history").get<int>();
    a.height = json.at("height").get<int>();
    a.width = json.at("width").get<int>();
    a.hidden.clear();
    for (const auto& layer : json.at("hidden")) {
      a.hidden.push_back({layer.at("channels").get<int>(), layer.at("kernel_y").get<int>(), layer.at("kernel_x").get<int>()});
    }
    a.norm = norm_from(json.at("norm").get<std::string>());
    a.scale = scale_from(json.at("scale").get<std::string>());
    a.conv_bias = json.at("conv_bias").get<bool>();
    a.noise = json.at("noise").get<double>();
    a.norm_epsilon = json.at("norm_epsilon").get<double>();
    a.norm_momentum = json.at("norm_momentum").get<double>();
    a.readout_bias = json.at("readout_bias").get<bool>();
    a.output_norm = json.at("output_norm").get<bool>();
    a.softplus_beta = json.at("softplus_beta").get<double>();
    a.cells = json.at("cells").get<int>();
    check_architecture(a);
    return a;
  } catch (const nlohmann::json::exception& error) {
    core::fail<core::InputError>("the description of a model's architecture is not readable ({})", error.what());
  }
}

}  // namespace amacrine::model
