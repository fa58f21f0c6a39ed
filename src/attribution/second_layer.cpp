// SPDX-License-Identifier: Apache-2.0
#include "second_layer.hpp"

namespace amacrine::attribution {
namespace {

using core::View1;
using core::View2;
using core::View3;

/// sums(r, c) = sum over the units of channel c of values (R, V), V = C * size.
View2<double> sum_units(const core::Exec& exec, const View2<double>& values, std::size_t channels) {
  const std::size_t rows = values.extent(0), size = values.extent(1) / channels;
  View2<double> sums(core::uninitialised("attribution::second_sums"), rows, channels);
  Kokkos::parallel_for(
      "attribution::sum_units", Kokkos::RangePolicy<core::Exec>(exec, 0, rows * channels), KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t r = i / channels, c = i % channels;
        double sum = 0;
        for (std::size_t v = c * size; v < (c + 1) * size; ++v) sum += values(r, v);
        sums(r, c) = sum;
      });
  return sums;
}

/// (M, W, V) -> (W, M, V) as float.
std::vector<float> rows_of_windows(const core::Exec& exec, const View3<double>& values) {
  const std::size_t cells = values.extent(0), windows = values.extent(1), units = values.extent(2);
  const View3<float> out(core::uninitialised("attribution::second_units"), windows, cells, units);
  Kokkos::parallel_for(
      "attribution::rows_of_windows", Kokkos::RangePolicy<core::Exec>(exec, 0, windows * cells * units),
      KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t v = i % units, n = i / units % cells, w = i / units / cells;
        out(w, n, v) = static_cast<float>(values(n, w, v));
      });
  exec.fence("attribution::rows_of_windows");
  return core::to_host(out);
}

}  // namespace

std::vector<double> node_coefficients(const std::vector<double>& gradients, const Quadrature& quadrature) {
  const auto L = static_cast<std::size_t>(quadrature.intervals()), K = static_cast<std::size_t>(quadrature.nodes());
  const std::size_t rows = gradients.size() / L;
  std::vector<double> out(rows * K, 0.0);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t p = 0; p < L; ++p) {
      const double g = quadrature.step * gradients[r * L + p];
      out[r * K + static_cast<std::size_t>(quadrature.to[p])] += g;
      out[r * K + static_cast<std::size_t>(quadrature.from[p])] -= g;
    }
  return out;
}

template <class S>
void change_second(const core::Exec& exec, const View3<S>& h, const Quadrature& quadrature, const View2<double>& change) {
  const std::size_t units = h.extent(1);
  const auto start = static_cast<std::size_t>(quadrature.start), end = static_cast<std::size_t>(quadrature.end);
  Kokkos::parallel_for(
      "attribution::change_second", Kokkos::RangePolicy<core::Exec>(exec, 0, change.size()), KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t w = i / units, v = i % units;
        change(w, v) = static_cast<double>(h(w, v, end)) - static_cast<double>(h(w, v, start));
      });
}

template <class S>
void gather_second(const core::Exec& exec, const View3<S>& d, const View3<S>& h, const Quadrature& quadrature, std::size_t index,
                   const View3<double>& attribution) {
  const std::size_t units = h.extent(1), intervals = d.extent(2);
  std::vector<double> factors;
  for (double weight : quadrature.weight) factors.push_back(quadrature.step / weight);
  const View1<double> factor = core::to_device("attribution::second_factors", factors);
  const View1<int> from = core::to_device("attribution::second_from", quadrature.from),
                   to = core::to_device("attribution::second_to", quadrature.to);
  Kokkos::parallel_for(
      "attribution::gather_second", Kokkos::RangePolicy<core::Exec>(exec, 0, h.extent(0) * units),
      KOKKOS_LAMBDA(const std::size_t i) {
        const std::size_t w = i / units, v = i % units;
        double sum = 0;
        for (std::size_t p = 0; p < intervals; ++p)
          sum += factor(p) * static_cast<double>(d(w, v, p)) *
                 (static_cast<double>(h(w, v, static_cast<std::size_t>(to(p)))) -
                  static_cast<double>(h(w, v, static_cast<std::size_t>(from(p)))));
        attribution(index, w, v) = sum;
      });
}

template <class S>
void store_second(const core::Exec& exec, const PathLayer<S>& layer, const SecondLayer& integrals, bool units, Block& block) {
  const std::size_t W = block.windows, M = block.cells, V = layer.units(), C = static_cast<std::size_t>(layer.channels);
  const View2<double> sums = sum_units(exec, View2<double>(integrals.attribution.data(), M * W, V), C),
                      changes = sum_units(exec, integrals.change, C);
  exec.fence("attribution::store_second");
  const std::vector<double> by_cell = core::to_host(sums), by_window = core::to_host(changes);
  SecondRows& rows = block.second;
  rows.attribution = core::Array<double, 3>({W, M, C});
  rows.change = core::Array<double, 2>({W, C});
  rows.residual = core::Array<double, 2>({W, M});
  for (std::size_t i = 0; i < W * C; ++i)
    rows.change.values()[i] = by_window[i] * static_cast<double>(C) / static_cast<double>(V);
  for (std::size_t w = 0; w < W; ++w)
    for (std::size_t n = 0; n < M; ++n) {
      double sum = 0;
      for (std::size_t c = 0; c < C; ++c) {
        rows.attribution(w, n, c) = by_cell[(n * W + w) * C + c];
        sum += rows.attribution(w, n, c);
      }
      rows.residual(w, n) = sum - (block.rate(w, n) - block.baseline_rate(w, n));
    }
  if (!units) return;
  rows.units = rows_of_windows(exec, integrals.attribution);
  rows.unit_change.resize(W * V);
  const std::vector<double> change = core::to_host(integrals.change);
  for (std::size_t i = 0; i < change.size(); ++i) rows.unit_change[i] = static_cast<float>(change[i]);
}

#define AMACRINE_INSTANTIATE(S)                                                                                    \
  template void change_second(const core::Exec&, const View3<S>&, const Quadrature&, const View2<double>&);        \
  template void gather_second(const core::Exec&, const View3<S>&, const View3<S>&, const Quadrature&, std::size_t, \
                              const View3<double>&);                                                               \
  template void store_second(const core::Exec&, const PathLayer<S>&, const SecondLayer&, bool, Block&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::attribution
