// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/first_layer.hpp"
#include "amacrine/attribution/path_integral.hpp"
#include "amacrine/attribution/pieces.hpp"
#include "amacrine/attribution/pixel_rows.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace amacrine::attribution {

/// Attributions of the second layer in a block of W windows and M cells, where they are wanted; D channels and V units.
struct SecondRows {
  core::Array<double, 3> attribution;     ///< (W, M, D) sums over the units
  core::Array<double, 2> change;          ///< (W, D) means of h_v(s) - h_v(s0)
  core::Array<double, 2> residual;        ///< (W, M) Hz
  std::vector<float> units, unit_change;  ///< (W, M, V) and (W, V), at the level of its units
};

/// Attributions of a block: W windows of one movie, M cells; C, Y, X the first layer's output. On the host, sums in double in a
/// fixed order. The columns are sums over y, from which positions (Eq. 4) and channels (Eq. 3) follow. Forward tangents leave
/// neither weight, push nor share, and those of channels one column, of height Y X.
struct Block {
  std::size_t windows = 0, cells = 0;
  std::size_t channels = 0, height = 0, width = 0;       ///< first layer's output
  core::Array<double, 2> rate, baseline_rate, residual;  ///< (W, M) Hz
  core::Array<double, 2> error_estimate;                 ///< (W, M) NaN where no tolerance was asked for
  core::Array<double, 2> distance;                       ///< (W, M) of rows to results with fewer panels, as estimates take it
  core::Array<int, 2> panels;                            ///< (W, M)
  core::Array<std::int8_t, 2> flag;                      ///< (W, M) 0 good, 1 tolerance not met, 2 not finite
  core::Array<double, 4> attribution;                    ///< (W, M, C, X) sum of A_u
  core::Array<double, 4> weight;                         ///< (W, M, C, X) sum of G_u
  core::Array<double, 4> push;                           ///< (W, M, C, X) sum of m_u D_u
  core::Array<double, 3> drive, share, change;           ///< (W, C, X) sums of (W*(s-s0))_u, m_u, h_u(s) - h_u(s0)
  std::vector<float> unit_attribution, unit_weight;      ///< (W, M, U) where wanted
  std::vector<float> unit_drive, unit_change;            ///< (W, U)
  std::vector<float> pixels;                             ///< (W, M, T, Y, X) where wanted
  SecondRows second;
};

/// What goes forward for a level that is served by forward tangents.
constexpr Tangents tangents_of(Level level) { return level == Level::position ? Tangents::columns : Tangents::channels; }

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
  /// `first_layer`: of the same network, where all movies that it will be given have that symmetry.
  BlockAttributor(const core::Exec& exec, const model::InferenceNetwork<S>& network, const AttributionSettings& settings,
                  std::optional<FoldedFirstLayer<S>> first_layer = {});

  /// Windows of the movie's frames [first, first + windows); contrast (T, Y, X). Columns always, units, pixels and the second
  /// layer where `level` asks for them. With a tolerance, panels are doubled window by window until the estimated error of every
  /// cell's row at that level meets it (units stand in for pixels), whatever else is in the block. The result is valid until the
  /// next call.
  const Block& attribute(const core::Array<float, 3>& contrast, std::size_t first, std::size_t windows,
                         const std::vector<int>& cells, Level level = Level::channel);
  /// A contrast series as one ray: block j is what attribute() would give for a movie whose departure from the baseline is
  /// scales[j] times that of `contrast` (ray_scales() finds them), scales ascending to 1. With forward tangents, at the levels of
  /// channels and positions, running sums along the path of the largest serve all, with nodes between successive scales;
  /// otherwise every scale is integrated by itself.
  const std::vector<Block>& attribute_ray(const core::Array<float, 3>& contrast, const std::vector<double>& scales,
                                          std::size_t first, std::size_t windows, const std::vector<int>& cells,
                                          Level level = Level::channel);
  /// Whether a request's first-layer channels go by forward tangents: their attributions without weights, by secants, where that
  /// takes less time.
  bool forward_tangents(std::size_t cells, Level level) const;
  /// At the level of positions, under the same conditions: the part of all columns, weighted by how many columns of the second
  /// layer each reaches, that a window may drive to be served by forward tangents of the columns; 0 where none is. Other windows
  /// take a backward pass per cell.
  double forward_columns(std::size_t cells, Level level) const;
  /// attribute() of the windows of several pieces, one after another; each has the bits it has among its neighbours.
  const Block& attribute(const std::vector<Piece>& pieces, const std::vector<int>& cells, Level level = Level::channel);
  const PathNetwork<S>& network() const { return network_; }
  const std::optional<FoldedFirstLayer<S>>& folded_first_layer() const { return folded_; }
  const Quadrature& quadrature() const { return quadrature_; }
  /// Whether a tolerance was asked for.
  bool refines() const { return settings_.tolerance > 0; }
  const std::vector<double>& baseline_frame() const { return baseline_frame_; }
  /// z0 = W * s0: (U), host.
  std::vector<double> baseline_drive() const;

 private:
  /// The windows of a call: s - s0, its first layer, and what is wanted of them.
  struct Request {
    JoinedFrames<S> frames;
    core::View2<S> difference;
    std::vector<int> cells;
    Level level;
    std::vector<double> scales;
    std::vector<bool> few;  ///< windows that drive so few columns that these go by forward tangents
  };
  using Blocks = std::vector<Block>;  ///< one per scale
  JoinedFrames<S> movie_frames(const core::Array<float, 3>& contrast, std::size_t first, std::size_t windows) const;
  void attribute_scales(JoinedFrames<S> frames, const std::vector<double>& scales, const std::vector<int>& cells, Level level);
  void integrate(const Request& request, const std::vector<std::size_t>& windows, int panels, bool pixels, Blocks& blocks);
  void integrate_chunk(const Request& request, const std::vector<std::size_t>& windows, int panels, bool pixels, Blocks& blocks);
  void integrate_windows(const Request& request, const std::vector<std::size_t>& windows, bool tangents, int panels, bool pixels,
                         Blocks& blocks);
  void integrate_units(const Request& request, const std::vector<std::size_t>& windows, double scale, int panels, bool pixels,
                       Block& block);
  void integrate_tangents(const Request& request, const std::vector<std::size_t>& windows, const std::vector<double>& scales,
                          int panels, Block* blocks);
  void refine(const Request& request);

  core::Exec exec_;
  AttributionSettings settings_;
  PathNetwork<S> network_;
  std::optional<FoldedFirstLayer<S>> folded_;
  Quadrature quadrature_;
  PathIntegrator<S> integrator_;
  std::optional<PixelRows<S>> pixel_rows_;  ///< once pixels have been asked for
  std::vector<double> baseline_frame_;
  core::View1<S> baseline_;
  Blocks blocks_;
};

/// Factors by which the movies' departures from the baseline follow from the last one's, as the network sees frames
/// [first, first + windows); empty where they are not all proportional to it, positive and ascending, to float's accuracy.
template <class S>
std::vector<double> ray_scales(const BlockAttributor<S>& attributor, const std::vector<core::Array<float, 3>>& movies,
                               std::size_t first, std::size_t windows);

}  // namespace amacrine::attribution
