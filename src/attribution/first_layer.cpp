// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/first_layer.hpp"

#include "amacrine/core/errors.hpp"
#include "folding.hpp"

#include <cmath>

namespace amacrine::attribution {
namespace {

/// A kernel (C, T, KY, KX) summed over y, and over x too for full fields.
template <class S>
core::View4<S> summed_kernel(const core::View4<S>& kernel, Symmetry symmetry) {
  const Maps sums = folded(to_maps(kernel, kernel.extent(2), kernel.extent(3)), symmetry);
  return on_device<core::View4<S>>(sums.values, kernel.extent(0), kernel.extent(1), std::size_t{1}, sums.width);
}

/// The first row or pixel of frames (Y X, count), which stands for all.
template <class S>
std::vector<S> fold_frames(const JoinedFrames<S>& frames, std::size_t height, std::size_t width, Symmetry symmetry) {
  const std::size_t kept = symmetry == Symmetry::full_field ? 1 : width, count = frames.count;
  for (std::size_t i = 0; i < height * width; ++i)
    for (std::size_t t = 0; t < count; ++t) {
      const double departure = static_cast<double>(frames.values[i * count + t]) -
                               static_cast<double>(frames.values[(kept == 1 ? 0 : i % width) * count + t]);
      core::require<core::InputError>(std::abs(departure) <= symmetry_tolerance,
                                      "a stimulus attributed as {} departs from that by {:.3g} at pixel ({}, {})",
                                      kept == 1 ? "a full field" : "uniform along y", departure, i / width, i % width);
    }
  return {frames.values.begin(), frames.values.begin() + static_cast<std::ptrdiff_t>(kept * count)};
}

/// out(w, (c, y, x)) = z(w, c), or z(w, (c, x)).
template <class S>
void spread(const core::Exec& exec, const core::View2<S>& z, std::size_t height, std::size_t width, std::size_t kept,
            const core::View2<S>& out) {
  Kokkos::parallel_for(
      "attribution::spread_first_layer",
      Kokkos::MDRangePolicy<core::Exec, Kokkos::Rank<2>>(exec, {0, 0}, {out.extent(0), out.extent(1)}),
      KOKKOS_LAMBDA(const std::size_t w, const std::size_t u) {
        const std::size_t c = u / (height * width), x = u % width;
        out(w, u) = z(w, kept == 1 ? c : c * kept + x);
      });
}

}  // namespace

template <class S>
std::optional<FoldedFirstLayer<S>> FoldedFirstLayer<S>::make(const model::InferenceNetwork<S>& network, Symmetry symmetry) {
  if (symmetry == Symmetry::none || network.normalisation.scale.size() != 1 || network.hidden.empty()) return std::nullopt;
  const model::InferenceLayer<S>& layer = network.hidden.front();
  const bool both = symmetry == Symmetry::full_field;
  FoldedFirstLayer out;
  out.symmetry_ = symmetry;
  out.height_ = static_cast<std::size_t>(network.architecture.height);
  out.width_ = static_cast<std::size_t>(network.architecture.width);
  out.out_y_ = layer.gain.extent(1);
  out.out_x_ = layer.gain.extent(2);
  out.network_.history = network.architecture.history;
  out.network_.height = 1;
  out.network_.width = both ? 1 : network.architecture.width;
  PathLayer<S> row;
  row.kernel = summed_kernel(layer.kernel, symmetry);
  row.channels = static_cast<int>(layer.kernel.extent(0));
  row.height = 1;
  row.width = both ? 1 : static_cast<int>(out.out_x_);
  out.network_.layers = {row};
  return out;
}

template <class S>
core::View2<S> FoldedFirstLayer<S>::apply(const core::Exec& exec, const JoinedFrames<S>& frames) const {
  const JoinedFrames<S> folded{fold_frames(frames, height_, width_, symmetry_), frames.count, frames.at};
  const core::View2<S> z = apply_first_layer(exec, network_, folded);
  const auto channels = static_cast<std::size_t>(network_.first().channels), kept = z.extent(1) / channels;
  core::View2<S> out(core::uninitialised("attribution::difference"), z.extent(0), channels * out_y_ * out_x_);
  spread(exec, z, out_y_, out_x_, kept, out);
  exec.fence("attribution::spread_first_layer");
  return out;
}

template <class S>
double FoldedFirstLayer<S>::multiply_adds() const {
  const PathLayer<S>& layer = network_.first();
  return static_cast<double>(layer.kernel.size()) * layer.width;
}

template class FoldedFirstLayer<float>;
template class FoldedFirstLayer<double>;

}  // namespace amacrine::attribution
