// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/scores.hpp"

#include "amacrine/attribution/path_integral.hpp"
#include "amacrine/core/numbers.hpp"

#include <algorithm>
#include <numeric>

namespace amacrine::lesion {

namespace {

/// The network past its first layer: the first layer's activity is its input, whatever its sign.
template <class S>
attribution::PathNetwork<S> past_first_layer(attribution::PathNetwork<S> network) {
  attribution::PathLayer<S>& first = network.layers.front();
  const std::size_t units = first.units();
  first.gain = core::to_device("lesion::gain", std::vector<S>(units, S(1)));
  first.offset = core::to_device("lesion::offset", std::vector<S>(units, S(0)));
  first.rectified = false;
  return network;
}

/// h(s) - h(s0), (W, U).
template <class S>
core::View2<S> changes(const core::Exec& exec, const Units<S>& units) {
  const core::View2<S> activity = units.activity;
  core::View2<S> change(core::uninitialised("lesion::change"), activity.extent(0), activity.extent(1));
  const core::View1<S> baseline = units.baseline;
  Kokkos::parallel_for(
      "lesion::change", Kokkos::MDRangePolicy<core::Exec, Kokkos::Rank<2>>(exec, {0, 0}, {change.extent(0), change.extent(1)}),
      KOKKOS_LAMBDA(const std::size_t w, const std::size_t u) { change(w, u) = activity(w, u) - baseline(u); });
  return change;
}

/// A second layer as a removed unit of the first one reaches it.
template <class S>
struct Reach {
  core::View4<S> kernel;      ///< (C, D, KY, KX)
  core::View3<S> gain;        ///< (C, OY, OX)
  core::View2<S> x;           ///< (B, V) pre-activations of lanes
  core::View2<S> readout;     ///< (N, V)
  int height = 0, width = 0;  ///< of the first layer

  /// By how much the drive of cell n changes on lane b where unit u changes by `change`.
  KOKKOS_INLINE_FUNCTION double drive_change(std::size_t n, std::size_t b, std::size_t u, double change) const {
    const int out_y = static_cast<int>(gain.extent(1)), out_x = static_cast<int>(gain.extent(2));
    const int kernel_y = static_cast<int>(kernel.extent(2)), kernel_x = static_cast<int>(kernel.extent(3));
    const int at = static_cast<int>(u), d = at / (height * width), y = at / width % height, column = at % width;
    const int first_y = Kokkos::max(0, y - kernel_y + 1), last_y = Kokkos::min(y, out_y - 1);
    const int first_x = Kokkos::max(0, column - kernel_x + 1), last_x = Kokkos::min(column, out_x - 1);
    double sum = 0;
    for (int c = 0; c < static_cast<int>(kernel.extent(0)); ++c)
      for (int oy = first_y; oy <= last_y; ++oy) {
        const auto row = static_cast<std::size_t>(c * out_y + oy) * static_cast<std::size_t>(out_x);
        const S *const taps = &kernel(c, d, y - oy, 0), *const gains = &gain(c, oy, 0);
        const S *const before = &x(b, row), *const weight = &readout(n, row);
        for (int ox = first_x; ox <= last_x; ++ox) {
          const double old = static_cast<double>(before[ox]);
          const double changed = old + static_cast<double>(gains[ox]) * static_cast<double>(taps[column - ox]) * change;
          sum += static_cast<double>(weight[ox]) * ((changed > 0 ? changed : 0.0) - (old > 0 ? old : 0.0));
        }
      }
    return sum;
  }
};

/// (1, C, Y, X, B) -> (B, units).
template <class S>
core::View2<S> lanes_first(const core::Exec& exec, const core::View5<S>& x) {
  const std::size_t lanes = x.extent(4), units = x.size() / lanes;
  const core::View2<S> from(x.data(), units, lanes);
  core::View2<S> out(core::uninitialised("lesion::lanes_first"), lanes, units);
  Kokkos::parallel_for(
      "lesion::lanes_first", Kokkos::MDRangePolicy<core::Exec, Kokkos::Rank<2>>(exec, {0, 0}, {lanes, units}),
      KOKKOS_LAMBDA(const std::size_t b, const std::size_t v) { out(b, v) = from(v, b); });
  return out;
}

template <class S>
struct OneLayer {
  core::View2<S> readout;
  KOKKOS_INLINE_FUNCTION double drive_change(std::size_t n, std::size_t, std::size_t u, double change) const {
    return static_cast<double>(readout(n, u)) * change;
  }
};

/// Rows of effects (count, U) of the windows of lanes 0 ... count - 1 of a state.
template <class S, class Layers>
std::vector<double> effects_of(const core::Exec& exec, const Layers& layers, const core::View3<S>& drives, const Units<S>& units,
                               const std::vector<int>& windows, int cell, double beta, bool rate) {
  const auto n = core::as_size(cell);
  const std::size_t count = windows.size(), all = units.activity.extent(1);
  const core::View1<int> of_lane = core::to_device("lesion::windows", windows);
  const core::View2<S> activity = units.activity;
  const core::View1<S> baseline = units.baseline;
  const core::View2<double> effects(core::uninitialised("lesion::effects"), count, all);
  Kokkos::parallel_for(
      "lesion::ablation", Kokkos::RangePolicy<core::Exec>(exec, 0, count * all), KOKKOS_LAMBDA(const std::size_t k) {
        const std::size_t b = k / all, u = k % all;
        const double change = static_cast<double>(baseline(u)) - static_cast<double>(activity(of_lane(b), u));
        const double before = static_cast<double>(drives(n, 0, b));
        const double after = change == 0 ? before : before + layers.drive_change(n, b, u, change);
        effects(b, u) = rate ? model::softplus(before, beta) - model::softplus(after, beta) : before - after;
      });
  exec.fence("lesion::ablation");
  return core::to_host(effects);
}

}  // namespace

const std::vector<std::string>& order_names() {
  static const std::vector<std::string> names{"attribution", "signed_attribution", "activation",
                                              "gradient",    "ablation",           "random"};
  return names;
}

template <class S>
core::Array<double, 2> gradients(const core::Exec& exec, const attribution::PathNetwork<S>& network, attribution::Target target,
                                 const Units<S>& units, int cell) {
  constexpr std::size_t chunk = 16;  // windows at a time
  const std::size_t windows = units.activity.extent(0), all = units.activity.extent(1);
  attribution::PathIntegrator<S> integrator(exec, past_first_layer(network), target);
  const core::View2<S> change = changes(exec, units);
  exec.fence("lesion::change");
  // The gradient at the end of the path is that at the stimulus.
  const attribution::Quadrature end = attribution::make_quadrature(attribution::Rule::right, 1);
  core::Array<double, 2> out({windows, all});
  for (std::size_t first = 0; first < windows; first += chunk) {
    const std::size_t count = std::min(chunk, windows - first);
    const core::View2<S> part(change.data() + first * all, count, all);
    const auto& integrals = integrator.integrate({units.baseline, part}, {cell}, end);
    const std::vector<S> push = core::to_host(core::View1<S>(integrals.push.data(), count * all));
    std::copy(push.begin(), push.end(), out.values().begin() + static_cast<std::ptrdiff_t>(first * all));
  }
  return out;
}

std::size_t ablated_windows(const model::Architecture& architecture, std::size_t windows) {
  constexpr std::size_t most = 4;
  return architecture.layers() <= 2 ? windows : std::min(most, windows);
}

template <class S>
core::Array<double, 2> ablation_effects(const core::Exec& exec, const model::InferenceNetwork<S>& network,
                                        attribution::Target target, MaskedHead<S>& head, const Units<S>& units,
                                        const std::vector<std::size_t>& windows, int cell) {
  if (network.hidden.size() > 2) return ablation_effects_by_passes(head, units, windows, cell);
  const std::size_t all = head.unit_count();
  core::Array<double, 2> out({windows.size(), all});
  std::vector<Lane> lanes;
  lanes.reserve(windows.size());
  for (std::size_t w : windows) lanes.push_back({w, 0, 0, all, true});
  const bool rate = target == attribution::Target::after_softplus;
  const double beta = static_cast<double>(network.softplus_beta);
  head.respond(units, lanes, cell, [&](const model::HeadState<S>& state, std::size_t first, std::size_t count) {
    const std::vector<int> part(windows.begin() + static_cast<std::ptrdiff_t>(first),
                                windows.begin() + static_cast<std::ptrdiff_t>(first + count));
    std::vector<double> effects;
    if (network.hidden.size() == 1) {
      effects = effects_of(exec, OneLayer<S>{network.readout}, state.drive, units, part, cell, beta, rate);
    } else {
      const model::InferenceLayer<S>& second = network.hidden[1];
      const model::InferenceLayer<S>& below = network.hidden[0];
      const Reach<S> reach{second.kernel,
                           second.gain,
                           lanes_first(exec, state.x[1]),
                           network.readout,
                           static_cast<int>(below.gain.extent(1)),
                           static_cast<int>(below.gain.extent(2))};
      effects = effects_of(exec, reach, state.drive, units, part, cell, beta, rate);
    }
    std::copy(effects.begin(), effects.end(), out.values().begin() + static_cast<std::ptrdiff_t>(first * all));
  });
  return out;
}

template <class S>
core::Array<double, 2> ablation_effects_by_passes(MaskedHead<S>& head, const Units<S>& units,
                                                  const std::vector<std::size_t>& windows, int cell) {
  const std::size_t all = head.unit_count();
  std::vector<int> as_numbered(all);
  std::iota(as_numbered.begin(), as_numbered.end(), 0);
  const core::View1<int> flat = core::to_device("lesion::position", as_numbered);
  const Units<S> numbered{units.activity, units.baseline, core::View2<int>(flat.data(), 1, all)};
  core::Array<double, 2> out({windows.size(), all});
  for (std::size_t i = 0; i < windows.size(); ++i) {
    std::vector<Lane> lanes{{windows[i], 0, 0, all, true}};
    for (std::size_t u = 0; u < all; ++u) lanes.push_back({windows[i], 0, u, u + 1, false});
    const std::vector<double> responses = head.respond(numbered, lanes, cell);
    for (std::size_t u = 0; u < all; ++u) out(i, u) = responses[0] - responses[u + 1];
  }
  return out;
}

#define AMACRINE_INSTANTIATE(S)                                                                                                \
  template core::Array<double, 2> gradients(const core::Exec&, const attribution::PathNetwork<S>&, attribution::Target,        \
                                            const Units<S>&, int);                                                             \
  template core::Array<double, 2> ablation_effects(const core::Exec&, const model::InferenceNetwork<S>&, attribution::Target,  \
                                                   MaskedHead<S>&, const Units<S>&, const std::vector<std::size_t>&, int);     \
  template core::Array<double, 2> ablation_effects_by_passes(MaskedHead<S>&, const Units<S>&, const std::vector<std::size_t>&, \
                                                             int);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::lesion
