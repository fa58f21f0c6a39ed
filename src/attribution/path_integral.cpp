// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/path_integral.hpp"

#include "amacrine/core/errors.hpp"
#include "layer_convolution.hpp"
#include "path_kernels.hpp"
#include "second_layer.hpp"
#include "slopes.hpp"
#include "window_lanes.hpp"

#include <optional>

namespace amacrine::attribution {
namespace {

template <class S>
core::View5<S> as_maps(const core::View3<S>& units, const PathLayer<S>& layer) {
  return core::View5<S>(units.data(), units.extent(0), static_cast<std::size_t>(layer.channels),
                        static_cast<std::size_t>(layer.height), static_cast<std::size_t>(layer.width), units.extent(2));
}

/// Multiply-adds for one unit of a layer.
template <class S>
double taps(const PathLayer<S>& layer) {
  const std::size_t count = layer.kernel.size() / layer.kernel.extent(0);
  return static_cast<double>(count);
}

template <class S>
DeviceRule<S> to_device_rule(const Quadrature& quadrature) {
  DeviceRule<S> rule;
  rule.alpha = core::to_device("attribution::alpha", std::vector<S>(quadrature.alpha.begin(), quadrature.alpha.end()));
  std::vector<S> inverse_width;
  for (std::size_t k = 1; k < quadrature.alpha.size(); ++k)
    inverse_width.push_back(static_cast<S>(1.0 / (quadrature.alpha[k] - quadrature.alpha[k - 1])));
  rule.inverse_width = core::to_device("attribution::inverse_width", inverse_width);
  rule.weight = core::to_device("attribution::weight", quadrature.weight);
  rule.shift = quadrature.shift;
  rule.secant = quadrature.secant();
  return rule;
}

/// Slope of the output at every lane; drive (K) of one cell and window.
void output_slopes(const double* drive, const Quadrature& quadrature, Target target, double beta, double* out) {
  for (std::size_t p = 0; p < quadrature.weight.size(); ++p) {
    const std::size_t k = p + static_cast<std::size_t>(quadrature.shift);
    double slope = 1.0;
    if (target == Target::after_softplus) {
      slope = quadrature.secant() ? softplus_slope(drive[k], drive[k + 1], beta) : softplus_derivative(drive[k], beta);
    }
    out[p] = slope;
  }
}

/// output_slopes of every row of drives (rows, K): (rows, L).
std::vector<double> slopes_of_rows(const std::vector<double>& drives, const Quadrature& quadrature, Target target, double beta) {
  const auto nodes = quadrature.alpha.size(), intervals = quadrature.weight.size();
  std::vector<double> slopes(drives.size() / nodes * intervals);
  for (std::size_t row = 0; row < drives.size() / nodes; ++row)
    output_slopes(drives.data() + row * nodes, quadrature, target, beta, slopes.data() + row * intervals);
  return slopes;
}

/// Sums the panels' changes, times the output's slopes, up to every mark. drives (M, W, nodes), changes (M, W, panels, K).
void sum_marks(const std::vector<double>& drives, const core::View4<double>& changes, const Quadrature& quadrature,
               const std::vector<int>& marks, Target target, double beta, TangentIntegrals& out) {
  const std::size_t M = changes.extent(0), W = changes.extent(1), P = changes.extent(2), K = changes.extent(3), J = marks.size();
  const std::vector<double> slopes = slopes_of_rows(drives, quadrature, target, beta);
  const auto output = [&](double u) { return target == Target::after_softplus ? softplus(u, beta) : u; };
  out.attribution = core::Array<double, 4>({J, M, W, K});
  out.end = core::Array<double, 3>({J, M, W});
  out.start = core::Array<double, 2>({M, W});
  const auto sum_row = [&](std::size_t row) {
    const double *const u = drives.data() + row * (P + 1), *const change = &changes(row / W, row % W, 0, 0);
    std::vector<double> sum(K, 0.0);
    out.start.values()[row] = output(u[0]);
    std::size_t p = 0;
    for (std::size_t j = 0; j < J; ++j) {
      for (; p < static_cast<std::size_t>(marks[j]); ++p)
        for (std::size_t k = 0; k < K; ++k) sum[k] += slopes[row * P + p] * change[p * K + k];
      out.end.values()[j * M * W + row] = output(u[p]);
      std::copy(sum.begin(), sum.end(), out.attribution.values().begin() + static_cast<std::ptrdiff_t>((j * M * W + row) * K));
    }
  };
  Kokkos::parallel_for("attribution::sum_marks", Kokkos::RangePolicy<core::HostExec>(core::HostExec(), 0, M * W), sum_row);
  core::HostExec().fence("attribution::sum_marks");
}

template <class S>
void require_second(const PathNetwork<S>& network, const Quadrature& quadrature, bool second) {
  core::require(!second || (network.layers.size() >= 2 && !quadrature.to.empty()),
                "internal: the second layer of a network of {} and {} panels' ends", network.layers.size(), quadrature.to.size());
}

}  // namespace

template <class S>
struct PathIntegrator<S>::Impl {
  /// Units of one layer at all nodes (later: gradients in all intervals), and slopes; grown as blocks ask for.
  struct Buffers {
    core::View1<S> units, slopes;
  };
  core::Exec exec;
  PathNetwork<S> network;
  Target target;
  std::vector<Buffers> buffers;
  std::vector<LayerConvolution<S>> convolutions;  ///< into layers 1, 2, ...
  std::optional<WindowLanes<S>> window_lanes;     ///< where it pays
  core::View1<S> shares, pushes;
  core::View1<S> second_gradients;  ///< where the second layer's values at the nodes are still needed
  core::View1<double> second_units, second_changes;
  PathIntegrals<S> result;

  template <class T>
  static core::View3<T> shaped(core::View1<T>& buffer, const char* label, std::size_t a, std::size_t b, std::size_t c) {
    if (buffer.extent(0) < a * b * c) {
      buffer = core::View1<T>();
      buffer = core::View1<T>(core::uninitialised(label), a * b * c);
    }
    return core::View3<T>(buffer.data(), a, b, c);
  }
  core::View3<S> units(std::size_t layer, std::size_t windows, std::size_t intervals) {
    return shaped(buffers[layer].units, "attribution::units", windows, network.layers[layer].units(), intervals);
  }
  core::View3<S> slopes(std::size_t layer, std::size_t windows, std::size_t intervals) {
    return shaped(buffers[layer].slopes, "attribution::slopes", windows, network.layers[layer].units(), intervals);
  }

  /// Room for a layer's gradients in all intervals: that of its values at the nodes, where they are not needed any more.
  core::View3<S> gradients(std::size_t layer, std::size_t windows, std::size_t intervals, bool second) {
    if (!second || layer != 1) return units(layer, windows, intervals);
    return shaped(second_gradients, "attribution::second_gradients", windows, network.layers[1].units(), intervals);
  }
  SecondLayer second_room(std::size_t cells, std::size_t windows) {
    const std::size_t count = network.layers[1].units();
    const core::View3<double> change = shaped(second_changes, "attribution::second_changes", 1, windows, count);
    return {shaped(second_units, "attribution::second_units", cells, windows, count),
            core::View2<double>(change.data(), windows, count)};
  }

  void forward(const Paths<S>& paths, const DeviceRule<S>& rule) {
    const std::size_t windows = paths.windows(), nodes = rule.alpha.extent(0), intervals = rule.weight.extent(0);
    core::View3<S> h = units(0, windows, nodes);
    first_hidden(exec, network.first(), paths.baseline, paths.difference, rule, h);
    for (std::size_t l = 1; l < network.layers.size(); ++l) {
      const core::View3<S> z = units(l, windows, nodes);
      convolutions[l - 1].forward(exec, as_maps(h, network.layers[l - 1]), as_maps(z, network.layers[l]));
      hidden_and_slopes(exec, network.layers[l], z, rule, slopes(l, windows, intervals));
      h = z;
    }
  }

  /// Runs the nodes forward: the cells' drives (M, W, K).
  std::vector<double> drives_of(const Paths<S>& paths, const DeviceRule<S>& rule, const std::vector<int>& cells) {
    const std::size_t windows = paths.windows(), nodes = rule.alpha.extent(0), last = network.layers.size() - 1;
    const core::View3<double> drive(core::uninitialised("attribution::drive"), cells.size(), windows, nodes);
    if (window_lanes) {
      window_lanes->forward(paths, rule, cells, drive);
    } else {
      forward(paths, rule);
      read_out(exec, network.readout, network.constant, core::to_device("attribution::cells", cells), units(last, windows, nodes),
               drive);
    }
    exec.fence("attribution::outputs");
    return core::to_host(drive);
  }

  /// Runs the nodes forward and reads the rates at the path's ends off the drives. Returns the output's slopes (M, W, L).
  std::vector<double> outputs(const Paths<S>& paths, const DeviceRule<S>& rule, const std::vector<int>& cells,
                              const Quadrature& quadrature) {
    const std::size_t windows = paths.windows();
    const auto nodes = quadrature.alpha.size();
    const std::vector<double> drives = drives_of(paths, rule, cells);
    result.start = result.end = core::Array<double, 2>({cells.size(), windows});
    for (std::size_t row = 0; row < cells.size() * windows; ++row) {
      const double* const at = drives.data() + row * nodes;
      const double a = at[quadrature.start], b = at[quadrature.end], beta = network.softplus_beta;
      const bool rate = target == Target::after_softplus;
      result.start.values()[row] = rate ? softplus(a, beta) : a;
      result.end.values()[row] = rate ? softplus(b, beta) : b;
    }
    return slopes_of_rows(drives, quadrature, target, network.softplus_beta);
  }

  /// The slopes times the intervals' weights, on the device.
  core::View3<S> weighted(const std::vector<double>& slopes, std::size_t cells, const Quadrature& quadrature) {
    const std::size_t intervals = quadrature.weight.size();
    std::vector<S> values(slopes.size());
    for (std::size_t i = 0; i < slopes.size(); ++i) values[i] = static_cast<S>(quadrature.weight[i % intervals] * slopes[i]);
    const core::View1<S> flat = core::to_device("attribution::output_slopes", values);
    core::View3<S> out(core::uninitialised("attribution::output_slopes"), cells, slopes.size() / intervals / cells, intervals);
    Kokkos::deep_copy(exec, core::View1<S>(out.data(), out.size()), flat);
    return out;
  }

  /// Pushes cell `cell`, the `index`-th of those asked for, down to the first layer's units, past the second layer's activities
  /// where those are attributed too.
  void backward(int cell, std::size_t index, const core::View3<S>& q, const Paths<S>& paths, const DeviceRule<S>& rule,
                const Quadrature& quadrature, bool second) {
    const std::size_t windows = paths.windows(), intervals = rule.weight.extent(0);
    std::size_t l = network.layers.size() - 1;
    core::View3<S> d = gradients(l, windows, intervals, second);
    const bool stop = second && l == 1;
    push_readout(exec, network.readout, cell, index, q, network.layers[l],
                 l > 0 && !stop ? slopes(l, windows, intervals) : core::View3<S>(), d);
    const auto pass = [&](std::size_t layer, const core::View3<S>& gradient) {
      if (second && layer == 1)
        gather_second(exec, gradient, units(1, windows, quadrature.alpha.size()), quadrature, index, result.second.attribution);
      through_layer(exec, network.layers[layer], slopes(layer, windows, intervals), gradient);
    };
    if (stop) pass(l, d);
    for (; l > 0; --l) {
      const core::View3<S> below = gradients(l - 1, windows, intervals, second);
      convolutions[l - 1].backward(exec, as_maps(d, network.layers[l]), as_maps(below, network.layers[l - 1]));
      if (l > 1) pass(l - 1, below);
      d = below;
    }
    const core::View2<S> push(result.push.data() + index * windows * network.first().units(), windows, network.first().units());
    gather_first(exec, network.first(), paths.baseline, paths.difference, rule, d, push);
  }
};

template <class S>
PathIntegrator<S>::PathIntegrator(const core::Exec& exec, const PathNetwork<S>& network, Target target) : impl_(new Impl) {
  impl_->exec = exec;
  impl_->network = network;
  impl_->target = target;
  impl_->buffers.resize(network.layers.size());
  for (std::size_t l = 1; l < network.layers.size(); ++l)
    impl_->convolutions.emplace_back(network.layers[l].kernel, network.layers[l - 1].height, network.layers[l - 1].width);
  if (WindowLanes<S>::possible(network)) impl_->window_lanes.emplace(exec, network);
}
template <class S>
PathIntegrator<S>::~PathIntegrator() = default;
template <class S>
PathIntegrator<S>::PathIntegrator(PathIntegrator&&) noexcept = default;

template <class S>
const PathIntegrals<S>& PathIntegrator<S>::integrate(const Paths<S>& paths, const std::vector<int>& cells,
                                                     const Quadrature& quadrature, bool second) {
  const std::size_t windows = paths.windows(), units = impl_->network.first().units();
  core::require(windows > 0 && !cells.empty(), "internal: a path integral of {} windows and {} cells", windows, cells.size());
  require_second(impl_->network, quadrature, second);
  const DeviceRule<S> rule = to_device_rule<S>(quadrature);
  const core::View3<S> share = Impl::shaped(impl_->shares, "attribution::share", 1, windows, units);
  impl_->result.share = core::View2<S>(share.data(), windows, units);
  impl_->result.push = Impl::shaped(impl_->pushes, "attribution::push", cells.size(), windows, units);
  active_share(impl_->exec, impl_->network.first(), paths.baseline, paths.difference, rule, impl_->result.share);
  const std::vector<double> slopes = impl_->outputs(paths, rule, cells, quadrature);
  const core::View3<S> q = impl_->weighted(slopes, cells.size(), quadrature);
  impl_->result.second = second ? impl_->second_room(cells.size(), windows) : SecondLayer{};
  if (impl_->window_lanes) {
    if (second)
      impl_->window_lanes->second_layer(rule, quadrature, cells, node_coefficients(slopes, quadrature), impl_->result.second);
    impl_->window_lanes->backward(rule, cells, q, impl_->result.push);
  } else {
    if (second)
      change_second(impl_->exec, impl_->units(1, windows, quadrature.alpha.size()), quadrature, impl_->result.second.change);
    for (std::size_t i = 0; i < cells.size(); ++i) impl_->backward(cells[i], i, q, paths, rule, quadrature, second);
  }
  impl_->exec.fence("attribution::integrate");
  return impl_->result;
}

template <class S>
bool PathIntegrator<S>::tangents_possible(const PathNetwork<S>& network, const Quadrature& quadrature) {
  return quadrature.secant() && WindowLanes<S>::possible(network);
}
template <class S>
bool PathIntegrator<S>::channels_pay(const PathNetwork<S>& network, std::size_t cells, const Quadrature& quadrature) {
  return tangents_possible(network, quadrature) && WindowLanes<S>::tangents_pay(network, cells);
}
template <class S>
std::size_t PathIntegrator<S>::most_column_pairs(const PathNetwork<S>& network, std::size_t cells, const Quadrature& quadrature) {
  return tangents_possible(network, quadrature) ? WindowLanes<S>::most_column_pairs(network, cells) : 0;
}

template <class S>
TangentIntegrals PathIntegrator<S>::integrate_tangents(const Paths<S>& paths, const std::vector<int>& cells,
                                                       const Quadrature& quadrature, const std::vector<int>& marks, Tangents of,
                                                       bool second) {
  core::require(tangents_possible(impl_->network, quadrature), "internal: this network is not served by tangents");
  require_second(impl_->network, quadrature, second);
  const std::size_t M = cells.size(), W = paths.windows();
  const DeviceRule<S> rule = to_device_rule<S>(quadrature);
  const std::vector<double> drives = impl_->drives_of(paths, rule, cells);
  TangentIntegrals out;
  if (second) {
    const std::vector<double> slopes = slopes_of_rows(drives, quadrature, impl_->target, impl_->network.softplus_beta);
    out.second = impl_->second_room(M, W);
    impl_->window_lanes->second_layer(rule, quadrature, cells, node_coefficients(slopes, quadrature), out.second);
  }
  const PathLayer<S>& first = impl_->network.first();
  const bool columns = of == Tangents::columns;
  const auto K = static_cast<std::size_t>(first.channels) * static_cast<std::size_t>(columns ? first.width : 1);
  const core::View4<double> changes(core::uninitialised("attribution::tangents"), M, W, quadrature.weight.size(), K);
  if (columns) {
    impl_->window_lanes->column_tangents(rule, cells, changes);
  } else {
    impl_->window_lanes->tangents(rule, cells, changes);
  }
  sum_marks(drives, changes, quadrature, marks, impl_->target, impl_->network.softplus_beta, out);
  return out;
}

template <class S>
double PathIntegrator<S>::bytes(const PathNetwork<S>& network, std::size_t windows, std::size_t cells,
                                const Quadrature& quadrature) {
  double values = 0;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const auto units = static_cast<double>(network.layers[l].units());
    values += units * quadrature.nodes() + (l > 0 ? units * quadrature.intervals() : 0.0);
  }
  values += static_cast<double>(network.first().units()) * static_cast<double>(cells + 2);
  return values * static_cast<double>(windows) * sizeof(S);
}

template <class S>
double PathIntegrator<S>::multiply_adds(const PathNetwork<S>& network, std::size_t cells, const Quadrature& quadrature) {
  double convolutions = 0;
  for (std::size_t l = 1; l < network.layers.size(); ++l) {
    const PathLayer<S>& layer = network.layers[l];
    convolutions += static_cast<double>(layer.units()) * taps(layer);
  }
  const auto n = static_cast<double>(cells);
  const double readout = static_cast<double>(network.layers.back().units()) * n * quadrature.nodes();
  const double first = static_cast<double>(network.first().units()) * taps(network.first());
  return first + convolutions * (quadrature.nodes() + n * quadrature.intervals()) + readout;
}

template class PathIntegrator<float>;
template class PathIntegrator<double>;

}  // namespace amacrine::attribution
