// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/path_integral.hpp"
#include "amacrine/model/lane_conv.hpp"
#include "path_kernels.hpp"

namespace amacrine::attribution {

/// Path integrals on a host, for two hidden layers whose second convolution pays in the frequency domain. L windows lie side by
/// side in the lanes of a register; a node, a cell's panel or a panel's tangents go through the second layer in one piece that
/// stays in the core's cache. A window's bits do not depend on the windows beside it. G groups of L windows, U and V units of the
/// two layers, K nodes, P intervals of the rule, M cells.
template <class S>
class WindowLanes {
 public:
  static constexpr int lanes = core::lane_count<S>;
  /// Whether the network has two hidden layers of the right sizes.
  static bool possible(const PathNetwork<S>& network);

  WindowLanes() = default;
  WindowLanes(const core::Exec& exec, const PathNetwork<S>& network);

  /// Runs all nodes forward and keeps the second layer: drive(i, w, k), as read_out() has it.
  void forward(const Paths<S>& paths, const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View3<double>& drive);
  /// The second layer's attributions, A(i, w, v) = readout_iv sum_k c(i, w, k) h_v(k), for the paths of the last forward() and
  /// before backward() or tangents(). Coefficients (M, W, K), as node_coefficients() has them.
  void second_layer(const DeviceRule<S>& rule, const Quadrature& quadrature, const std::vector<int>& cells,
                    const std::vector<double>& coefficients, const SecondLayer& out);
  /// push(i, w, u) from the weighted slopes q(i, w, p) of the output, for the paths of the last forward(), once.
  void backward(const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View3<S>& q, const core::View3<S>& push);
  /// What the change of every first-layer channel across every panel does to the drives, through the second layer's slopes:
  /// sums(i, w, p, c), for the paths of the last forward(), once. Their sums over c are the drives' changes. Secants only.
  void tangents(const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View4<double>& sums);
  /// tangents() of the channels' columns: sums(i, w, p, c X + x).
  void column_tangents(const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View4<double>& sums);
  /// Whether tangents take less time than one backward pass per cell.
  static bool tangents_pay(const PathNetwork<S>& network, std::size_t cells);
  /// Up to so many pairs of a driven column and a column of the second layer that it reaches, column_tangents take less time than
  /// backward passes.
  static std::size_t most_column_pairs(const PathNetwork<S>& network, std::size_t cells);

 private:
  void set_paths(const Paths<S>& paths, const DeviceRule<S>& rule);
  void run_nodes(const DeviceRule<S>& rule, const std::vector<int>& cells, const core::View3<double>& drive);
  void take_slopes(const DeviceRule<S>& rule);
  void change_column(const DeviceRule<S>& rule, std::size_t g, std::size_t p, int c, int x, S* column) const;

  PathNetwork<S> network_;
  model::LaneConv<S> convolution_;
  std::size_t windows_ = 0, groups_ = 0;
  core::View2<S> scratch_;   ///< (threads, working memory)
  core::View1<S> start_;     ///< (U) first layer's pre-activation at the path's start
  core::View3<S> step_;      ///< (G, U, L) its change along the path
  core::View3<S> crossing_;  ///< (G, U, L) where on the path it crosses its threshold
  core::View4<S> second_;    ///< (G, K, V, L) second layer's pre-activation at the nodes, then its slopes in the intervals
};

/// How the work items of a host loop are dealt out: one at a time, to whichever thread is free, each with its own memory.
template <class S, class Body>
void for_items(const char* label, std::size_t count, const core::View2<S>& scratch, const Body& body) {
  using Threads = Kokkos::Experimental::UniqueToken<core::HostExec>;
  const Threads threads{core::HostExec()};
  Kokkos::parallel_for(
      label,
      Kokkos::RangePolicy<core::HostExec, Kokkos::Schedule<Kokkos::Dynamic>>(core::HostExec(), 0, count, Kokkos::ChunkSize(1)),
      [&](const std::size_t i) {
        const auto thread = static_cast<std::size_t>(threads.acquire());
        body(i, &scratch(thread, 0));
        threads.release(static_cast<int>(thread));
      });
  core::HostExec().fence(label);
}

}  // namespace amacrine::attribution
