// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/path_network.hpp"
#include "amacrine/attribution/quadrature.hpp"

#include <memory>
#include <vector>

namespace amacrine::attribution {

/// The linear part of the first layer along straight paths: z = baseline + alpha * difference.
template <class S>
struct Paths {
  core::View1<S> baseline;    ///< (U) W * s0
  core::View2<S> difference;  ///< (W, U) W * (s - s0)
  std::size_t windows() const { return difference.extent(0); }
};

/// Attributions of the second layer's units v along the paths, where they are wanted: A_nv = Int dF_n/dh_v dh_v. V units.
struct SecondLayer {
  core::View3<double> attribution;  ///< (M, W, V), Hz
  core::View2<double> change;       ///< (W, V) h_v at the path's end less h_v at its start
};

/// Integrals along the paths of a block of windows, for first-layer units u:
/// share_u = Int m_u dalpha and push_nu = Int m_u dF_n/dh_u dalpha, with m_u = dh_u/dx_u along the path (or its secant). Hence
/// G_u = gain_u push_u, A_u = difference_u G_u, and D_u = push_u / share_u.
template <class S>
struct PathIntegrals {
  core::View2<S> share;               ///< (W, U)
  core::View3<S> push;                ///< (M, W, U), M = cells asked for
  core::Array<double, 2> start, end;  ///< (M, W) F[s0] and F[s], Hz
  SecondLayer second;
};

/// What is pushed forward at once: all of a first-layer channel, or one of its columns.
enum class Tangents { channels, columns };

/// Attributions of first-layer channels or columns along paths up to J of their nodes, for M cells and W windows. K: the
/// channels, or channels times columns.
struct TangentIntegrals {
  core::Array<double, 4> attribution;  ///< (J, M, W, K), Hz
  core::Array<double, 3> end;          ///< (J, M, W) F at the node
  core::Array<double, 2> start;        ///< (M, W) F at the path's start
  SecondLayer second;                  ///< on the whole path
};

/// Integrates along paths past the first layer only: one forward over all nodes serves all cells, then one backward per cell with
/// the slopes of the forward. The memory for a block (windows x nodes) is allocated once and reused.
template <class S>
class PathIntegrator {
 public:
  PathIntegrator(const core::Exec& exec, const PathNetwork<S>& network, Target target);
  ~PathIntegrator();
  PathIntegrator(PathIntegrator&&) noexcept;

  /// `cells`: indices of the network's cells. `second`: the second layer's attributions too; needs two hidden layers and, for
  /// midpoints, a quadrature with its panels' ends. The views of the result are valid until the next call.
  const PathIntegrals<S>& integrate(const Paths<S>& paths, const std::vector<int>& cells, const Quadrature& quadrature,
                                    bool second = false);

  /// Whether integrate_tangents() can serve the network, and whether it takes less time for so many cells than integrate().
  static bool tangents_possible(const PathNetwork<S>& network, const Quadrature& quadrature);
  static bool channels_pay(const PathNetwork<S>& network, std::size_t cells, const Quadrature& quadrature);
  /// Columns do so in windows that drive few of them: up to this number of pairs of a driven column and a column of the second
  /// layer that it reaches.
  static std::size_t most_column_pairs(const PathNetwork<S>& network, std::size_t cells, const Quadrature& quadrature);
  /// Channels' or columns' attributions alone, by forward tangents: a panel's changes of each go through the secants of all later
  /// layers, for all cells at once. The same sums as integrate()'s, up to rounding. A path's first part is itself a path: `marks`
  /// are the nodes, ascending, at which the running sums are wanted.
  TangentIntegrals integrate_tangents(const Paths<S>& paths, const std::vector<int>& cells, const Quadrature& quadrature,
                                      const std::vector<int>& marks, Tangents of, bool second = false);

  /// Bytes of memory a block of `windows` windows needs, without the second layer's attributions.
  static double bytes(const PathNetwork<S>& network, std::size_t windows, std::size_t cells, const Quadrature& quadrature);
  /// Multiply-adds of one window with `cells` cells.
  static double multiply_adds(const PathNetwork<S>& network, std::size_t cells, const Quadrature& quadrature);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amacrine::attribution
