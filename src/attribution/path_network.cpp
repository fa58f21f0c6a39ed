// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/path_network.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/model/kernels.hpp"
#include "amacrine/model/spectral.hpp"

namespace amacrine::attribution {
namespace {

/// A contiguous view of any rank as a flat one that shares its memory and does not own it.
template <class V>
auto flat(const V& view) {
  core::require(view.span_is_contiguous(), "internal: a view of {} values is not contiguous", view.size());
  return core::View1<typename V::non_const_value_type>(view.data(), view.size());
}

/// flat() as a copy of its own.
template <class S, class V>
core::View1<S> flat_copy(const V& view) {
  core::View1<S> out(core::uninitialised("attribution::units"), view.size());
  Kokkos::deep_copy(out, flat(view));
  return out;
}

template <class S>
PathLayer<S> rectified_layer(const model::InferenceLayer<S>& layer) {
  PathLayer<S> out;
  out.kernel = layer.kernel;
  out.gain = flat_copy<S>(layer.gain);
  out.offset = flat_copy<S>(layer.offset);
  out.channels = static_cast<int>(layer.gain.extent(0));
  out.height = static_cast<int>(layer.gain.extent(1));
  out.width = static_cast<int>(layer.gain.extent(2));
  return out;
}

/// An LN model's filters (N, T Y X) as a first layer of N units.
template <class S>
PathLayer<S> linear_layer(const model::InferenceNetwork<S>& network) {
  const model::Architecture& a = network.architecture;
  const std::size_t n = network.readout.extent(0);
  PathLayer<S> out;
  out.kernel = core::View4<S>(core::uninitialised("attribution::filters"), n, static_cast<std::size_t>(a.history),
                              static_cast<std::size_t>(a.height), static_cast<std::size_t>(a.width));
  Kokkos::deep_copy(flat(out.kernel), flat(network.readout));
  out.gain = core::to_device("attribution::gain", std::vector<S>(n, S(1)));
  out.offset = core::to_device("attribution::offset", std::vector<S>(n, S(0)));
  out.channels = static_cast<int>(n);
  out.height = out.width = 1;
  out.rectified = false;
  return out;
}

template <class S>
core::View2<S> identity(std::size_t n) {
  std::vector<S> values(n * n, S(0));
  for (std::size_t i = 0; i < n; ++i) values[i * n + i] = S(1);
  core::View2<S> square(core::uninitialised("attribution::readout"), n, n);
  Kokkos::deep_copy(flat(square), core::to_device("attribution::identity", values));
  return square;
}

/// out(w, u) = z(u, w): windows come out of the first layer as lanes, the path wants them apart.
template <class S>
void windows_first(const core::Exec& exec, const core::View2<S>& z, const core::View2<S>& out) {
  Kokkos::parallel_for(
      "attribution::windows_first",
      Kokkos::MDRangePolicy<core::Exec, Kokkos::Rank<2>>(exec, {0, 0}, {out.extent(0), out.extent(1)}),
      KOKKOS_LAMBDA(const std::size_t w, const std::size_t u) { out(w, u) = z(u, w); });
}

/// z = kernel * movie, in the frequency domain where that pays.
template <class S>
void convolve_frames(const core::Exec& exec, const core::View4<S>& kernel, const core::View4<S>& movie, const core::View5<S>& z) {
  const std::size_t height = movie.extent(1), width = movie.extent(2), channels = kernel.extent(0);
  const auto size = [&](int axis) { return static_cast<int>(kernel.extent(static_cast<std::size_t>(axis))); };
  const bool possible = model::spectral_possible(static_cast<int>(height), static_cast<int>(width));
  if (possible && model::spectral_pays(static_cast<int>(height), static_cast<int>(width), size(2), size(3), channels)) {
    model::SpectralTemporalConv<S> spectral(1, channels, kernel.extent(1), kernel.extent(2), kernel.extent(3), height, width,
                                            z.extent(4), model::SpectralUse::forward);
    spectral.set_kernel(exec, kernel);
    spectral.forward(exec, movie, z);
    exec.fence("attribution::convolve_frames");
  } else {
    model::temporal_conv_forward(exec, movie, kernel, z);
  }
}

}  // namespace

template <class S>
PathNetwork<S> make_path_network(const model::InferenceNetwork<S>& network) {
  PathNetwork<S> out;
  for (const model::InferenceLayer<S>& layer : network.hidden) out.layers.push_back(rectified_layer(layer));
  out.readout = network.readout;
  out.constant = network.constant;
  if (network.hidden.empty()) {
    out.layers.push_back(linear_layer(network));
    out.readout = identity<S>(network.readout.extent(0));
  } else {
    out.per_channel = network.hidden.front().per_channel;
  }
  core::require(out.readout.extent(1) == out.layers.back().units(),
                "internal: the readout has {} inputs, the last layer {} units", out.readout.extent(1), out.layers.back().units());
  out.softplus_beta = static_cast<double>(network.softplus_beta);
  out.cells = static_cast<int>(network.readout.extent(0));
  out.history = network.architecture.history;
  out.height = network.architecture.height;
  out.width = network.architecture.width;
  out.normalisation = network.normalisation;
  out.minimum_lag = network.minimum_lag;
  return out;
}

template <class S>
std::vector<double> baseline_frame(const PathNetwork<S>& network, Baseline baseline, double contrast) {
  const recording::Normalisation& norm = network.normalisation;
  const auto pixels = static_cast<std::size_t>(network.height) * static_cast<std::size_t>(network.width);
  std::vector<double> frame(pixels, 0.0);
  if (baseline == Baseline::mean) return frame;  // the normalisation maps its mean to 0
  const double value = baseline == Baseline::given ? contrast : 0.0;
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::size_t k = norm.mean.size() == 1 ? 0 : i;
    frame[i] = (value - norm.mean[k]) / norm.scale[k];
  }
  return frame;
}

template <class S>
std::vector<S> difference_frames(const PathNetwork<S>& network, const core::Array<float, 3>& contrast, std::size_t first,
                                 std::size_t windows, const std::vector<double>& baseline) {
  const recording::Normalisation& norm = network.normalisation;
  const std::size_t pixels = baseline.size(), frames = windows + static_cast<std::size_t>(network.history) - 1;
  core::require<core::InputError>(contrast.extent(1) == static_cast<std::size_t>(network.height) &&
                                      contrast.extent(2) == static_cast<std::size_t>(network.width),
                                  "a movie of {} x {} pixels was given to a model of {} x {}", contrast.extent(1),
                                  contrast.extent(2), network.height, network.width);
  core::require(first + windows <= contrast.extent(0) + static_cast<std::size_t>(network.minimum_lag),
                "frames {} to {} were asked of a movie of {} frames", first, first + windows, contrast.extent(0));
  // The last frame of frame t's window is t - minimum_lag.
  const auto offset = static_cast<std::ptrdiff_t>(first) - network.minimum_lag - (network.history - 1);
  std::vector<S> out(pixels * frames);
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::size_t k = norm.mean.size() == 1 ? 0 : i;
    for (std::size_t f = 0; f < frames; ++f) {
      const std::ptrdiff_t t = offset + static_cast<std::ptrdiff_t>(f);
      const double value = t < 0 ? 0.0 : static_cast<double>(contrast.data()[static_cast<std::size_t>(t) * pixels + i]);
      out[i * frames + f] = static_cast<S>((value - norm.mean[k]) / norm.scale[k] - baseline[i]);
    }
  }
  return out;
}

template <class S>
core::View2<S> apply_first_layer(const core::Exec& exec, const PathNetwork<S>& network, const std::vector<S>& frames,
                                 std::size_t windows) {
  const PathLayer<S>& layer = network.first();
  const auto height = static_cast<std::size_t>(network.height), width = static_cast<std::size_t>(network.width);
  const core::View1<S> device = core::to_device("attribution::frames", frames);
  const core::View4<S> movie(device.data(), 1, height, width, windows + static_cast<std::size_t>(network.history) - 1);
  const core::View5<S> z(core::uninitialised("attribution::first_layer"), 1, static_cast<std::size_t>(layer.channels),
                         static_cast<std::size_t>(layer.height), static_cast<std::size_t>(layer.width), windows);
  convolve_frames(exec, layer.kernel, movie, z);
  core::View2<S> out(core::uninitialised("attribution::difference"), windows, layer.units());
  windows_first(exec, core::View2<S>(z.data(), layer.units(), windows), out);
  exec.fence("attribution::apply_first_layer");
  return out;
}

#define AMACRINE_INSTANTIATE(S)                                                                                            \
  template PathNetwork<S> make_path_network(const model::InferenceNetwork<S>&);                                            \
  template std::vector<double> baseline_frame(const PathNetwork<S>&, Baseline, double);                                    \
  template std::vector<S> difference_frames(const PathNetwork<S>&, const core::Array<float, 3>&, std::size_t, std::size_t, \
                                            const std::vector<double>&);                                                   \
  template core::View2<S> apply_first_layer(const core::Exec&, const PathNetwork<S>&, const std::vector<S>&, std::size_t);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
