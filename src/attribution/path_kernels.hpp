// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/path_network.hpp"

/// The elementwise kernels of a path integral. G windows, U units of a layer, K path nodes, L intervals of the rule (fastest
/// axis, for SIMD).
namespace amacrine::attribution {

/// What the kernels need of a quadrature, on the device.
template <class S>
struct DeviceRule {
  core::View1<S> alpha;          ///< (K)
  core::View1<S> inverse_width;  ///< (K - 1) one over the distance to the next node
  core::View1<double> weight;    ///< (L)
  int shift = 0;
  bool secant = true;
  int nodes() const { return static_cast<int>(alpha.extent(0)); }
  int intervals() const { return static_cast<int>(weight.extent(0)); }
};

/// First layer at all nodes: h(g, u, k) = max(0, gain_u (baseline_u + alpha_k difference_gu) + offset_u).
template <class S>
void first_hidden(const core::Exec& exec, const PathLayer<S>& layer, const core::View1<S>& baseline,
                  const core::View2<S>& difference, const DeviceRule<S>& rule, const core::View3<S>& h);

/// A later layer at all nodes: z(g, u, k) -> h in place, and the slopes m(g, u, p) in the rule's intervals.
template <class S>
void hidden_and_slopes(const core::Exec& exec, const PathLayer<S>& layer, const core::View3<S>& z, const DeviceRule<S>& rule,
                       const core::View3<S>& m);

/// drive(n, g, k) = sum_v readout_nv h(g, v, k) + constant_n, summed in double, for the listed cells.
template <class S>
void read_out(const core::Exec& exec, const core::View2<S>& readout, const core::View1<S>& constant,
              const core::View1<int>& cells, const core::View3<S>& h, const core::View3<double>& drive);

/// d(g, v, p) = readout_nv q(i, g, p) for cell n, the i-th of those asked for, times m gain of the layer where there are slopes.
template <class S>
void push_readout(const core::Exec& exec, const core::View2<S>& readout, int cell, std::size_t index, const core::View3<S>& q,
                  const PathLayer<S>& layer, const core::View3<S>& m, const core::View3<S>& d);

/// d(g, v, p) *= m(g, v, p) gain_v.
template <class S>
void through_layer(const core::Exec& exec, const PathLayer<S>& layer, const core::View3<S>& m, const core::View3<S>& d);

/// push(g, u) = sum_p m_0(g, u, p) d(g, u, p), m_0 the first layer's slopes. d holds the rule's weights already.
template <class S>
void gather_first(const core::Exec& exec, const PathLayer<S>& layer, const core::View1<S>& baseline,
                  const core::View2<S>& difference, const DeviceRule<S>& rule, const core::View3<S>& d,
                  const core::View2<S>& push);

/// share(g, u) = sum_p weight_p m_0(g, u, p).
template <class S>
void active_share(const core::Exec& exec, const PathLayer<S>& layer, const core::View1<S>& baseline,
                  const core::View2<S>& difference, const DeviceRule<S>& rule, const core::View2<S>& share);

}  // namespace amacrine::attribution
