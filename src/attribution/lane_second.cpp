// SPDX-License-Identifier: Apache-2.0
#include "window_lanes.hpp"

#include <algorithm>

namespace amacrine::attribution {
namespace {

constexpr std::size_t units_at_once = 64;

/// A group's coefficients (M, W, K) with its windows as lanes: (M, K, L), 0 where there is no window.
template <std::size_t L>
std::vector<double> group_coefficients(const std::vector<double>& c, std::size_t cells, std::size_t windows, std::size_t nodes,
                                       std::size_t first) {
  std::vector<double> out(cells * nodes * L, 0.0);
  for (std::size_t i = 0; i < cells; ++i)
    for (std::size_t k = 0; k < nodes; ++k)
      for (std::size_t l = 0; l < L && first + l < windows; ++l)
        out[(i * nodes + k) * L + l] = c[(i * windows + first + l) * nodes + k];
  return out;
}

/// sum(l) = sum_k c(k, l) h(k, l).
template <std::size_t L>
void dot_nodes(const double* c, const double* h, std::size_t nodes, double* sum) {
  double acc[L] = {};
  for (std::size_t k = 0; k < nodes; ++k)
    for (std::size_t l = 0; l < L; ++l) acc[l] += c[k * L + l] * h[k * L + l];
  std::copy_n(acc, L, sum);
}

}  // namespace

template <class S>
void WindowLanes<S>::second_layer(const DeviceRule<S>& rule, const Quadrature& quadrature, const std::vector<int>& cells,
                                  const std::vector<double>& coefficients, const SecondLayer& out) {
  constexpr std::size_t L = static_cast<std::size_t>(lanes);
  const auto nodes = static_cast<std::size_t>(rule.nodes()), start = static_cast<std::size_t>(quadrature.start),
             end = static_cast<std::size_t>(quadrature.end);
  const std::size_t units = network_.layers[1].units(), parts = (units + units_at_once - 1) / units_at_once, M = cells.size();
  for_items("attribution::lane_second", groups_ * parts, scratch_, [&](std::size_t item, S*) {
    const std::size_t g = item / parts, first = item % parts * units_at_once, here = std::min(L, windows_ - g * L);
    const std::vector<double> c = group_coefficients<L>(coefficients, M, windows_, nodes, g * L);
    std::vector<double> h(nodes * L);
    double sum[L];
    for (std::size_t v = first; v < std::min(units, first + units_at_once); ++v) {
      for (std::size_t k = 0; k < nodes; ++k)
        for (std::size_t l = 0; l < L; ++l) {
          const S x = second_(g, k, v, l);
          h[k * L + l] = x <= S(0) ? 0.0 : static_cast<double>(x);  // a NaN stays one
        }
      for (std::size_t l = 0; l < here; ++l) out.change(g * L + l, v) = h[end * L + l] - h[start * L + l];
      for (std::size_t i = 0; i < M; ++i) {
        dot_nodes<L>(c.data() + i * nodes * L, h.data(), nodes, sum);
        const auto w = static_cast<double>(network_.readout(static_cast<std::size_t>(cells[i]), v));
        for (std::size_t l = 0; l < here; ++l) out.attribution(i, g * L + l, v) = w * sum[l];
      }
    }
  });
}

template void WindowLanes<float>::second_layer(const DeviceRule<float>&, const Quadrature&, const std::vector<int>&,
                                               const std::vector<double>&, const SecondLayer&);
template void WindowLanes<double>::second_layer(const DeviceRule<double>&, const Quadrature&, const std::vector<int>&,
                                                const std::vector<double>&, const SecondLayer&);

}  // namespace amacrine::attribution
