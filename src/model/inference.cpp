// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/inference.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/core/vector.hpp"
#include "amacrine/model/kernels.hpp"
#include "spectral_cache.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace amacrine::model {

using core::as_size;

namespace {

using core::View1;
using core::View2;
using core::View3;
using core::View4;
using core::View5;

/// The values of an entry, or `size` times `fallback` where the model has no such entry.
std::vector<double> values_of(const std::vector<float>& flat, const ParameterEntry* entry, std::size_t size, double fallback) {
  if (entry == nullptr) return std::vector<double>(size, fallback);
  const auto from = flat.begin() + static_cast<std::ptrdiff_t>(entry->offset);
  return {from, from + static_cast<std::ptrdiff_t>(entry->size)};
}

const ParameterEntry* statistic_of(const ParameterLayout& layout, const std::string& name) {
  for (const ParameterEntry& entry : layout.statistics)
    if (entry.name == name) return &entry;
  return nullptr;
}

struct Folded {
  std::vector<double> gain, offset;
};

/// A norm over `size` coefficients and the bias before it: gain = gamma / sqrt(variance + epsilon), offset = beta + gain (bias -
/// mean).
Folded fold(const Model& model, const ParameterLayout& layout, const std::string& stage, const std::string& bias_name,
            std::size_t size) {
  const auto gamma = values_of(model.parameters, layout.find(stage + "gamma"), size, 1.0);
  const auto beta = values_of(model.parameters, layout.find(stage + "beta"), size, 0.0);
  const auto mean = values_of(model.statistics, statistic_of(layout, stage + "mean"), size, 0.0);
  const auto variance = values_of(model.statistics, statistic_of(layout, stage + "variance"), size, 1.0);
  const auto bias = values_of(model.parameters, layout.find(bias_name), size, 0.0);
  const bool normed = layout.find(stage + "gamma") != nullptr;
  Folded out{std::vector<double>(size, 1.0), std::vector<double>(size)};
  for (std::size_t k = 0; k < size; ++k) {
    const double scale = model.architecture.scale == Scale::absolute ? std::abs(gamma[k]) : gamma[k];
    if (normed) out.gain[k] = scale / std::sqrt(variance[k] + model.architecture.norm_epsilon);
    const double b = bias[bias.size() == size ? k : k / (size / bias.size())];  // a convolution's bias is per channel
    out.offset[k] = beta[k] + out.gain[k] * (b - mean[k]);
  }
  return out;
}

template <class S, class V>
void upload(const V& view, const std::vector<double>& values) {
  const std::vector<S> narrow(values.begin(), values.end());
  const Kokkos::View<const S*, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(
      narrow.data(), narrow.size());
  Kokkos::deep_copy(View1<S>(view.data(), view.size()), host);
}

/// Coefficients (C) or (C, OY, OX) as a view (C, OY, OX).
template <class S>
View3<S> spread(const std::string& label, const std::vector<double>& values, std::size_t C, std::size_t OY, std::size_t OX) {
  const std::size_t share = C * OY * OX / values.size();
  std::vector<double> all(C * OY * OX);
  for (std::size_t u = 0; u < all.size(); ++u) all[u] = values[u / share];
  View3<S> view(core::uninitialised(label), C, OY, OX);
  upload<S>(view, all);
  return view;
}

template <class S>
InferenceLayer<S> make_layer(const Model& model, const ParameterLayout& layout, int l) {
  const Architecture& a = model.architecture;
  const std::string stage = fmt::format("hidden{}.", l);
  const ParameterEntry& kernel = layout.parameter(stage + "kernel");
  const std::size_t C = kernel.shape[0], OY = as_size(a.out_y(l)), OX = as_size(a.out_x(l));
  InferenceLayer<S> layer;
  layer.per_channel = a.norm != Norm::per_unit;
  layer.kernel = View4<S>(core::uninitialised("model::kernel"), C, kernel.shape[1], kernel.shape[2], kernel.shape[3]);
  upload<S>(layer.kernel, values_of(model.parameters, &kernel, kernel.size, 0.0));
  const Folded folded = fold(model, layout, stage, stage + "bias", layer.per_channel ? C : C * OY * OX);
  layer.gain = spread<S>("model::gain", folded.gain, C, OY, OX);
  layer.offset = spread<S>("model::offset", folded.offset, C, OY, OX);
  return layer;
}

/// The readout as the kernel of a convolution whose kernel covers its input: (N, C, OY, OX), or (N, T, Y, X) for LN.
template <class S>
View4<S> readout_kernel(const InferenceNetwork<S>& network) {
  const Architecture& a = network.architecture;
  const int last = a.layers() - 1;
  const std::size_t inputs = as_size(last < 0 ? a.history : a.hidden[as_size(last)].channels);
  return View4<S>(network.readout.data(), network.readout.extent(0), inputs, as_size(a.out_y(last)), as_size(a.out_x(last)));
}

}  // namespace

template <class S>
void head_rectify(const core::Exec& exec, const InferenceLayer<S>& layer, const View5<S>& z, const View5<S>& x,
                  const View5<S>& h) {
  const std::size_t rows = z.extent(0) * layer.gain.size(), U = layer.gain.size(), B = z.extent(4);
  // A row of windows per task on the host, where it is vectorised; a window per thread on a device.
  const std::size_t run = std::is_same_v<core::Exec, core::HostExec> ? std::max<std::size_t>(B, 1) : 1;
  const S *gain = layer.gain.data(), *offset = layer.offset.data(), *from = z.data();
  S *to_x = x.data(), *to_h = h.data();
  Kokkos::parallel_for(
      "model::rectify", Kokkos::RangePolicy<core::Exec>(exec, 0, rows * (B / run)), KOKKOS_LAMBDA(const std::size_t n) {
        const std::size_t begin = n * run, u = begin / B % U;
        const S k = gain[u], o = offset[u];
        AMACRINE_INDEPENDENT
        for (std::size_t e = begin; e < begin + run; ++e) {
          const S value = k * from[e] + o;
          to_x[e] = value;
          to_h[e] = value < 0 ? S(0) : value;
        }
      });
}

template <class S>
void head_output(const core::Exec& exec, const InferenceNetwork<S>& network, const View5<S>& u, HeadState<S>& state) {
  const std::size_t N = state.drive.extent(0), G = state.drive.extent(1), B = state.drive.extent(2);
  const View1<S> constant = network.constant;
  const View3<S> drive = state.drive, rate = state.rate;
  const S beta = network.softplus_beta;
  Kokkos::parallel_for(
      "model::output", Kokkos::RangePolicy<core::Exec>(exec, 0, N * G * B), KOKKOS_LAMBDA(const std::size_t k) {
        const std::size_t b = k % B, g = k / B % G, n = k / B / G;
        const S value = u(g, n, 0, 0, b) + constant(n);
        drive(n, g, b) = value;
        rate(n, g, b) = softplus(value, beta);
      });
}

template <class S>
InferenceNetwork<S> make_inference(const Model& model) {
  const Architecture& a = model.architecture;
  const ParameterLayout layout = make_layout(a);
  core::require(model.parameters.size() == layout.parameter_count && model.statistics.size() == layout.statistic_count,
                "the architecture {} has {} parameters and {} running statistics, the model holds {} and {}", describe(a),
                layout.parameter_count, layout.statistic_count, model.parameters.size(), model.statistics.size());
  InferenceNetwork<S> network;
  network.architecture = a;
  network.normalisation = model.normalisation;
  network.minimum_lag = model.minimum_lag;
  network.softplus_beta = static_cast<S>(a.softplus_beta);
  for (int l = 0; l < a.layers(); ++l) network.hidden.push_back(make_layer<S>(model, layout, l));
  network.spectra = std::make_shared<SpectralCache<S>>(a);
  const ParameterEntry& weight = layout.parameter("readout.weight");
  const std::size_t N = weight.shape[0], U = weight.shape[1];
  const Folded folded = fold(model, layout, "output.", "readout.bias", N);
  std::vector<double> readout = values_of(model.parameters, &weight, weight.size, 0.0);
  for (std::size_t n = 0; n < N; ++n)
    for (std::size_t u = 0; u < U; ++u) readout[n * U + u] *= folded.gain[n];
  network.readout = View2<S>(core::uninitialised("model::readout"), N, U);
  network.constant = View1<S>(core::uninitialised("model::constant"), N);
  upload<S>(network.readout, readout);
  upload<S>(network.constant, folded.offset);
  return network;
}

template <class S>
View5<S> make_first_layer(const InferenceNetwork<S>& network, std::size_t segments, std::size_t windows) {
  const Architecture& a = network.architecture;
  if (a.hidden.empty()) return View5<S>("model::first_layer", segments, network.readout.extent(0), 1, 1, windows);
  return View5<S>("model::first_layer", segments, as_size(a.hidden[0].channels), as_size(a.out_y(0)), as_size(a.out_x(0)),
                  windows);
}

template <class S>
void first_layer(const core::Exec& exec, const InferenceNetwork<S>& network, const View4<S>& frames, const View5<S>& z) {
  if (network.hidden.empty()) return temporal_conv_forward(exec, frames, readout_kernel(network), z);
  const View4<S>& kernel = network.hidden[0].kernel;
  if (!network.spectra->serves(0)) return temporal_conv_forward(exec, frames, kernel, z);
  network.spectra->first(exec, kernel, z.extent(0), z.extent(4)).forward(exec, frames, z);
}

template <class S>
HeadState<S> make_head_state(const InferenceNetwork<S>& network, std::size_t segments, std::size_t windows) {
  const Architecture& a = network.architecture;
  HeadState<S> state;
  for (int l = 0; l < a.layers(); ++l) {
    const std::size_t C = as_size(a.hidden[as_size(l)].channels), OY = as_size(a.out_y(l)), OX = as_size(a.out_x(l));
    state.x.emplace_back("model::x", segments, C, OY, OX, windows);
    state.h.emplace_back("model::h", segments, C, OY, OX, windows);
  }
  state.drive = View3<S>("model::drive", network.readout.extent(0), segments, windows);
  state.rate = View3<S>("model::rate", network.readout.extent(0), segments, windows);
  return state;
}

template <class S>
void head_readout(const core::Exec& exec, const InferenceNetwork<S>& network, HeadState<S>& state) {
  const View5<S>& h = state.h.back();
  const View5<S> u("model::readout_sum", h.extent(0), state.drive.extent(0), 1, 1, h.extent(4));
  conv_forward(exec, h, readout_kernel(network), u);
  head_output(exec, network, u, state);
}

template <class S>
void head_forward(const core::Exec& exec, const InferenceNetwork<S>& network, const View5<S>& z, HeadState<S>& state) {
  if (network.hidden.empty()) return head_output(exec, network, z, state);
  head_rectify(exec, network.hidden[0], z, state.x[0], state.h[0]);
  head_from_activity(exec, network, state);
}

template <class S>
void head_from_activity(const core::Exec& exec, const InferenceNetwork<S>& network, HeadState<S>& state) {
  const std::size_t segments = state.h[0].extent(0), windows = state.h[0].extent(4);
  for (std::size_t l = 1; l < network.hidden.size(); ++l) {
    const View4<S>& kernel = network.hidden[l].kernel;
    if (network.spectra && network.spectra->serves(l)) {
      network.spectra->later(exec, l, kernel, segments, windows).forward(exec, state.h[l - 1], state.x[l]);
    } else {
      conv_forward(exec, state.h[l - 1], kernel, state.x[l]);
    }
    head_rectify(exec, network.hidden[l], state.x[l], state.x[l], state.h[l]);
  }
  head_readout(exec, network, state);
}

#define AMACRINE_INSTANTIATE(S)                                                                                                  \
  template InferenceNetwork<S> make_inference<S>(const Model&);                                                                  \
  template View5<S> make_first_layer<S>(const InferenceNetwork<S>&, std::size_t, std::size_t);                                   \
  template void first_layer<S>(const core::Exec&, const InferenceNetwork<S>&, const View4<S>&, const View5<S>&);                 \
  template HeadState<S> make_head_state<S>(const InferenceNetwork<S>&, std::size_t, std::size_t);                                \
  template void head_rectify<S>(const core::Exec&, const InferenceLayer<S>&, const View5<S>&, const View5<S>&, const View5<S>&); \
  template void head_output<S>(const core::Exec&, const InferenceNetwork<S>&, const View5<S>&, HeadState<S>&);                   \
  template void head_readout<S>(const core::Exec&, const InferenceNetwork<S>&, HeadState<S>&);                                   \
  template void head_forward<S>(const core::Exec&, const InferenceNetwork<S>&, const View5<S>&, HeadState<S>&);                  \
  template void head_from_activity<S>(const core::Exec&, const InferenceNetwork<S>&, HeadState<S>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model
