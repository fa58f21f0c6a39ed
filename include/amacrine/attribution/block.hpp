// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/path_integral.hpp"

#include <vector>

namespace amacrine::attribution {

/// What to compute of a block of windows besides the columns.
struct Wanted {
  bool units = false, pixels = false;
};

/// Attributions of a block: W windows of one movie, M cells; C, Y, X the first layer's output. On the host, sums in double in a
/// fixed order. The columns are sums over y, from which positions (Eq. 4) and channels (Eq. 3) follow.
struct Block {
  std::size_t windows = 0, cells = 0;
  std::size_t channels = 0, height = 0, width = 0;       ///< first layer's output
  core::Array<double, 2> rate, baseline_rate, residual;  ///< (W, M) Hz
  core::Array<double, 2> error_estimate;                 ///< (W, M) NaN where no tolerance was asked for
  core::Array<int, 2> panels;                            ///< (W, M)
  core::Array<double, 4> attribution;                    ///< (W, M, C, X) sum of A_u
  core::Array<double, 4> weight;                         ///< (W, M, C, X) sum of G_u
  core::Array<double, 4> push;                           ///< (W, M, C, X) sum of m_u D_u
  core::Array<double, 3> drive, share, change;           ///< (W, C, X) sums of (W*(s-s0))_u, m_u, h_u(s) - h_u(s0)
  std::vector<float> unit_attribution, unit_weight;      ///< (W, M, U) where wanted
  std::vector<float> unit_drive, unit_change;            ///< (W, U)
  std::vector<float> pixels;                             ///< (W, M, T, Y, X) where wanted
};

/// A level's five figures for a block. (W, M, C, K) with K = 1 for channels and K = X for positions;
/// docs/results/attributions.md.
struct LevelFigures {
  std::vector<float> attribution, downstream_weight, response_weight, drive, response_change;
};
LevelFigures channel_level(const Block& block);
LevelFigures position_level(const Block& block);

/// Attributes blocks of windows of a movie with one network. Holds its memory from block to block.
template <class S>
class BlockAttributor {
 public:
  BlockAttributor(const core::Exec& exec, const model::InferenceNetwork<S>& network, const AttributionSettings& settings);

  /// Windows of the movie's frames [first, first + windows); contrast (T, Y, X). The result is valid until the next call.
  const Block& attribute(const core::Array<float, 3>& contrast, std::size_t first, std::size_t windows,
                         const std::vector<int>& cells, const Wanted& wanted);
  const PathNetwork<S>& network() const { return network_; }
  const Quadrature& quadrature() const { return quadrature_; }
  /// z0 = W * s0: (U), host.
  std::vector<double> baseline_drive() const;

 private:
  core::Exec exec_;
  PathNetwork<S> network_;
  Quadrature quadrature_;
  PathIntegrator<S> integrator_;
  std::vector<double> baseline_frame_;
  core::View1<S> baseline_;
  Block block_;
};

}  // namespace amacrine::attribution
