// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/symmetry.hpp"

#include "folding.hpp"

namespace amacrine::attribution {
namespace {

bool uniform(const Maps& maps, Symmetry symmetry) {
  for (std::size_t a = 0; a < maps.count; ++a)
    for (std::size_t y = 0; y < maps.height; ++y)
      for (std::size_t x = 0; x < maps.width; ++x)
        if (maps.at(a, y, x) != maps.at(a, 0, symmetry == Symmetry::full_field ? 0 : x)) return false;
  return true;
}

template <class S>
std::optional<model::InferenceLayer<S>> fold_layer(const model::InferenceLayer<S>& layer, Symmetry symmetry) {
  const std::size_t height = layer.gain.extent(1), width = layer.gain.extent(2);
  const Maps gain = to_maps(layer.gain, height, width), offset = to_maps(layer.offset, height, width);
  if (!uniform(gain, symmetry) || !uniform(offset, symmetry)) return std::nullopt;
  const Maps kernel = folded(to_maps(layer.kernel, layer.kernel.extent(2), layer.kernel.extent(3)), symmetry);
  const Maps one_gain = folded(gain, symmetry, true), one_offset = folded(offset, symmetry, true);
  model::InferenceLayer<S> out;
  out.kernel =
      on_device<core::View4<S>>(kernel.values, layer.kernel.extent(0), layer.kernel.extent(1), std::size_t{1}, kernel.width);
  out.gain = on_device<core::View3<S>>(one_gain.values, one_gain.count, std::size_t{1}, one_gain.width);
  out.offset = on_device<core::View3<S>>(one_offset.values, one_offset.count, std::size_t{1}, one_offset.width);
  out.per_channel = layer.per_channel;
  return out;
}

}  // namespace

template <class S>
std::optional<model::InferenceNetwork<S>> fold(const model::InferenceNetwork<S>& network, Symmetry symmetry) {
  if (symmetry == Symmetry::none || network.normalisation.scale.size() != 1) return std::nullopt;
  model::InferenceNetwork<S> out = network;
  const bool both = symmetry == Symmetry::full_field;
  out.architecture.height = 1;
  if (both) out.architecture.width = 1;
  std::size_t height = static_cast<std::size_t>(network.architecture.height),
              width = static_cast<std::size_t>(network.architecture.width);
  for (std::size_t l = 0; l < network.hidden.size(); ++l) {
    const auto layer = fold_layer(network.hidden[l], symmetry);
    if (!layer) return std::nullopt;
    out.hidden[l] = *layer;
    out.architecture.hidden[l].kernel_y = 1;
    if (both) out.architecture.hidden[l].kernel_x = 1;
    height = network.hidden[l].gain.extent(1);
    width = network.hidden[l].gain.extent(2);
  }
  const Maps readout = folded(to_maps(network.readout, height, width), symmetry);
  const std::size_t cells = network.readout.extent(0);
  out.readout = on_device<core::View2<S>>(readout.values, cells, readout.values.size() / cells);
  return out;
}

core::Array<float, 3> fold_movie(const core::Array<float, 3>& contrast, Symmetry symmetry) {
  const std::size_t frames = contrast.extent(0), width = symmetry == Symmetry::full_field ? 1 : contrast.extent(2);
  core::Array<float, 3> out({frames, 1, width});
  for (std::size_t t = 0; t < frames; ++t)
    for (std::size_t x = 0; x < width; ++x) out(t, 0, x) = contrast(t, 0, x);
  return out;
}

template <class S>
Attributor<S>::Attributor(const core::Exec& exec, const model::InferenceNetwork<S>& network, const AttributionSettings& settings)
    : exec_(exec), network_(network), settings_(settings) {
  engines_[Symmetry::none] = std::make_unique<BlockAttributor<S>>(exec, network, settings);
}

template <class S>
Symmetry Attributor<S>::folded(Symmetry symmetry, Level level) {
  if (level == Level::unit || level == Level::pixel || level == Level::unit2 || symmetry == Symmetry::none) return Symmetry::none;
  // A full field at position level keeps its columns: it is uniform along y too.
  const Symmetry axes = level == Level::position ? Symmetry::along_y : symmetry;
  if (engines_.find(axes) == engines_.end()) {
    const auto small = fold(network_, axes);
    engines_[axes] = small ? std::make_unique<BlockAttributor<S>>(exec_, *small, settings_) : nullptr;
  }
  return engines_[axes] ? axes : Symmetry::none;
}

template <class S>
BlockAttributor<S>& Attributor<S>::engine(Symmetry symmetry, Level level) {
  const Symmetry axes = folded(symmetry, level);
  if (axes != Symmetry::none || symmetry == Symmetry::none) return *engines_.at(axes);
  if (first_layer_folded_.find(symmetry) == first_layer_folded_.end()) {
    auto layer = FoldedFirstLayer<S>::make(network_, symmetry);
    first_layer_folded_[symmetry] =
        layer ? std::make_unique<BlockAttributor<S>>(exec_, network_, settings_, std::move(layer)) : nullptr;
  }
  const auto& engine = first_layer_folded_[symmetry];
  return engine ? *engine : *engines_.at(Symmetry::none);
}

template std::optional<model::InferenceNetwork<float>> fold(const model::InferenceNetwork<float>&, Symmetry);
template std::optional<model::InferenceNetwork<double>> fold(const model::InferenceNetwork<double>&, Symmetry);
template class Attributor<float>;
template class Attributor<double>;

}  // namespace amacrine::attribution
